"""What runs out is told of, and nothing is lost by it."""

import pathlib
import subprocess
import tempfile

import psycopg
import pytest

from support.crashes import Crashes
from support.database import create_database, drop_database
from support.deadline import wait_until
from support.items import BODIES, Items
from support.replay import Replay
from support.running import clusters, destroy, fresh_name, started_cluster


@pytest.fixture
def small_disk():
    """A server whose directory is a file system of 160 MB."""
    directory = tempfile.mkdtemp(prefix="sqs_", dir="/tmp")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", directory], capture_output=True, text=True)
    if mounted.returncode != 0:
        pathlib.Path(directory).rmdir()
        pytest.skip(f"a file system cannot be mounted here: {mounted.stderr.strip()}")
    cluster = started_cluster(directory=directory, shared_preload_libraries="sqs_sync",
                              min_wal_size="32MB", max_wal_size="32MB", shared_buffers="16MB")
    yield cluster
    if cluster.processes():
        cluster.stop("immediate")
    clusters.remove(cluster)
    subprocess.run(["umount", "--lazy", directory], check=True)
    pathlib.Path(directory).rmdir()


def test_a_full_disk_loses_nothing_and_the_next_run_tells_the_rest(small_disk, emulator, queue):
    database = create_database(small_disk, fresh_name("db"), emulator.endpoint)
    items = Items(database.analyst).create().fill(500)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    database.run("items")
    replay, crashes = Replay().apply(queue.drain()), Crashes(database)
    items.fill(2_000, first=1000)
    # Which cannot be compressed.
    database.analyst.execute("UPDATE items SET note = (SELECT string_agg(md5(id || '-' || i), '')"
                             " FROM generate_series(1, 100) i) WHERE id >= 1000")
    database.admin.execute("CHECKPOINT")
    ballast = fill_up(small_disk)

    crashes.steadily(lambda: database.start_run("items"))
    # Either the run has failed, or the server could not write its log and went down.
    full = wait_until(lambda: how_it_ended(database, small_disk), "the disk is felt to be full", 60)
    replay.apply(queue.drain())
    ballast.unlink()
    wait_until(crashes.is_idle, "what was under way has ended", 60)
    last = database.run("items")
    replay.apply(queue.drain())

    assert full == "the server is down" or "53100" in full, full
    assert (last.state, last.in_doubt) == ("succeeded", 0)
    items.connection = database.analyst
    assert replay.rows == items.expected()
    database.close()


def fill_up(cluster):
    """Takes all but a megabyte of the disk."""
    ballast = cluster.directory / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * (1 << 20)):
                pass
        except OSError:
            file.truncate(file.tell() - (1 << 20))
    return ballast


def how_it_ended(database, cluster):
    try:
        run = database.row("SELECT * FROM sqs_sync.runs ORDER BY run_id DESC LIMIT 1")
        return run.finished_at and f"{run.state} {run.sqlstate} {run.error}"
    except psycopg.OperationalError:
        return not cluster.processes() and "the server is down"


def test_a_run_needs_no_connection_that_clients_have_taken(emulator, queue, proxy):
    cluster = started_cluster(shared_preload_libraries="sqs_sync", max_connections="12")
    database = create_database(cluster, fresh_name("db"), proxy.endpoint)
    Items(database.analyst).create().fill(300)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    taken = []
    with pytest.raises(psycopg.OperationalError, match="remaining connection slots|too many clients"):
        while True:
            taken.append(database.connection_of("analyst"))

    run = database.run("items")

    assert (run.state, run.published) == ("succeeded", 300)
    for connection in taken:
        connection.close()
    drop_database(database)
    destroy(cluster)


def test_a_run_for_which_there_is_no_worker_slot_waits_and_says_for_what(emulator, queue):
    # One each is Postgres's own, the launcher's and the worker's.
    cluster = started_cluster(shared_preload_libraries="sqs_sync", max_worker_processes="3")
    database = create_database(cluster, fresh_name("db"), emulator.endpoint)
    Items(database.analyst).create().fill(10)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])

    run_id = database.start_run("items")
    waits_for = wait_until(lambda: database.run_row(run_id).waiting_for, "the run says what it waits for")
    database.admin.execute("ALTER SYSTEM SET max_worker_processes = 20")
    cluster.restart()
    database.connect()

    assert "max_worker_processes" in waits_for
    assert database.wait_for(run_id).state == "succeeded"
    drop_database(database)
    destroy(cluster)
