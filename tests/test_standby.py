"""A standby sends nothing; one that was seen streaming goes on when it is promoted, and nothing is lost."""

import psycopg
import pytest

from support.database import Database, create_database
from support.deadline import wait_until
from support.items import BODIES, Items
from support.replay import Replay
from support.running import backup_of, destroy, fresh_name, started_cluster

ROWS = 600
GROUPS = "{{row.id | modulo: 20}}"


@pytest.fixture
def primary():
    cluster = started_cluster(shared_preload_libraries="sqs_sync")
    yield cluster
    destroy(cluster)


@pytest.fixture
def standby(primary):
    # What -R writes, a server whose libpq is of an older major does not understand.
    cluster = backup_of(primary, "-R", shared_preload_libraries="sqs_sync",
                        primary_conninfo=f"host={primary.directory} user=postgres")
    yield cluster.start()
    destroy(cluster)


@pytest.fixture
def told(primary, proxy, queue, fifo):
    """A database with a sync of a standard queue and one of a FIFO queue."""
    database = create_database(primary, fresh_name("db"), proxy.endpoint)
    database.items = Items(database.analyst, seed=5).create().fill(ROWS)
    for name, of, more in (("standard", queue, {}), ("fifo", fifo, {"group_id": GROUPS})):
        database.create_sync(name, of.name, model="item_rows", **more, **BODIES["template"])
        assert database.run(name).published == ROWS
    yield database
    database.close()


def wait_for_the_standby_at_each_commit(primary):
    primary.configure(synchronous_standby_names="*")
    primary.run("pg_ctl", "reload", "-D", primary.data)
    with primary.connect() as postgres:
        wait_until(lambda: postgres.execute(
            "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'").fetchone()[0],
            "the standby is a synchronous one")


def has_seen_it(standby):
    mark = standby.data / "global" / "pgsql_tmp.sqs_sync"
    wait_until(lambda: mark.exists() and "streamed" in mark.read_text(), "the launcher has seen the standby stream")


def promote(standby):
    standby.run("pg_ctl", "promote", "-w", "-D", standby.data)


@pytest.mark.e2e
def test_a_synchronous_standby_that_is_promoted_in_a_run_goes_on_with_it_and_loses_nothing(told, primary, standby, proxy, queue, fifo):
    wait_for_the_standby_at_each_commit(primary)
    has_seen_it(standby)
    consumers = {"standard": Replay().apply(queue.drain()), "fifo": Replay().apply(fifo.drain())}
    told.items.change_at_random(100)
    proxy.delay(20)
    before = proxy.requests
    runs = [told.start_run("standard"), told.start_run("fifo")]
    wait_until(lambda: proxy.requests > before + 20, "both runs are under way")
    told.close()
    primary.kill_postmaster()

    promote(standby)
    promoted = Database(standby, told.name)
    proxy.delay(0)

    for run_id in runs:
        run = promoted.wait_for(run_id)
        assert (run.state, run.in_doubt) == ("succeeded", 0)
    told.items.connection = promoted.analyst
    for name, of in (("standard", queue), ("fifo", fifo)):
        assert consumers[name].apply(of.drain()).rows == told.items.expected()
        assert promoted.run(name).published == 0
    assert consumers["fifo"].duplicates == 0
    told.items.set_name(1, "later")
    assert promoted.run("fifo").published == 1
    assert consumers["fifo"].apply(fifo.drain()).rows == told.items.expected()
    assert "sqs_sync goes on in this database after the promotion" in standby.log.read_text()


@pytest.mark.e2e
def test_nothing_runs_on_a_standby_and_its_functions_say_where(told, standby, queue):
    queue.drain()
    has_seen_it(standby)
    read = Database(standby, told.name)
    told.items.set_name(1, "new")
    told.admin.execute("SELECT sqs_sync_pause('standard')")
    wait_until(lambda: read.value("SELECT state FROM sqs_sync.syncs WHERE name = 'standard'") == "paused", "the standby has replayed it")

    for call in ("sqs_sync_run('fifo')", "sqs_sync_test('fifo')", "sqs_sync_pause('fifo')", "sqs_sync_drop('fifo')", "sqs_sync_take_over()"):
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction) as error:
            read.analyst.execute(f"SELECT {call}")
        assert "this server is a standby" in error.value.diag.message_primary and "primary" in error.value.diag.message_hint
    assert [row.key for row in read.rows("SELECT key FROM sqs_sync_preview('fifo')")] == ['{"id": 1}'], "what is only read can be looked at"
    assert read.processes("worker") == read.processes("runner") == [] and len(read.processes("launcher")) == 1
    assert queue.drain() == []
    read.close()


@pytest.mark.e2e
def test_a_standby_that_was_not_seen_streaming_is_paused_when_it_is_promoted(told, primary, fifo):
    detached = backup_of(primary, "-R", shared_preload_libraries="sqs_sync", primary_conninfo="host=/nowhere")
    try:
        detached.start()
        promote(detached)
        promoted = Database(detached, told.name)
        fifo.drain()
        promoted.analyst.execute("UPDATE items SET name = 'of the copy' WHERE id = 1")
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as error:
            promoted.start_run("fifo")
        assert "was not seen streaming as a standby" in error.value.diag.message_detail
        assert fifo.drain() == []
        promoted.close()
    finally:
        destroy(detached)
