"""The server that is measured: a copy of the private Postgres that has the release build, set up
as one would for a machine of this size."""

import contextlib

from support.cluster import MAJOR
from support.database import create_database, drop_database
from support.running import destroy, fresh_name, started_cluster

from harness.machine import memory_gb

NOWHERE = "http://127.0.0.1:1"

QUARTER = max(1, int(memory_gb() / 4))
# Each with the reason that is printed with it. What is not here is Postgres's default.
SETTINGS = {
    "shared_buffers": (f"{QUARTER}GB", "a quarter of the memory, as Postgres's manual advises"),
    "effective_cache_size": (f"{2 * QUARTER}GB", "half of it: the rest is for others"),
    "work_mem": ("64MB", "as servers have it on which queries sort and join millions of rows"),
    "maintenance_work_mem": ("1GB", "indexes of the baselines"),
    "max_wal_size": ("16GB", "no checkpoint falls into one measurement and not into another"),
    "checkpoint_timeout": ("30min", "the same"),
    "random_page_cost": ("1.1", "not a spinning disk"),
    "fsync": ("on", "a commit that is not on the disk is none"),
    "autovacuum": ("on", "as it is everywhere"),
}


@contextlib.contextmanager
def measured_server():
    settings = {name: value for name, (value, _) in SETTINGS.items()}
    cluster = started_cluster(server=f"bench-pg{MAJOR}", shared_preload_libraries="sqs_sync", **settings)
    try:
        yield cluster
    finally:
        destroy(cluster)


@contextlib.contextmanager
def database_on(cluster, endpoint=NOWHERE):
    database = create_database(cluster, fresh_name("bench"), endpoint)
    try:
        yield database
    finally:
        drop_database(database)


def settle_down(database, *tables):
    """What autovacuum and the checkpointer would do sooner or later, done now, so that they do
    not come into one measurement and not into another."""
    for table in tables:
        database.admin.execute(f"VACUUM (ANALYZE) {table}")
    database.admin.execute("CHECKPOINT")
