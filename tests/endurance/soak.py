"""Random writes, faults and kills for some minutes: `make soak MINUTES=30`."""

import pathlib
import sys
import tempfile

from support.database import create_database
from support.running import destroy, fresh_name, started_cluster
from support.soak import Soak, figures, lost


def main(minutes):
    with tempfile.TemporaryDirectory() as directory:
        cluster = started_cluster(shared_preload_libraries="sqs_sync", fsync="on")
        try:
            soak = Soak(create_database(cluster, fresh_name("db"), "http://127.0.0.1:9"), pathlib.Path(directory))
            soak.go_on(minutes * 60)
            print(f"{minutes:g} minutes")
            print(figures(soak))
            expected, fifo = soak.expected(), soak.told("FIFO")
            is_good = not lost(soak.told("standard"), expected) and not lost(fifo, expected)
            soak.close()
        finally:
            destroy(cluster)
    sys.exit(not (is_good and (fifo.duplicates, fifo.needless, fifo.late) == (0, 0, 0)))


if __name__ == "__main__":
    main(float(sys.argv[1]))
