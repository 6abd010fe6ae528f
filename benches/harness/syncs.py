"""Runs of a sync, and how long they take from outside."""

import dataclasses
import json
import time

from harness.server import settle_down

ENDED_WELL = "succeeded"
QUEUE = "changes"
UNDER_WAY = ("queued", "diffing", "publishing")
# A look takes time from what is measured: the longer a run has taken, the less often.
LOOK_EVERY = (0.005, 0.02)
LOOK_AFTER_SHARE = 0.005


@dataclasses.dataclass(frozen=True)
class Run:
    row: object
    # From the call of sqs_sync_run until the diff was committed, the start of the runner included.
    diff_seconds: float
    # From the call until the end was committed.
    seconds: float

    @property
    def publishing_seconds(self):
        return self.seconds - self.diff_seconds

    @property
    def found(self):
        return self.row.rows_added + self.row.rows_changed + self.row.rows_removed


def timed_run(database, name, found=None, on_look=lambda run: None, ends=ENDED_WELL):
    """Runs the sync, and makes sure that it ends as it should and finds as many changes as it should. Now and
    then `on_look` is told its state and the runner's pid, at the latest when the diff has ended."""
    look = "SELECT state, runner_pid FROM sqs_sync.run WHERE run_id = %s"
    diffed = None
    begun = time.perf_counter()
    run_id = database.start_run(name)
    while (now := database.admin.execute(look, (run_id,), prepare=True).fetchone()).state in UNDER_WAY:
        if diffed is None and now.state == "publishing":
            diffed = time.perf_counter() - begun
        on_look(now)
        time.sleep(next_look(time.perf_counter() - begun))
    seconds = time.perf_counter() - begun
    run = Run(database.run_row(run_id), diffed or seconds, seconds)
    if run.row.state != ends:
        raise AssertionError(f"the run of {name} is {run.row.state}: {run.row.error}")
    if found is not None and run.found != found:
        raise AssertionError(f"the run of {name} found {run.found} changes, not {found}")
    return run


def next_look(elapsed):
    least, most = LOOK_EVERY
    return min(most, max(least, LOOK_AFTER_SHARE * elapsed))


def told_sync(database, model, rows):
    """A sync that has been told of all rows of the model, and publishes what changes from then on."""
    database.create_sync("ours", QUEUE, model=model.view, key=model.key, initial="skip", attributes={},
                         fields=json.dumps(model.columns[:4]))
    timed_run(database, "ours", found=rows)
    settle_down(database, snapshot_of(database, "ours"))


def snapshot_of(database, name):
    number = database.admin.execute("SELECT sync_id FROM sqs_sync.sync WHERE name = %s", (name,)).fetchone()[0]
    return f"sqs_sync_data.snapshot_{number}"
