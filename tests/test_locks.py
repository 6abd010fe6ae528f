"""A transaction that somebody leaves open holds up nobody else's sync, and no run."""

import threading

import psycopg
import pytest

from support.database import call
from support.deadline import wait_until
from support.items import BODIES


@pytest.fixture
def synced(database, items, queue):
    items.fill(100)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    return database


@pytest.fixture
def open_transaction(synced):
    connection = synced.connection_of("analyst")
    connection.execute("BEGIN")
    yield connection
    connection.rollback()
    connection.close()


@pytest.mark.parametrize("statement", [
    "SELECT sqs_sync_pause('items')",
    "SELECT sqs_sync_alter('items', events => '{added}')",
])
def test_a_run_ends_while_its_sync_is_being_altered(synced, open_transaction, statement):
    open_transaction.execute(statement)
    assert synced.run("items").state == "succeeded"


def test_a_run_publishes_while_a_cancel_of_it_is_not_committed(synced, open_transaction, proxy):
    synced.point_at(proxy.endpoint)
    proxy.throttle(requests_a_second=20)
    run_id = synced.start_run("items")
    wait_until(lambda: proxy.requests > 0, "messages are sent")
    open_transaction.execute("SELECT sqs_sync_cancel(%s)", (run_id,))
    proxy.pass_on()
    assert synced.wait_for(run_id).state == "succeeded"


def test_another_sync_runs_while_a_cancel_of_a_queued_run_is_not_committed(synced, open_transaction, queue, proxy):
    synced.create_sync("others", queue.name, model="item_rows", **BODIES["template"])
    synced.admin.execute("ALTER SYSTEM SET sqs_sync.max_runners = 1")
    synced.admin.execute("SELECT pg_reload_conf()")
    try:
        synced.point_at(proxy.endpoint)
        proxy.throttle(requests_a_second=10)
        busy = synced.start_run("others")
        wait_until(lambda: proxy.requests > 0, "a run has the only slot")
        queued = synced.start_run("items")
        wait_until(lambda: synced.run_row(queued).waiting_for, "the other waits for it")
        open_transaction.execute("SELECT sqs_sync_cancel(%s)", (queued,))
        proxy.pass_on()
        assert synced.wait_for(busy).state == "succeeded"
        assert synced.run("others").state == "succeeded"
    finally:
        synced.admin.execute("ALTER SYSTEM RESET sqs_sync.max_runners")
        synced.admin.execute("SELECT pg_reload_conf()")


def test_a_lock_on_the_snapshot_delays_an_acknowledgement_and_loses_none(synced, queue, proxy):
    synced.point_at(proxy.endpoint)
    proxy.delay(200)
    run_id = synced.start_run("items")
    wait_until(lambda: proxy.requests > 0, "messages are sent")
    with synced.admin.transaction():
        (table,) = synced.admin.execute("SELECT 'sqs_sync_data.snapshot_' || sync_id FROM sqs_sync.sync").fetchone()
        synced.admin.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        wait_until(lambda: synced.admin.execute(
            "SELECT count(*) AS n FROM pg_locks WHERE NOT granted").fetchone().n > 0, "the runner waits for the lock")
    assert synced.wait_for(run_id).state == "succeeded"
    assert len(queue.drain()) == 100


@pytest.mark.parametrize("swap", [
    "TRUNCATE plain; INSERT INTO plain TABLE kept",
    "ALTER TABLE plain ALTER name TYPE varchar USING name || ''; ALTER TABLE plain ALTER name TYPE text USING name || ''",
])
def test_a_table_that_is_filled_again_while_the_diff_waits_for_it_announces_nothing(synced, queue, swap):
    """The diff's snapshot, taken before the wait, would see an empty table."""
    synced.admin.execute("CREATE TABLE plain (LIKE items INCLUDING ALL)")
    synced.admin.execute("CREATE TABLE kept AS TABLE items")
    synced.admin.execute("INSERT INTO plain TABLE items")
    synced.admin.execute("ALTER TABLE plain OWNER TO analyst")
    synced.create_sync("plain", queue.name, model="plain", template='{"id": {{row.id}}}')
    assert synced.run("plain").rows_added == 100
    with synced.admin.transaction():
        synced.admin.execute("LOCK TABLE plain")
        run_id = synced.start_run("plain")
        wait_until(lambda: synced.admin.execute(
            "SELECT count(*) AS n FROM pg_locks WHERE NOT granted").fetchone().n > 0, "the diff waits for the table")
        synced.admin.execute(swap)
    run = synced.wait_for(run_id)
    assert (run.state, run.rows_added, run.rows_changed, run.rows_removed) == ("succeeded", 0, 0, 0)


@pytest.fixture
def newcomer(database):
    """Another role, with a transaction that has created the database's first sync."""
    database.admin.execute("GRANT USAGE ON FOREIGN SERVER sqs TO other;"
                           "CREATE USER MAPPING FOR other SERVER sqs OPTIONS (access_key_id 'test', secret_access_key 'test')")
    connection = database.connection_of("other")
    connection.execute("BEGIN")
    call(connection, "sqs_sync_create", name="theirs", model="SELECT 1 AS id", key="id", server="sqs", queue="q", template="1")
    yield connection
    connection.close()


@pytest.mark.parametrize("is_first", [True, False], ids=["the first sync", "a sync of that name"])
def test_a_creation_waits_for_anothers_open_one_in_bounded_time(database, items, newcomer, is_first):
    if not is_first:
        newcomer.execute("COMMIT; BEGIN")
        call(newcomer, "sqs_sync_create", name="items", model="SELECT 1 AS id", key="id", server="sqs", queue="q", template="1")
    database.analyst.execute("SET statement_timeout = '25s'")
    with pytest.raises(psycopg.errors.LockNotAvailable):
        database.create_sync("items", "q", model="items", template="1")


@pytest.mark.parametrize("name, outcome", [("items", None), ("theirs", "42710")])
def test_the_first_two_syncs_can_be_created_at_once(database, items, newcomer, name, outcome):
    refused = []

    def create():
        try:
            database.create_sync(name, "q", model="items", template="1")
        except psycopg.Error as error:
            refused.append(error.sqlstate)

    creation = threading.Thread(target=create)
    creation.start()
    wait_until(lambda: database.admin.execute("SELECT count(*) AS n FROM pg_locks WHERE NOT granted").fetchone().n > 0, "one waits")
    newcomer.execute("COMMIT")
    creation.join(30)
    assert refused == ([outcome] if outcome else [])
