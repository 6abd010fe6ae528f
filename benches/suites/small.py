"""Runs in which there is little to do: what a sync costs that is run every minute."""

from harness import models
from harness.baselines import hash_pass
from harness.publishing import measured_sink
from harness.report import Times, short
from harness.server import database_on, settle_down
from harness.syncs import QUEUE, timed_run, told_sync

ROUNDS = 7
CHANGES = 100

NOTHING = "nothing to do"
SOME = f"{CHANGES} changes"
HASH = "one hash pass over the model"


def measure(cluster, report, scale):
    for rows in (1_000_000, 5_000_000):
        measure_one(cluster, report, scale(rows))


def measure_one(cluster, report, rows):
    report.title(f"Small runs over {rows:,} rows")
    model, times = models.CUSTOMERS, Times()
    with measured_sink() as sink, database_on(cluster, sink.endpoint) as database:
        sink.create_queue(QUEUE)
        model.make(database, rows)
        settle_down(database, model.table)
        told_sync(database, model, rows)
        for turn in range(ROUNDS + 1):
            taken = times if turn else Times()
            taken.add(NOTHING, timed_run(database, "ours", found=0).seconds)
            changed = model.change_one_in(database, max(1, rows // CHANGES), turn)
            taken.add(SOME, timed_run(database, "ours", found=changed).seconds)
            taken.add(HASH, hash_pass(database, model))
    report.say("From the call of sqs_sync_run until the run has succeeded.")
    times.show(report)
    for contestant, what in ((NOTHING, "nothing"), (SOME, "changes")):
        report.figure(f"small_{short(rows)}_{what}_vs_hash_pass", times.times_as_fast(contestant, HASH))
