"""sqs_sync_check: what is wrong is a row that says so, never an exception."""

import re

import psycopg
import pytest

from support.attacks import tables_of
from support.database import call, create_database
from support.emulator import Emulator
from support.items import BODIES
from support.permitted import SEND, come_as, keys_of_user
from support.running import destroy, fresh_name, started_cluster


@pytest.fixture
def synced(database, items, queue):
    items.fill(5)
    database.create_sync("items", queue.name, model="items", **BODIES["template"])
    assert database.run("items").state == "succeeded"
    queue.drain()
    return database


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    emulator = Emulator(tmp_path_factory.mktemp("guarded") / "log", AUTH="true").start()
    emulator.create_queue("items")
    yield emulator
    emulator.stop()


def check(database, name="items"):
    rows = database.rows("SELECT * FROM sqs_sync_check(%s)", name)
    assert all(row.detail for row in rows)
    assert all(row.hint for row in rows if row.ok is None)
    return rows


def wrong(database, name="items"):
    return {row.item: row for row in check(database, name) if row.ok is False}


def worth_knowing(database, name="items"):
    return {row.item: row for row in check(database, name) if row.ok is None}


def test_where_all_is_well_every_row_says_so(synced, queue):
    rows = check(synced)
    assert [row for row in rows if not row.ok] == []
    assert [row.item for row in rows] == [
        "privileges", "tables", "model", "columns", "message", "key", "changes", "messages: added",
        "messages: changed", "messages: removed", "region", "credentials", "sqs:ListQueues", f"queue {queue.name}", "worker"]


def test_it_sends_and_changes_nothing_and_works_in_a_read_only_transaction(synced, items, queue):
    items.set_name(1, "new")
    with synced.analyst.transaction():
        synced.analyst.execute("SET TRANSACTION READ ONLY")
        assert [row for row in check(synced) if not row.ok] == []
    assert queue.drain() == []
    assert synced.run("items").published == 1


@pytest.mark.parametrize("damage, item, detail", [
    ("REVOKE USAGE ON FOREIGN SERVER sqs FROM analyst", "privileges", "permission denied for server"),
    ("DROP USER MAPPING FOR analyst SERVER sqs", "privileges", "user mapping of analyst"),
    ("ALTER TABLE {snapshot} ADD CHECK (id > 0)", "tables", "has the constraint"),
    ("TRUNCATE {snapshot}", "tables", "is empty, but should have 5 rows"),
    ("ALTER TABLE items OWNER TO other", "model", "a run would be held: .* belongs to other, not to analyst"),
    ("DROP VIEW item_rows; ALTER TABLE items ALTER amount TYPE text", "model", 'a run would be held: .* type of the model\'s column "amount"'),
    ("ALTER TABLE items RENAME TO gone", "model", "the model public.items does not exist"),
    ("ALTER TABLE items RENAME note TO remark", "message", 'column "note" is not in the model'),
    ("ALTER TABLE items RENAME id TO no", "message", 'column "id" of key does not exist'),
    ("UPDATE sqs_sync.sync SET paused = true", "runs", "paused"),
])
def test_what_would_stop_a_run_is_told(synced, damage, item, detail):
    snapshot, _ = tables_of(synced, "items")
    synced.admin.execute(damage.format(snapshot=snapshot))
    found = [row for row in check(synced) if row.ok is False or row.item == item == "runs"]
    assert [row.item for row in found] == [item]
    assert found[0].hint and re.search(detail, found[0].detail), found[0]


def test_an_error_of_the_model_is_a_row_and_the_transaction_goes_on(database, items, queue):
    items.fill(3)
    database.create_sync("items", queue.name, model="SELECT id, 1 / (id - 4) AS name FROM items", template="1")
    items.fill(4, first=4)
    with database.analyst.transaction():
        database.analyst.execute("CREATE TABLE kept (a integer)")
        assert "division by zero" in wrong(database)["model"].detail
        database.analyst.execute("INSERT INTO kept VALUES (1)")
        assert database.value("SELECT current_user") == "analyst"
        assert database.value("SHOW search_path") == '"$user", public'
    assert database.value("SELECT count(*) FROM kept") == 1


def test_a_check_can_be_made_by_a_function_which_goes_on_after_what_failed(database, items, queue):
    """Each part is a subtransaction of its own, inside that of an exception handler."""
    items.fill(3)
    database.create_sync("items", queue.name, model="SELECT id, 1 / (id - 4) AS name FROM items", template="1")
    items.fill(4, first=4)
    database.analyst.execute("CREATE TEMPORARY TABLE found (item text)")
    database.analyst.execute("""
        DO $$
        DECLARE
          one record;
        BEGIN
          FOR one IN SELECT * FROM sqs_sync_check('items') WHERE NOT ok LOOP
            INSERT INTO found VALUES (one.item);
          END LOOP;
          BEGIN
            PERFORM * FROM sqs_sync_preview('items');
          EXCEPTION WHEN division_by_zero THEN
            INSERT INTO found VALUES ('preview');
          END;
        END $$""")
    assert [row.item for row in database.rows("SELECT item FROM found")] == ["model", "preview"]


def test_tables_that_are_gone_are_told(synced):
    snapshot, _ = tables_of(synced, "items")
    synced.analyst.execute(f"DROP TABLE {snapshot}")
    assert "is missing" in wrong(synced)["tables"].detail


def test_a_held_run_is_told_with_what_to_do(synced):
    synced.analyst.execute("DROP VIEW item_rows; ALTER TABLE items ALTER amount TYPE text")
    run = synced.run("items")
    assert run.state == "held"
    found = wrong(synced)
    assert f"run {run.run_id} is held" in found["runs"].detail and found["runs"].hint == run.hint


@pytest.mark.parametrize("key, code", [
    ("CASE WHEN id < 3 THEN 1 ELSE id END", "duplicate_key"), ("nullif(id, 3)", "null_key"),
    ("CASE id WHEN 3 THEN repeat('x', 3000) ELSE id::text END", "key_too_long")])
def test_keys_are_checked_over_all_rows(database, items, queue, key, code):
    items.fill(5)
    database.create_sync("items", queue.name, model=f"SELECT {key} AS id, name FROM items", template='"{{row.name}}"')
    found = wrong(database)
    assert set(found) == {"key"} and f": {code}: " in found["key"].detail and found["key"].hint


def test_new_and_lost_columns_are_worth_knowing(synced):
    synced.alter_sync("items", template='{"id": {{row.id}}}')
    synced.analyst.execute("DROP VIEW item_rows; ALTER TABLE items ADD extra integer; ALTER TABLE items DROP amount;"
                           " ALTER TABLE items ADD more integer")
    assert wrong(synced) == {}
    assert worth_knowing(synced)["columns"].detail == "extra, more added, amount dropped since the last run"
    assert synced.run("items").state == "succeeded"
    assert worth_knowing(synced) == {}


def test_messages_of_a_sample_are_checked_for_each_event(synced, items):
    call(synced.analyst, "sqs_sync_on", name="items", event="removed", group_id="{{row.name}}")
    found = wrong(synced)
    assert set(found) == {"messages: removed"}
    detail = found["messages: removed"].detail
    assert detail.startswith("not made of 5 of 5 rows of the model, such as {\"id\": ") and "invalid_group_id: the group id holds U+0020" in detail


def test_a_row_that_moves_is_warned_of(synced, emulator):
    emulator.create_queue("area-1")
    synced.analyst.execute("CREATE VIEW areas AS SELECT id, name, 1 AS area, 'g' || id AS team FROM items")
    moves = {"queue": "area-{{row.area}}", "group_id": "{% if event == 'added' %}{{row.team}}{% endif %}"}
    synced.create_sync("areas", moves["queue"], model="areas", template='"x"', group_id=moves["group_id"])
    warned = [row for row in check(synced, "areas") if row.item == "rows that move"]
    assert [(row.ok, row.detail) for row in warned] == [
        (None, "queue comes from area, which is not part of the key"),
        (None, "group_id comes from team, which is not part of the key")]
    synced.create_sync("keyed", moves["queue"], model="areas", key="id, area, team", template='"x"', group_id=moves["group_id"])
    assert "rows that move" not in worth_knowing(synced, "keyed")


def test_queues_that_rows_name_are_looked_for(synced, emulator, items):
    emulator.create_queue("of-1")
    synced.create_sync("routed", "of-{{row.id}}", model="items", template='"x"')
    found = wrong(synced, "routed")
    assert set(found) == {"queue of-2", "queue of-3", "queue of-4", "queue of-5"}
    assert 'queue "of-2" does not exist' in found["queue of-2"].detail


def test_the_queues_own_limits_are_kept(synced, emulator, queue):
    emulator.client().set_queue_attributes(QueueUrl=queue.url, Attributes={"MaximumMessageSize": "1024"})
    synced.analyst.execute("UPDATE items SET note = repeat('x', 2000) WHERE id = 3")
    assert "takes messages of 1024 bytes, and one of the sample has" in wrong(synced)[f"queue {queue.name}"].detail
    fifo = emulator.create_queue("content.fifo")
    synced.alter_sync("items", queue="content.fifo", group_id="all", dedup="content")
    assert "makes no deduplication ids" in wrong(synced)["queue content.fifo"].detail
    emulator.client().set_queue_attributes(QueueUrl=fifo.url, Attributes={"ContentBasedDeduplication": "true"})
    assert wrong(synced) == {}


def test_an_endpoint_that_nobody_answers_at(synced):
    synced.point_at("http://127.0.0.1:9")
    found = wrong(synced)
    assert set(found) == {"region"} and "could not reach" in found["region"].detail and found["region"].hint


def test_the_least_policy_suffices_and_what_is_missing_is_named(synced, guarded):
    synced.point_at(guarded.endpoint)
    synced.alter_sync("items", queue="items")
    come_as(synced, *keys_of_user(guarded, SEND, "sqs:ListQueues"))
    assert wrong(synced) == {} and "queue items" not in worth_knowing(synced)
    come_as(synced, *keys_of_user(guarded, SEND))
    found = wrong(synced)
    assert set(found) == {"sqs:ListQueues", "queue items"} and "Allow sqs:ListQueues" in found["sqs:ListQueues"].hint
    synced.alter_sync("items", queue="arn:aws:sqs:us-east-1:000000000000:items")
    assert wrong(synced) == {}
    assert "cannot be asked about" in worth_knowing(synced)["queue arn:aws:sqs:us-east-1:000000000000:items"].detail
    come_as(synced, "AKIDUNKNOWN", "hush-hush")
    found = check(synced)
    assert [row.item for row in found if row.ok is False] == ["credentials"]
    assert "hush-hush" not in str(found)


def test_an_unknown_sync_is_an_error(database):
    with pytest.raises(psycopg.errors.UndefinedObject):
        check(database, "none")


def test_without_the_launcher_it_is_worth_knowing(emulator):
    """Nothing is preloaded here, so that no worker runs before a run is asked for."""
    cluster = started_cluster()
    try:
        database = create_database(cluster, fresh_name("db"), emulator.endpoint)
        emulator.create_queue("unloaded")
        database.create_sync("one", "unloaded", model="SELECT 1 AS id", template='"x"')
        found = worth_knowing(database, "one")
        assert set(found) == {"worker"} and "no worker runs, and no launcher" in found["worker"].detail
        assert database.run("one").state == "succeeded"
        assert worth_knowing(database, "one") == {}
    finally:
        destroy(cluster)
