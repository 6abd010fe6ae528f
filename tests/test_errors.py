"""Each failure ends its run with an error that says what and what to do; once mended, the next
run works, and the worker never notices."""

import pytest

from support.items import BODIES


@pytest.fixture
def synced(database, items, queue):
    items.fill(20)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    assert database.run("items").state == "succeeded"
    queue.drain()
    return database


def fails_once(database, sqlstate, *words):
    """A run fails with such an error, and the worker that saw it is still there."""
    worker = database.processes("worker")
    run = database.run("items")
    assert run.state == "failed"
    assert run.sqlstate == sqlstate
    for word in words:
        assert word in run.error, f"{run.error!r} does not say {word!r}"
    assert run.hint, "the error does not say what to do"
    assert worker == database.processes("worker") != []


def works_again(database, messages, queue):
    run = database.run("items")
    assert (run.state, run.published, run.error) == ("succeeded", messages, None)
    assert len(queue.drain()) == messages


def test_a_model_that_divides_by_zero(synced, queue):
    synced.analyst.execute("CREATE OR REPLACE VIEW item_rows AS SELECT id, name, 1 / amount AS amount, note,"
                           " NULL::text AS message FROM items WHERE amount IS NOT NULL")
    synced.analyst.execute("INSERT INTO items VALUES (100, 'zero', 0, '')")
    fails_once(synced, "22012", "division by zero", "item_rows")
    assert queue.drain() == []

    synced.analyst.execute("CREATE OR REPLACE VIEW item_rows AS SELECT id, name, amount, note, json_build_object("
                           "'id', id, 'name', name, 'amount', amount, 'note', note)::text AS message FROM items")
    works_again(synced, 1, queue)


def test_a_dropped_view(synced, queue):
    definition = synced.value("SELECT pg_get_viewdef('item_rows'::regclass)")
    synced.analyst.execute("DROP VIEW item_rows")
    fails_once(synced, "42P01", "item_rows")

    synced.analyst.execute(f"CREATE VIEW item_rows AS {definition}")
    synced.analyst.execute("UPDATE items SET name = 'changed meanwhile' WHERE id = 3")
    works_again(synced, 1, queue)


def test_a_queue_that_does_not_exist(database, items, queue, emulator):
    items.fill(20)
    missing = f"missing_{queue.name}"
    database.create_sync("items", missing, model="item_rows", **BODIES["template"])
    run = database.run("items")
    assert run.state == "failed" and run.published == 0
    assert missing in run.error and "exist" in run.error and run.hint

    database.alter_sync("items", queue=queue.name)
    works_again(database, 20, queue)


def test_an_endpoint_that_refuses(synced, queue, proxy):
    synced.point_at(proxy.endpoint)
    synced.alter_sync("items", retry_for="1 second")
    synced.analyst.execute("UPDATE items SET name = 'late' WHERE id <= 15")
    proxy.refuse()
    run = synced.run("items")
    assert run.state == "failed" and run.published == 0
    assert f"127.0.0.1:{proxy.port}" in run.error and run.hint

    proxy.pass_on()
    works_again(synced, 15, queue)


def test_a_user_mapping_that_is_gone(synced, queue):
    synced.admin.execute("DROP USER MAPPING FOR analyst SERVER sqs")
    synced.analyst.execute("UPDATE items SET name = 'late' WHERE id = 1")
    run = synced.run("items")
    assert run.state == "failed" and run.hint
    assert "analyst" in run.error and "sqs" in run.error

    synced.admin.execute("CREATE USER MAPPING FOR analyst SERVER sqs"
                         " OPTIONS (access_key_id 'test', secret_access_key 'test')")
    works_again(synced, 1, queue)


def test_a_failing_sync_does_not_stop_another(synced, queue, emulator):
    healthy = emulator.create_queue(f"healthy_{queue.name}")
    synced.create_sync("healthy", healthy.name, model="items", **BODIES["fields"])
    synced.alter_sync("items", queue=f"missing_{queue.name}")
    synced.analyst.execute("UPDATE items SET name = 'changed'")

    failing, working = synced.start_run("items"), synced.start_run("healthy")

    assert synced.wait_for(failing).state == "failed"
    assert synced.wait_for(working).state == "succeeded"
    assert len(healthy.drain()) == 20


def test_a_snapshot_that_somebody_emptied_is_no_backfill(synced, queue):
    (table,) = synced.admin.execute("SELECT 'sqs_sync_data.snapshot_' || sync_id FROM sqs_sync.sync").fetchone()
    synced.admin.execute(f"CREATE TABLE kept AS TABLE {table}")
    synced.admin.execute(f"TRUNCATE {table}")
    fails_once(synced, "55000", table, "empty")
    assert queue.drain() == []
    synced.admin.execute(f"INSERT INTO {table} TABLE kept")
    works_again(synced, 0, queue)


def test_a_snapshot_that_is_gone_is_no_backfill(synced, queue):
    (table,) = synced.admin.execute("SELECT 'sqs_sync_data.snapshot_' || sync_id FROM sqs_sync.sync").fetchone()
    synced.admin.execute(f"DROP TABLE {table}")
    fails_once(synced, "42P01", table)
    assert queue.drain() == []
    synced.analyst.execute("SELECT sqs_sync_drop('items')")


@pytest.mark.parametrize("addition", [
    "CREATE TRIGGER t BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "ALTER TABLE {} ADD CHECK (id < 50)",
    "ALTER TABLE {} ALTER name SET NOT NULL",
    "ALTER TABLE {} SET UNLOGGED",
    "ALTER TABLE {} ENABLE ROW LEVEL SECURITY",
    "CREATE INDEX ON {} (name)",
])
def test_what_is_added_to_the_snapshot_is_found_before_anything_is_sent(synced, queue, items, addition):
    (table,) = synced.admin.execute("SELECT 'sqs_sync_data.snapshot_' || sync_id FROM sqs_sync.sync").fetchone()
    synced.admin.execute(addition.format(table))
    items.set_name(1, "renamed")
    fails_once(synced, "55000", table)
    assert queue.drain() == []


@pytest.mark.parametrize("setting", [
    "default_transaction_read_only = on", "default_transaction_isolation = serializable",
    "session_replication_role = replica", "search_path = nowhere", "statement_timeout = 1",
    "enable_mergejoin = off", "enable_sort = off", "standard_conforming_strings = off",
])
def test_settings_of_a_database_do_not_reach_a_run(synced, items, queue, setting):
    synced.admin.execute(f"ALTER DATABASE {synced.name} SET {setting}")
    (worker,) = synced.processes("worker")
    synced.admin.execute("SELECT pg_terminate_backend(%s)", (worker,))
    items.set_name(1, "renamed")
    works_again(synced, 1, queue)


def test_a_model_that_empties_after_somebody_deleted_rows_of_the_snapshot_is_no_error(synced, queue):
    (table,) = synced.admin.execute("SELECT 'sqs_sync_data.snapshot_' || sync_id FROM sqs_sync.sync").fetchone()
    synced.admin.execute(f"DELETE FROM {table} WHERE id = 1")
    assert synced.run("items").rows_added == 1
    synced.analyst.execute("TRUNCATE items")
    assert synced.run("items").rows_removed == 20
    assert synced.run("items").state == "succeeded"


def test_a_model_that_stays_locked_fails_the_run_with_the_reason(synced):
    with synced.admin.transaction():
        synced.admin.execute("LOCK TABLE items")
        fails_once(synced, "55P03", "item_rows", "lock")


def test_an_emptied_snapshot_is_found_before_what_is_in_doubt_is_sent_again(synced, items, queue, proxy):
    synced.point_at(proxy.endpoint)
    synced.alter_sync("items", retry_for="1 second")
    items.set_name(1, "renamed")
    proxy.cut()
    assert synced.run("items").in_doubt == 1
    proxy.pass_on()
    queue.drain()
    (table,) = synced.admin.execute("SELECT 'sqs_sync_data.snapshot_' || sync_id FROM sqs_sync.sync").fetchone()
    synced.admin.execute(f"TRUNCATE {table}")
    fails_once(synced, "55000", table, "empty")
    assert queue.drain() == []


def test_another_primary_key_on_the_snapshot_is_found_before_anything_is_sent(synced, items, queue):
    (table,) = synced.admin.execute("SELECT 'sqs_sync_data.snapshot_' || sync_id FROM sqs_sync.sync").fetchone()
    constraint = table.split(".")[1] + "_pkey"
    synced.admin.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}, ADD PRIMARY KEY (sqs_sync_hash)")
    items.set_name(1, "renamed")
    fails_once(synced, "55000", table)
    assert queue.drain() == []
