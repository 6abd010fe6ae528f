"""Random writes on a model, while queues fail without pause and everything is killed now and then: what a
consumer ends with afterwards is the model."""

import collections
import json
import os
import random
import signal
import time
import types

from support.crashes import Crashes
from support.items import BODIES, Items
from support.replay import Replay
from support.running import fresh_name
from support.sink import Sink

# Of requests or entries, each while it is on: see the sink's settings.
FAULTS = {
    "throttled_share": 0.1,
    "failed_share": 0.1,
    "missing_share": 0.1,
    "cut_share": 0.1,
    "reset_before_share": 0.1,
    "reset_after_share": 0.1,
    "unavailable_share": 0.1,
    "hang_share": 0.01,
}
# How often each is done, against the others.
ACTS = {"write": 40, "run": 40, "faults": 10, "kill_runner": 4, "kill_worker": 1, "kill_sink": 2,
        "kill_server": 1, "stop_server": 1}


class Soak:
    def __init__(self, database, directory, seed=1):
        self.database, self.chance = database, random.Random(seed)
        self.crashes = Crashes(database)
        self.journal = directory / "journal"
        self.sink = Sink(directory / "sink.log", journal=self.journal).start()
        database.point_at(self.sink.endpoint)
        self.queues = {"standard": self.sink.create_queue(fresh_name("queue")),
                       "FIFO": self.sink.create_queue(fresh_name("queue") + ".fifo")}
        self.items = Items(database.analyst, seed).create().fill(500)
        body = BODIES["template"]
        database.create_sync("standard", self.queues["standard"], model="item_rows", **body)
        database.create_sync("FIFO", self.queues["FIFO"], model="item_rows",
                             group_id="{{row.id | modulo: 50}}", **body)
        self.done = collections.Counter()

    def go_on(self, seconds):
        """Until the time has passed; then all that is left is told."""
        end = time.monotonic() + seconds
        acts, weights = list(ACTS), list(ACTS.values())
        while time.monotonic() < end:
            act = self.chance.choices(acts, weights)[0]
            getattr(self, act)()
            self.done[act] += 1
            time.sleep(self.chance.random() * 0.05)
        self.sink.set(**dict.fromkeys(FAULTS))
        for sync in self.queues:
            self.tell_the_rest(sync)
        return self

    def write(self):
        self.attempt(lambda: self.items.change_at_random(self.chance.randrange(1, 20)))

    def run(self):
        sync = self.chance.choice(list(self.queues))
        self.attempt(lambda: self.database.start_run(sync))

    def faults(self):
        """Some of all, for now."""
        on = self.chance.sample(list(FAULTS), self.chance.randrange(len(FAULTS) + 1))
        self.sink.set(seed=self.chance.randrange(1000), latency_ms=self.chance.choice([0, 5, 50]),
                      **{fault: share if fault in on else None for fault, share in FAULTS.items()})

    def kill_runner(self):
        self.kill("runner")

    def kill_worker(self):
        self.kill("worker")

    def kill(self, kind):
        # One that has ended by then brings nothing down.
        for pid in self.attempt(lambda: self.database.processes(kind)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def kill_sink(self):
        self.sink.kill()
        time.sleep(self.chance.random())
        self.sink.start_again()
        for name in self.queues.values():
            self.sink.create_queue(name)
        self.faults()

    def kill_server(self):
        self.database.cluster.kill_postmaster()
        self.crashes.revive()

    def stop_server(self):
        self.database.cluster.stop("immediate")
        self.crashes.revive()

    def attempt(self, work):
        """What a client would do: the server may be down for a moment."""
        def with_live_connection():
            self.items.connection = self.database.analyst
            return work()
        return self.crashes.steadily(with_live_connection)

    def tell_the_rest(self, sync):
        """Runs until there is nothing more to tell."""
        end = time.monotonic() + 300
        while True:
            run = self.attempt(lambda: self.database.run(sync))
            if (run.state, run.published, run.in_doubt) == ("succeeded", 0, 0):
                return
            assert time.monotonic() < end, f"{sync}: {run}"

    def told(self, kind):
        """What a consumer of that queue knows, who reads what the sink has written down."""
        replay, queue = Replay(), self.queues[kind]
        with self.journal.open() as lines:
            replay.apply(message for line in lines if (message := delivered(json.loads(line), queue)))
        return replay

    def expected(self):
        self.items.connection = self.database.analyst
        return self.items.expected()

    def close(self):
        self.sink.stop()


def delivered(line, queue):
    if line["queue"] != queue:
        return None
    attributes = {name: value["StringValue"] for name, value in line["attributes"].items()}
    return types.SimpleNamespace(body=line["body"], attributes=attributes)


def lost(replay, expected):
    """Rows that a consumer knows otherwise than the model."""
    return sum(replay.rows.get(key) != expected.get(key) for key in replay.rows.keys() | expected.keys())


def figures(soak):
    expected = soak.expected()
    acts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in sorted(soak.done.items()))
    lines = [f"acts: {acts}"]
    for kind in soak.queues:
        replay = soak.told(kind)
        lines.append(f"{kind:<8} messages {replay.received}, duplicates {replay.duplicates + replay.needless}, "
                     f"out of order {replay.late}, lost {lost(replay, expected)}")
    return "\n".join(lines)
