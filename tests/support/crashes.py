"""Ends of a process at a step of a run: the failpoints of src/pg/failpoint.rs."""

import os
import re
import shutil
import time

import psycopg

from support.cluster import ROOT, alive
from support.deadline import wait_until
from support.items import BODIES, Items
from support.replay import Replay

# The process alone; the process, upon which Postgres ends all others and recovers; the server, at once.
# (And "starve": it asks for memory that there is not; "starve_threads": its threads do.)
ACTIONS = ("exit", "kill", "stop")


def failpoints():
    """Every step that the sources name, so that a new one is tested too."""
    sources = "".join(path.read_text() for path in sorted((ROOT / "src").rglob("*.rs")))
    return sorted(set(re.findall(r'failpoint::reach\("(\w+)"\)', sources)))


class Crashes:
    def __init__(self, database):
        self.database = database
        self.cluster = database.cluster
        self.file = self.cluster.data / "sqs_sync.failpoint"

    def run(self, sync, point, action, count=1):
        """A run that meets the end at `point` for the nth time, and goes on until there is nothing more
        to be run; whether it came to it."""
        sessions = self.database.admin, self.database.analyst
        self.wish(point, action, count)
        self.steadily(lambda: self.database.start_run(sync))
        wait_until(lambda: not self.file.exists() or self.is_idle(), f"the run has come to {point}", 60)
        reached = not self.withdraw()
        if reached and action in ("kill", "stop"):
            wait_until(lambda: not any(map(alive, sessions)), "the server has noticed", 60)
        wait_until(self.is_idle, f"runs have ended after {action} at {point}", 120)
        return reached

    def wish(self, point, action, count):
        # Made whole before it has its name: a process may look at any moment.
        new = self.file.with_suffix(".new")
        new.write_text(f"{point} {action} {count}")
        if os.getuid() == 0:
            shutil.chown(new, "postgres", "postgres")
        new.rename(self.file)

    def withdraw(self):
        """Whether nobody has taken the wish: who removes the file has it."""
        try:
            self.file.unlink()
        except FileNotFoundError:
            return False
        return True

    def is_idle(self):
        return self.steadily(lambda: self.database.value(
            "SELECT NOT EXISTS (SELECT 1 FROM sqs_sync.runs WHERE finished_at IS NULL)"))

    def steadily(self, work, seconds=60):
        """What `work` returns, once the server is there; it is started if it is not."""
        end = time.monotonic() + seconds
        while True:
            try:
                return work()
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                self.revive()

    def revive(self):
        if not self.cluster.processes():
            self.cluster.start()
        try:
            self.database.connect()
        except psycopg.OperationalError:
            time.sleep(0.05)


class Scene:
    """A sync of items to a FIFO queue, some of whose deduplication ids are the user's own."""

    def __init__(self, database, queue):
        self.database, self.queue = database, queue
        self.replay, self.crashes = Replay(), Crashes(database)
        self.items = Items(database.analyst, seed=7).create().fill(200)
        database.create_sync("items", queue.name, model="item_rows", group_id="{{row.id | modulo: 7}}",
                             **BODIES["template"])
        database.analyst.execute("SELECT sqs_sync_on('items', 'changed', dedup_id => 'own-{{change.id}}')")
        database.run("items")
        self.replay.apply(queue.drain())

    def change(self, count=5):
        self.items.connection = self.database.analyst
        self.items.change_at_random(count)

    def check_all_is_told_once(self):
        self.items.connection = self.database.analyst
        before = self.replay.duplicates, self.replay.needless
        self.replay.apply(self.queue.drain())
        last = self.database.row("SELECT * FROM sqs_sync.runs ORDER BY run_id DESC LIMIT 1")
        assert (last.state, last.rejected, last.in_doubt) == ("succeeded", 0, 0), last.error
        assert self.replay.rows == self.items.expected()
        assert (self.replay.duplicates, self.replay.needless) == before, "nothing more is told twice"
