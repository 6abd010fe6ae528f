"""Ends runs at random steps, in random ways, N times: `make crash N=2000`."""

import collections
import pathlib
import random
import sys
import tempfile
import time

from support.crashes import ACTIONS, Scene, failpoints
from support.database import create_database
from support.emulator import Emulator
from support.running import destroy, fresh_name, started_cluster


def main(times):
    seed = time.time_ns()
    print(f"seed {seed}", flush=True)
    chance, points, ends = random.Random(seed), failpoints(), collections.Counter()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        emulator = Emulator(pathlib.Path(directory) / "log").start()
        cluster = started_cluster(shared_preload_libraries="sqs_sync", fsync="on")
        try:
            database = create_database(cluster, fresh_name("db"), emulator.endpoint)
            scene = Scene(database, emulator.create_queue(fresh_name("queue") + ".fifo"))
            while ends.total() < times:
                point, action = chance.choice(points), chance.choice(ACTIONS)
                scene.change(chance.randrange(1, 40))
                reached = scene.crashes.run("items", point, action, count=chance.randrange(1, 4))
                scene.check_all_is_told_once()
                ends[action] += reached
                if reached and ends.total() % 100 == 0:
                    tell(ends, scene, begun)
        finally:
            destroy(cluster)
            emulator.stop()
    tell(ends, scene, begun)


def tell(ends, scene, begun):
    replay = scene.replay
    print(f"{ends.total()} ends of a run ({', '.join(f'{count} by {action}' for action, count in sorted(ends.items()))}) "
          f"in {time.monotonic() - begun:.0f} s: {replay.received} messages, "
          f"{replay.duplicates + replay.needless} duplicates, 0 lost", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
