"""sqs_sync_preview: what a run would send, by the code that a run sends by, and nothing is changed."""

import json

import psycopg
import pytest

from support.attacks import tables_of
from support.database import call
from support.deadline import wait_until
from support.items import BODIES, TEMPLATE


@pytest.fixture
def synced(database, items, queue):
    """Five rows, all told."""
    items.fill(5)
    database.create_sync("items", queue.name, model="items", **BODIES["template"])
    assert database.run("items").state == "succeeded"
    queue.drain()
    return database


def preview(connection, name="items", count=20):
    return connection.execute("SELECT * FROM sqs_sync_preview(%s, %s)", (name, count)).fetchall()


def short(rows):
    return [(row.event, json.loads(row.key)["id"]) for row in rows]


def everything(database, name="items"):
    """All that a look must not change."""
    catalog = [database.admin.execute(f"SELECT * FROM sqs_sync.{table} ORDER BY 1").fetchall()
               for table in ("sync", "position", "run", "rejection", "definition", "waiting")]
    snapshot, changes = tables_of(database, name)
    return catalog + [database.admin.execute(f"SELECT ctid, xmin, * FROM {table} ORDER BY 1").fetchall()
                      for table in (snapshot, changes)]


def sent(message):
    """A message in the terms of a preview; a change id and what is made of it is the run's."""
    attributes = {name: {"type": message.types[name], "value": value}
                  for name, value in message.attributes.items()}
    return message.body, attributes, message.group_id


def shown(row):
    attributes = row.attributes or {}
    return row.body, attributes, row.group_id


def test_a_preview_is_exactly_what_the_run_then_sends(synced, items, queue):
    items.fill(8, first=6)
    items.set_name(2, 'a "quoted" one')
    synced.analyst.execute("DELETE FROM items WHERE id = 3")
    rows = preview(synced.analyst)
    assert sorted(short(rows)) == [("added", 6), ("added", 7), ("added", 8), ("changed", 2), ("removed", 3)]
    assert queue.drain() == []
    assert synced.run("items").state == "succeeded"
    assert sorted(map(shown, rows), key=str) == sorted(map(sent, queue.drain()), key=str)
    assert preview(synced.analyst) == []


def test_row_and_old_are_what_was_and_is(synced, items):
    items.set_name(2, "new")
    synced.analyst.execute("DELETE FROM items WHERE id = 3; INSERT INTO items VALUES (9, 'nine', 1.50, '')")
    by_event = {row.event: row for row in preview(synced.analyst)}
    assert (by_event["changed"].row["name"], by_event["changed"].old["name"]) == ("new", "item 2")
    assert by_event["added"].row == {"id": 9, "name": "nine", "amount": 1.5, "note": ""}
    assert by_event["added"].old is None
    assert by_event["removed"].row == by_event["removed"].old == {"id": 3, "name": "item 3", "amount": 3.75, "note": "note 3"}
    assert synced.value("SELECT \"row\"->>'amount' FROM sqs_sync_preview('items') WHERE event = 'added'") == "1.50"


def test_bytes_are_counted_as_sqs_counts_them(synced, items):
    items.set_name(1, "né")
    (row,) = preview(synced.analyst)
    attributes = sum(len(name) + len(a["type"]) + len(a["value"]) for name, a in row.attributes.items())
    assert row.bytes == len(row.body.encode()) + attributes


def test_a_preview_changes_nothing(synced, items, queue):
    items.set_name(1, "new")
    before = everything(synced)
    preview(synced.analyst)
    synced.analyst.execute("SELECT * FROM sqs_sync_render('items', '1')").fetchall()
    synced.analyst.execute("SELECT * FROM sqs_sync_explain('items')").fetchall()
    synced.analyst.execute("SELECT * FROM sqs_sync_check('items')").fetchall()
    assert everything(synced) == before
    assert queue.drain() == []


def test_an_edit_is_previewed_before_it_is_made(synced, queue):
    """Inside the caller's own transaction, which then is rolled back."""
    with synced.analyst.transaction(force_rollback=True):
        synced.analyst.execute("UPDATE items SET name = 'perhaps' WHERE id IN (1, 2); DELETE FROM items WHERE id = 3")
        assert sorted(short(preview(synced.analyst))) == [("changed", 1), ("changed", 2), ("removed", 3)]
        # No transaction sees it but this one.
        with synced.connection_of("analyst") as another:
            assert preview(another) == []
    assert preview(synced.analyst) == []
    assert synced.run("items").published == 0


def test_a_preview_works_in_a_read_only_transaction_and_takes_no_transaction_id(synced, items):
    items.set_name(1, "new")
    for isolation in ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"):
        with synced.analyst.transaction():
            synced.analyst.execute(f"SET TRANSACTION READ ONLY, ISOLATION LEVEL {isolation}")
            assert short(preview(synced.analyst)) == [("changed", 1)]
            assert synced.value("SELECT pg_current_xact_id_if_assigned()") is None


def test_no_lock_is_kept_but_those_of_a_select(synced, items):
    items.set_name(1, "new")
    with synced.analyst.transaction():
        preview(synced.analyst)
        modes = {row[0] for row in synced.admin.execute(
            "SELECT mode FROM pg_locks WHERE pid = %s AND locktype = 'relation'", (synced.analyst.info.backend_pid,))}
        assert modes == {"AccessShareLock"}
        # A run goes through while the transaction is open.
        with synced.connection_of("analyst") as another:
            another.execute("CALL sqs_sync_run_and_wait('items')")
            assert another.execute("SELECT state FROM sqs_sync.runs ORDER BY run_id DESC LIMIT 1").fetchone() == ("succeeded",)


def test_no_more_is_shown_than_asked_for(synced, items):
    items.fill(55, first=6)
    assert len(preview(synced.analyst, count=7)) == 7
    assert len(synced.rows("SELECT * FROM sqs_sync_preview('items')")) == 20
    assert len(preview(synced.analyst, count=1000)) == 50
    assert preview(synced.analyst, count=0) == []


def test_the_order_is_that_of_the_run(synced, items):
    synced.alter_sync("items", order_by="amount desc nulls last, id")
    synced.analyst.execute("UPDATE items SET amount = id % 3 WHERE id <> 4; DELETE FROM items WHERE id = 4")
    rows = preview(synced.analyst)
    run = synced.run("items")
    assert run.published == len(rows) == 5
    order = [json.loads(row.key)["id"] for row in rows]
    assert order == [4, 2, 5, 1, 3]


def test_what_is_not_published_is_not_shown(synced, items):
    synced.alter_sync("items", events="{added}")
    items.set_name(1, "new")
    items.fill(6, first=6)
    assert short(preview(synced.analyst)) == [("added", 6)]


def test_what_a_condition_leaves_out_is_not_shown(synced, items, queue):
    """It sees the row, and what was told of it, under the time zone of the model."""
    call(synced.analyst, "sqs_sync_on", name="items", event="changed", condition="old.note <> note AND id <> 3")
    call(synced.analyst, "sqs_sync_on", name="items", event="removed", condition="id > 4")
    synced.analyst.execute("UPDATE items SET note = 'x' WHERE id IN (1, 3); UPDATE items SET name = 'y' WHERE id = 2; DELETE FROM items WHERE id > 3")
    rows = preview(synced.analyst)
    assert sorted(short(rows)) == [("changed", 1), ("removed", 5)]
    assert len(preview(synced.analyst, count=1)) == 1
    assert synced.run("items").published == 2
    assert sorted(message.body for message in queue.drain()) == sorted(row.body for row in rows)


def test_a_condition_that_fails_says_so(synced, items):
    call(synced.analyst, "sqs_sync_on", name="items", event="changed", condition="1 / (id - 2) = 0")
    items.set_name(2, "new")
    with pytest.raises(psycopg.errors.DivisionByZero, match='sync "items": condition: division by zero'):
        preview(synced.analyst)


def test_only_what_is_compared_makes_a_row_changed(synced, items):
    """Other columns than before are compared from the next run on, which hashes anew: so does the preview."""
    items.set_name(1, "new")
    synced.analyst.execute("UPDATE items SET note = 'x' WHERE id = 2")
    synced.alter_sync("items", compare="* except name")
    assert short(preview(synced.analyst)) == [("changed", 2)]
    run = synced.run("items")
    assert (run.published, preview(synced.analyst)) == (1, [])
    items.set_name(3, "new")
    synced.alter_sync("items", compare="name")
    rows = short(preview(synced.analyst))
    assert synced.run("items").rows_changed == len(rows)
    assert ("changed", 3) in rows


def test_a_later_message_with_the_same_deduplication_id_would_be_suppressed(synced, items, queue, emulator):
    fifo = emulator.create_queue("twins.fifo")
    synced.alter_sync("items", queue=fifo.name, group_id="all", dedup_id="{{row.note}}", order_by="id")
    synced.analyst.execute("UPDATE items SET note = 'same' WHERE id IN (2, 3, 4)")
    rows = preview(synced.analyst)
    assert [(row.dedup_id, row.problem is None) for row in rows] == [("same", True), (None, False), (None, False)]
    assert synced.run("items").rejected == 2
    (first, second) = synced.rejections("items")
    assert {row.problem for row in rows if row.problem} == {f"{first.code}: {first.reason}"}
    assert {row.key for row in rows if row.problem} == {first.key, second.key}


def test_a_first_run_that_skips_would_send_nothing(database, items, queue):
    items.fill(3)
    database.create_sync("items", queue.name, model="items", template=TEMPLATE, initial="skip")
    assert preview(database.analyst) == []
    database.run("items")
    items.set_name(1, "new")
    assert short(preview(database.analyst)) == [("changed", 1)]


def test_each_event_shows_its_own_message(synced, items, queue):
    call(synced.analyst, "sqs_sync_on", name="items", event="removed", queue="gone.fifo", group_id="{{row.id}}",
         fields='{"gone": "id"}', attributes='{"n": {"type": "Number", "value": "{{row.id}}"}, "b": {"type": "Binary", "value": "{{row.name}}"}}')
    synced.analyst.execute("DELETE FROM items WHERE id = 3; UPDATE items SET name = 'x' WHERE id = 1")
    removed, changed = sorted(preview(synced.analyst), key=lambda row: row.event, reverse=True)
    assert (removed.queue, removed.group_id, removed.body, removed.dedup_id) == ("gone.fifo", "3", '{"gone":3}', "at run")
    assert removed.attributes == {"n": {"type": "Number", "value": "3"}, "b": {"type": "Binary", "value": "\\x6974656d2033"}}
    assert (changed.queue, changed.group_id, changed.dedup_id) == (queue.name, None, None)


@pytest.mark.parametrize("dedup_id, shown", [("{{row.name}}", "new"), ("{{change.id}}", "at run"), ("x{{change.id}}y", "at run")])
def test_a_deduplication_id_is_shown_unless_the_run_makes_it(synced, items, dedup_id, shown):
    synced.alter_sync("items", queue="other.fifo", group_id="all", dedup_id=dedup_id)
    items.set_name(1, "new")
    assert [row.dedup_id for row in preview(synced.analyst)] == [shown]


def test_delays_are_shown(synced, items):
    synced.alter_sync("items", delay_seconds="{{row.id}}")
    items.set_name(4, "new")
    assert [row.delay_seconds for row in preview(synced.analyst)] == [4]


def test_a_row_that_makes_no_message_shows_why(synced, items):
    synced.alter_sync("items", group_id="{{row.name}}")
    items.set_name(1, "two words")
    (row,) = preview(synced.analyst)
    assert row.problem.startswith("invalid_group_id: ") and row.hint
    assert (row.queue, row.body, row.bytes) == (None, None, None)
    assert row.row["name"] == "two words"
    run = synced.run("items")
    (rejection,) = synced.rejections("items")
    assert run.rejected == 1
    assert row.problem == f"{rejection.code}: {rejection.reason}"
    assert (row.hint, row.key, row.event) == (rejection.hint, rejection.key, rejection.event)


def test_rows_that_are_rejected_for_their_key_are_shown_as_the_run_rejects_them(database, items, queue):
    items.fill(6)
    database.analyst.execute("""CREATE VIEW keyed AS SELECT CASE id WHEN 1 THEN NULL WHEN 2 THEN 'x' WHEN 3 THEN 'x'
        WHEN 4 THEN repeat('y', 3000) ELSE id::text END AS id, name FROM items""")
    database.create_sync("items", queue.name, model="keyed", template='"{{row.name}}"')
    rows = [row for row in preview(database.analyst) if row.problem]
    assert database.run("items").state == "partly_failed"
    recorded = {(r.key, f"{r.code}: {r.reason}", r.hint, r.event) for r in database.rejections("items")}
    assert {(row.key, row.problem, row.hint, row.event) for row in rows} == recorded
    assert len(rows) == 3


# In doubt --------------------------------------------------------------------------------

def doubtful(database, items, proxy, name="doubtful"):
    """A change that was sent and never acknowledged."""
    database.point_at(proxy.endpoint)
    database.alter_sync("items", retry_for="0 seconds")
    proxy.cut()
    items.set_name(1, name)
    assert database.run("items").in_doubt == 1
    proxy.pass_on()


def test_changes_in_doubt_come_first_as_they_were_sent(synced, items, queue, proxy):
    doubtful(synced, items, proxy)
    queue.drain()
    items.set_name(2, "later")
    synced.alter_sync("items", template='"another {{row.name}}"')
    again, changed = preview(synced.analyst)
    assert (again.event, json.loads(again.key)) == ("resend", {"id": 1})
    assert json.loads(again.body)["name"] == "doubtful"
    assert again.change_id and changed.change_id is None
    assert (changed.event, changed.body) == ("changed", '"another later"')
    assert again.old["name"] == "item 1"
    assert synced.run("items").state == "succeeded"
    assert sorted(message.body for message in queue.drain()) == sorted([again.body, changed.body])


def test_what_is_in_doubt_counts_as_told_when_the_rest_is_compared(synced, items, queue, proxy):
    """A to B in doubt, then back to A: the run sends B again, and then A."""
    doubtful(synced, items, proxy)
    queue.drain()
    assert [row.event for row in preview(synced.analyst)] == ["resend"]
    items.set_name(1, "item 1")
    again, back = preview(synced.analyst)
    assert [again.event, back.event] == ["resend", "changed"]
    assert (back.old["name"], back.row["name"]) == ("doubtful", "item 1")
    assert synced.run("items").published == 2
    assert [message.body for message in queue.drain()] == [again.body, back.body]


@pytest.mark.parametrize("event", ["added", "removed"])
def test_an_added_and_a_removed_row_in_doubt_are_told_too(synced, items, queue, proxy, event):
    synced.point_at(proxy.endpoint)
    synced.alter_sync("items", retry_for="0 seconds")
    proxy.cut()
    synced.analyst.execute("INSERT INTO items VALUES (9, 'nine', 1, '')" if event == "added" else "DELETE FROM items WHERE id = 3")
    assert synced.run("items").in_doubt == 1
    proxy.pass_on()
    assert [row.event for row in preview(synced.analyst)] == ["resend"]
    synced.analyst.execute("DELETE FROM items WHERE id = 9" if event == "added" else "INSERT INTO items VALUES (3, 'back', 1, '')")
    rows = preview(synced.analyst)
    assert [row.event for row in rows] == ["resend", "removed" if event == "added" else "added"]
    queue.drain()
    assert synced.run("items").published == 2
    assert [message.body for message in queue.drain()] == [row.body for row in rows]


# Models whose columns change -------------------------------------------------------------

def columns_of(database):
    snapshot, _ = tables_of(database, "items")
    return [row[0] for row in database.admin.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", (snapshot,))]


@pytest.mark.parametrize("change", [
    "ALTER TABLE items ADD COLUMN extra text DEFAULT 'more'",
    "ALTER TABLE items DROP COLUMN amount",
    "ALTER TABLE items RENAME COLUMN amount TO cost",
])
def test_changed_columns_are_adopted_in_the_preview_as_in_the_run(synced, items, queue, change):
    synced.alter_sync("items", template='{"id": {{row.id}}, "name": "{{row.name}}", "was": "{{old.name}}"}')
    items.set_name(2, "new")
    synced.analyst.execute("DROP VIEW item_rows")
    synced.analyst.execute(change)
    synced.analyst.execute("DELETE FROM items WHERE id = 3; INSERT INTO items (id, name, note) VALUES (7, 'seven', '')")
    before = columns_of(synced)
    rows = preview(synced.analyst)
    assert sorted(short(rows)) == [("added", 7), ("changed", 2), ("removed", 3)]
    assert columns_of(synced) == before
    run = synced.run("items")
    assert (run.state, run.published, run.rows_changed) == ("succeeded", 3, 1)
    assert sorted(m.body for m in queue.drain()) == sorted(row.body for row in rows)


def test_changed_columns_and_changes_in_doubt_together(synced, items, queue, proxy):
    doubtful(synced, items, proxy)
    queue.drain()
    synced.analyst.execute("ALTER TABLE items RENAME COLUMN note TO remark")
    synced.alter_sync("items", reset="{attributes}")
    with pytest.raises(psycopg.errors.UndefinedColumn):
        preview(synced.analyst)
    synced.analyst.execute("ALTER TABLE items RENAME COLUMN remark TO note; ALTER TABLE items ADD COLUMN extra integer")
    items.set_name(2, "new")
    assert [row.event for row in preview(synced.analyst)] == ["resend", "changed"]
    assert synced.run("items").published == 2


def test_a_retyped_column_says_that_a_run_would_be_held(synced):
    synced.analyst.execute("DROP VIEW item_rows; ALTER TABLE items ALTER COLUMN amount TYPE text")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match='a run would be held: sync "items": the type of the model\'s column "amount"'):
        preview(synced.analyst)
    assert synced.run("items").state == "held"


def test_another_owner_says_that_a_run_would_be_held(synced):
    synced.admin.execute("ALTER TABLE items OWNER TO other")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="a run would be held: .*belongs to other"):
        preview(synced.admin)


def test_an_emptied_snapshot_is_no_backfill(synced):
    snapshot, _ = tables_of(synced, "items")
    synced.analyst.execute(f"TRUNCATE {snapshot}")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="is empty, but should have 5 rows"):
        preview(synced.analyst)


def test_a_snapshot_that_is_gone_is_no_backfill(synced):
    snapshot, _ = tables_of(synced, "items")
    synced.analyst.execute(f"DROP TABLE {snapshot}")
    with pytest.raises(psycopg.errors.UndefinedTable, match="is missing"):
        preview(synced.analyst)


def test_an_error_of_the_model_says_which_model(synced, items, queue):
    synced.create_sync("broken", queue.name, model="SELECT id, 1 / (id - 6) AS name FROM items", template="1")
    items.fill(6, first=6)
    with pytest.raises(psycopg.errors.DivisionByZero, match='model sqs_sync_data.model_.* of sync "broken": division by zero'):
        preview(synced.analyst, "broken")


@pytest.mark.parametrize("count, message", [(-1, "count is negative"), (None, "count is not given")])
def test_a_bad_count_is_refused(synced, count, message):
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=message):
        preview(synced.analyst, count=count)


def test_an_unknown_sync_is_refused(database):
    with pytest.raises(psycopg.errors.UndefinedObject):
        preview(database.analyst, "nobody's")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="name is not given"):
        preview(database.analyst, None)


def test_while_a_run_publishes_what_it_has_handed_over_is_shown_as_in_doubt(synced, items, proxy):
    synced.point_at(proxy.endpoint)
    proxy.delay(3000)
    items.set_name(1, "on its way")
    run_id = synced.start_run("items")
    wait_until(lambda: synced.run_row(run_id).state == "publishing" and [r.event for r in preview(synced.analyst)] == ["resend"],
               "the change was handed over")
    proxy.pass_on()
    assert synced.wait_for(run_id).state == "succeeded"
    assert preview(synced.analyst) == []


def test_the_model_runs_under_its_creators_time_zone_and_values_are_shown_in_utc(database, queue):
    database.analyst.execute("SET TimeZone = 'Asia/Tokyo'")
    database.create_sync("zoned", queue.name, key="id", template='{"day": "{{row.day}}", "at": "{{row.at}}"}',
                         model="SELECT at AS id, at, at::date AS day FROM (VALUES ('2024-01-01 20:00+00'::timestamptz)) v (at)")
    database.analyst.execute("SET TimeZone = 'America/New_York'")
    (row,) = preview(database.analyst, "zoned")
    one = database.row("SELECT * FROM sqs_sync_render('zoned', %s)", row.key)
    database.run("zoned")
    (message,) = queue.drain()
    assert message.body == row.body == one.body == '{"day": "2024-01-02", "at": "2024-01-01T20:00:00Z"}'
    assert one.key == row.key
