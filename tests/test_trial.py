"""sqs_sync_test: one real message, SQS's answer, and nothing else; and sqs_sync_render of one row."""

import json

import psycopg
import pytest

from support.attacks import tables_of
from support.emulator import Emulator
from support.items import BODIES
from support.permitted import SEND, come_as, keys_of_user


@pytest.fixture
def synced(database, items, queue):
    """Five rows, of which the queue has been told."""
    items.fill(5)
    database.create_sync("items", queue.name, model="items", **BODIES["template"])
    assert database.run("items").state == "succeeded"
    queue.drain()
    return database


def try_it(database, *arguments):
    return database.row(f"SELECT * FROM sqs_sync_test({', '.join(['%s'] * (1 + len(arguments)))})", "items", *arguments)


def render(database, *arguments, name="items"):
    return database.row(f"SELECT * FROM sqs_sync_render({', '.join(['%s'] * (1 + len(arguments)))})", name, *arguments)


def state(database):
    snapshot, changes = tables_of(database, "items")
    return [database.admin.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
            for table in (snapshot, changes, "sqs_sync.position", "sqs_sync.run", "sqs_sync.rejection")]


# sqs_sync_test ---------------------------------------------------------------------------

def test_one_message_arrives_and_the_snapshot_stays(synced, queue):
    before = state(synced)
    answer = try_it(synced)
    assert state(synced) == before
    (message,) = queue.drain()
    assert json.loads(message.body)["id"] == 1 and json.loads(answer.key) == {"id": 1}
    assert (answer.event, answer.queue, answer.queue_url) == ("added", queue.name, queue.url)
    assert answer.message_id and answer.request_id
    assert (answer.code, answer.error, answer.hint, answer.sequence_number) == (None, None, None, None)
    assert synced.run("items").published == 0


def test_the_message_is_the_one_that_would_be_rendered(synced, queue):
    shown = render(synced, "3", "changed")
    try_it(synced, "3", "changed")
    (message,) = queue.drain()
    assert message.body == shown.body
    assert message.attributes == {name: value["value"] for name, value in shown.attributes.items()}


def test_a_fifo_queue_takes_each_test_and_the_run_after_it(synced, fifo):
    """The id is the test's own: SQS would discard a second message with the same one."""
    for dedup in ({}, {"dedup_id": "{{row.id}}"}, {"dedup": "content"}):
        synced.alter_sync("items", queue=fifo.name, group_id="g{{row.id}}", **dedup)
        answers = [try_it(synced, "2"), try_it(synced, "2")]
        assert all(answer.sequence_number and answer.message_id for answer in answers)
        messages = fifo.drain()
        assert len(messages) == 2 and {m.dedup_id for m in messages} == {a.dedup_id for a in answers}
        assert {m.group_id for m in messages} == {"g2"}


def test_a_row_that_makes_no_message_says_why_and_sends_none(synced, items, queue):
    synced.alter_sync("items", group_id="{{row.name}}")
    answer = try_it(synced, "1")
    assert (answer.code, answer.message_id, answer.queue) == ("invalid_group_id", None, None)
    assert answer.error and answer.hint
    assert queue.drain() == []


def test_a_queue_that_is_not_there_is_the_answer(synced):
    synced.alter_sync("items", queue="no-such-queue")
    answer = try_it(synced)
    assert 'queue "no-such-queue" does not exist' in answer.error and answer.hint and answer.code == "queue_unusable"


def test_what_the_policy_does_not_allow_is_the_answer(synced, tmp_path):
    guarded = Emulator(tmp_path / "log", AUTH="true").start()
    try:
        guarded.create_queue("items")
        synced.point_at(guarded.endpoint)
        synced.alter_sync("items", queue="items")
        come_as(synced, *keys_of_user(guarded, "sqs:ListQueues"))
        answer = try_it(synced)
        assert "AccessDenied" in answer.code and "sqs:SendMessage" in answer.hint
        come_as(synced, *keys_of_user(guarded, SEND))
        answer = try_it(synced)
        assert "AccessDenied" in answer.code and "sqs:ListQueues" in answer.hint
        synced.alter_sync("items", queue="arn:aws:sqs:us-east-1:000000000000:items")
        assert try_it(synced).message_id
        come_as(synced, "AKIDUNKNOWN", "hush-hush")
        answer = try_it(synced)
        assert "refused the connection's credentials" in answer.error and "hush-hush" not in str(answer)
    finally:
        guarded.stop()


def test_an_answer_that_is_cut_leaves_open_whether_it_arrived(synced, proxy, queue):
    synced.point_at(proxy.endpoint)
    proxy.cut()
    answer = try_it(synced)
    assert answer.error.endswith("SQS may have the message, or not") and answer.message_id is None
    assert len(queue.drain()) == 1 == proxy.cuts


def test_a_model_without_rows_has_nothing_to_test(synced):
    synced.analyst.execute("DELETE FROM items")
    with pytest.raises(psycopg.errors.NoDataFound, match="model public.items has no rows"):
        try_it(synced)


def test_nobody_tests_anothers_sync_or_without_the_connection(synced):
    with synced.connection_of("other") as other, pytest.raises(psycopg.errors.InsufficientPrivilege):
        other.execute("SELECT * FROM sqs_sync_test('items')")
    synced.admin.execute("REVOKE USAGE ON FOREIGN SERVER sqs FROM analyst")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match='sync "items": permission denied for server "sqs"'):
        try_it(synced)


# sqs_sync_render -------------------------------------------------------------------------

def test_a_row_that_was_told_is_rendered_as_in_a_backfill(synced):
    shown = render(synced, "2")
    assert shown.event == "added" and json.loads(shown.body)["name"] == "item 2"
    assert shown.attributes["event"]["value"] == "added"
    assert (shown.problem, shown.old, shown.change_id) == (None, None, None)


@pytest.mark.parametrize("key", ["2", '{"id": 2}', '{"id": "2"}'])
def test_a_key_of_one_column_is_given_by_its_value_or_as_an_object(synced, key):
    assert render(synced, key).row["id"] == 2


def test_the_keys_of_a_preview_and_of_rejections_are_taken(synced, items):
    synced.analyst.execute("UPDATE items SET note = 'new'")
    keys = [row.key for row in synced.rows("SELECT key FROM sqs_sync_preview('items')")]
    assert [render(synced, key).row["note"] for key in keys] == ["new"] * 5


def test_a_key_of_two_columns_is_an_object_of_both(database, queue):
    database.create_sync("parts", queue.name, key='plant, "no"', template='"{{row.name}}"', attributes={},
                         model="""SELECT * FROM (VALUES ('north', 1, 'bolt'), ('north', 2, 'nut'), (E'it''s "\\\\', 1, 'odd')) v (plant, "no", name)""")
    assert render(database, '{"no": 2, "plant": "north"}', name="parts").body == '"nut"'
    assert render(database, json.dumps({"no": 1, "plant": 'it\'s "\\'}), name="parts").body == '"odd"'
    for bad in ("north", '{"plant": "north"}', '{"plant": "north", "no": 1, "x": 1}', "[1]", "", '{"plant": "north", "no": null}'):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="key"):
            render(database, bad, name="parts")


def test_keys_of_any_type_find_their_row(database, queue):
    for number, (type_name, value) in enumerate([
            ("timestamptz", "2024-01-02 03:04:05+06"), ("date", "2024-01-02"), ("uuid", "6f1e8a5e-1b1c-4c55-8f39-2c1e6a2f4a11"),
            ("numeric", "1.50"), ("bytea", "\\x0001"), ("text[]", '{a,"b c"}'), ("boolean", "true"), ("int8", "9007199254740993"),
            ("interval", "1 day"), ("inet", "10.0.0.1"), ("text", '{"a": 1}')]):
        database.create_sync(f"typed{number}", queue.name, key="k", template='"found"', attributes={},
                             model=f"SELECT '{value}'::{type_name} AS k")
        (row,) = database.rows("SELECT * FROM sqs_sync_preview(%s)", f"typed{number}")
        found = render(database, row.key, name=f"typed{number}")
        assert (found.body, found.key) == ('"found"', row.key), type_name


def test_a_changed_row_has_what_was_told_as_old(synced, items):
    synced.alter_sync("items", template='"{{old.name}} > {{row.name}}"')
    items.set_name(2, "new")
    shown = render(synced, "2", "changed")
    assert shown.body == '"item 2 > new"' and shown.old["name"] == "item 2"
    items.fill(6, first=6)
    assert render(synced, "6", "changed").problem.startswith("missing_old_row: ")


def test_a_removed_row_is_what_was_told_last(synced, items):
    items.set_name(2, "new")
    assert render(synced, "2", "removed").row["name"] == "item 2"
    synced.analyst.execute("DELETE FROM items WHERE id = 2")
    assert render(synced, "2", "removed").row["name"] == "item 2"
    with pytest.raises(psycopg.errors.NoDataFound, match="has no row with the key 2") as missing:
        render(synced, "2")
    assert "event => 'removed'" in missing.value.diag.message_hint


def test_without_added_rows_the_first_event_that_is_published_is_rendered(synced):
    synced.alter_sync("items", events="{changed,removed}")
    assert render(synced, "2").event == "changed"
    assert render(synced, "2", "added").problem == "unpublished_event: the event added is not published"


def test_a_key_that_several_rows_have_is_a_problem(database, queue):
    database.create_sync("twice", queue.name, key="id", template='"x"', attributes={},
                         model="SELECT 1 AS id, n FROM generate_series(1, 3) n")
    assert render(database, "1", name="twice").problem.startswith("duplicate_key: ")


@pytest.mark.parametrize("key, event, error", [
    ("abc", None, psycopg.errors.InvalidTextRepresentation), ("1", "moved", psycopg.errors.InvalidParameterValue),
    (None, None, psycopg.errors.InvalidParameterValue)])
def test_bad_arguments_are_refused(synced, key, event, error):
    with pytest.raises(error):
        render(synced, key, event)


def test_a_row_is_found_by_the_index_of_its_table(synced, items):
    """One row of a large model is not looked for by reading all of it."""
    items.fill(20_000, first=6)
    synced.analyst.execute("ANALYZE items; CREATE FUNCTION slow(integer) RETURNS integer LANGUAGE plpgsql STABLE AS"
                           " $$ BEGIN PERFORM pg_catalog.pg_sleep(0.01); RETURN $1; END $$;"
                           " CREATE VIEW slowly AS SELECT id, slow(id) AS name FROM items")
    synced.create_sync("slow", "any", model="slowly", template='"{{row.name}}"')
    synced.analyst.execute("SET statement_timeout = '20s'")
    assert render(synced, "19999", name="slow").body == '"19999"'
