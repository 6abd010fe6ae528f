"""Resync and baseline: what a queue is told again, and what it is taken to have been told."""

import psycopg
import pytest

from support.attacks import tables_of
from support.database import TRACKED, call
from support.deadline import wait_until

ITEM = '{"name": "{{row.name}}", "columns": {{changed_columns | size}}}'


@pytest.fixture
def synced(database, items, queue):
    """Two hundred items that the queue has been told of, with the guard rail as it is by default."""
    items.fill(200)
    database.create_sync("items", queue.name, model="item_rows", template=ITEM, guard_share="30%")
    assert database.run("items").published == 200
    queue.drain()
    return database


def ask(database, what, **options):
    return call(database.analyst, f"sqs_sync_{what}", name="items", **options)


def keys(queue):
    return sorted(int(message.attributes["key"]) for message in queue.drain())


def test_a_resync_sends_all_rows_again_as_changed_and_is_not_held(synced, queue):
    assert ask(synced, "resync", preview=True) == 200
    assert synced.run("items").published == 0, "a preview changes nothing"
    assert ask(synced, "resync") == 200
    assert synced.value("SELECT count(*) FROM sqs_sync_preview('items', 500) WHERE event = 'changed'") == 200
    run = synced.run("items")
    assert (run.state, run.published, run.rows_changed) == ("succeeded", 200, 200)
    messages = queue.drain()
    assert sorted(int(m.attributes["key"]) for m in messages) == list(range(1, 201))
    assert {m.attributes["event"] for m in messages} == {"changed"} and '"columns": 0' in messages[0].body
    assert synced.run("items").published == 0, "once"


def test_a_resync_of_some_takes_the_definition_of_the_next_run(synced, queue):
    condition = "id > 190 AND name LIKE 'item %'"
    assert ask(synced, "resync", condition=condition, preview=True) == ask(synced, "resync", condition=condition) == 10
    synced.analyst.execute("DELETE FROM items WHERE id = 191; UPDATE items SET name = 'new' WHERE id IN (1, 192)")
    synced.alter_sync("items", template='"anew"')
    run = synced.run("items")
    assert (run.rows_changed, run.rows_removed, run.published) == (10, 1, 11)
    messages = queue.drain()
    assert sorted(int(m.attributes["key"]) for m in messages) == [1, *range(191, 201)]
    assert {m.body for m in messages} == {'"anew"'}


def test_what_a_resync_sends_is_not_taken_for_a_duplicate_by_a_fifo_queue(database, items, emulator, queue):
    fifo = emulator.create_queue(f"{queue.name}.fifo")
    items.fill(5)
    database.create_sync("items", fifo.name, model="item_rows", template=ITEM, group_id="all")
    database.run("items")
    ask(database, "resync")
    database.run("items")
    assert len(fifo.drain()) == 10
    fifo.delete()


def test_beside_a_resync_other_changes_are_held_as_ever(synced):
    ask(synced, "resync")
    synced.analyst.execute("INSERT INTO items SELECT i, 'more', 1, 'x' FROM generate_series(1001, 1150) i")
    run = synced.run("items")
    assert run.state == "held" and "150 rows as added" in run.error


def test_a_condition_that_is_none_marks_nothing(synced, queue):
    for condition, error in (("nothing > 1", psycopg.errors.UndefinedColumn), ("1 FROM items", psycopg.errors.SyntaxError),
                             ("1 / (id - id) = 1", psycopg.errors.DivisionByZero), ("name", psycopg.errors.DatatypeMismatch)):
        with pytest.raises(error, match='sync "items": condition: '):
            ask(synced, "resync", condition=condition)
    assert synced.run("items").published == 0 and queue.drain() == []


def test_a_condition_of_a_resync_has_the_owners_rights(synced):
    synced.analyst.execute("""
        CREATE FUNCTION who(integer) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'as % with %', current_user, current_setting('search_path'); END $$""")
    with pytest.raises(psycopg.errors.RaiseException, match="as analyst with pg_catalog"):
        call(synced.admin, "sqs_sync_resync", name="items", condition="public.who(id)")


def test_a_sync_without_changed_rows_cannot_be_resynced(synced):
    synced.analyst.execute("SELECT sqs_sync_off('items', 'changed')")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="no changed rows"):
        ask(synced, "resync")


def test_a_baseline_takes_the_rows_as_told_and_sends_nothing(synced, queue):
    synced.analyst.execute("DELETE FROM items WHERE id <= 150; UPDATE items SET name = 'new' WHERE id = 160;"
                           " INSERT INTO items VALUES (1001, 'added', 1, 'x')")
    assert ask(synced, "baseline", preview=True) == 152
    assert synced.run("items").state == "held", "a preview changes nothing"
    assert ask(synced, "baseline") == 152
    run_id = synced.value("SELECT run_id FROM sqs_sync.held")
    synced.analyst.execute("SELECT sqs_sync_approve(%s)", (run_id,))
    assert synced.wait_for(run_id).published == 0
    synced.analyst.execute("UPDATE items SET name = 'newer' WHERE id = 160")
    assert synced.run("items").published == 1
    assert keys(queue) == [160]


def test_a_baseline_takes_the_place_of_a_first_run_and_of_what_was_emptied(database, items, queue):
    items.fill(150)
    database.create_sync("items", queue.name, model="item_rows", template=ITEM, guard_share="30%")
    assert ask(database, "baseline") == 150
    assert database.run("items").published == 0
    snapshot, _ = tables_of(database, "items")
    database.analyst.execute(f"DELETE FROM {snapshot}")
    assert database.run("items").state == "failed"
    assert ask(database, "baseline") == 150
    assert database.run("items").published == 0
    database.analyst.execute("DELETE FROM items")
    assert database.run("items").state == "held", "the first run counts as done"
    assert queue.drain() == []


def test_a_baseline_forgets_rejected_rows_and_adopts_new_columns(database, items, queue):
    items.fill(3)
    database.create_sync("items", queue.name, model="item_rows", body_column="note", attributes=TRACKED)
    database.analyst.execute(r"UPDATE items SET note = E'\x01' WHERE id = 2")
    assert database.run("items").state == "partly_failed"
    database.analyst.execute("CREATE OR REPLACE VIEW item_rows AS SELECT id, name, amount, note, note AS message, 1 AS more FROM items")
    assert ask(database, "baseline") >= 1
    assert database.rejections("items") == []
    run = database.run("items")
    assert (run.state, run.published) == ("succeeded", 0)


def test_neither_is_done_while_a_run_is_under_way(synced, proxy):
    synced.point_at(proxy.endpoint)
    proxy.delay(3000)
    synced.analyst.execute("UPDATE items SET name = 'new' WHERE id <= 5")
    run_id = synced.start_run("items")
    wait_until(lambda: synced.run_row(run_id).state == "publishing", "the run publishes")
    for what in ("resync", "baseline"):
        with pytest.raises(psycopg.errors.ObjectInUse, match=f"run {run_id} of sync \"items\" is under way"):
            ask(synced, what)
    proxy.pass_on()
    assert synced.wait_for(run_id).state == "succeeded"


def test_while_changes_are_in_doubt_there_is_no_baseline_and_a_resync_loses_none(synced, proxy, queue):
    synced.alter_sync("items", retry_for="1 second")
    synced.point_at(proxy.endpoint)
    proxy.cut()
    synced.analyst.execute("UPDATE items SET name = 'new' WHERE id <= 5")
    run = synced.run("items")
    proxy.pass_on()
    assert (run.state, run.in_doubt) == ("failed", 5)
    for preview in (True, False):
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="in doubt"):
            ask(synced, "baseline", preview=preview)
    assert ask(synced, "resync") == 200
    assert synced.run("items").state == "succeeded"
    assert set(keys(queue)) == set(range(1, 201))
    assert synced.run("items").published == 0


def test_what_another_server_set_aside_may_have_been_sent_there_and_keeps_a_baseline_out(synced, proxy):
    synced.alter_sync("items", retry_for="1 second")
    synced.point_at(proxy.endpoint)
    proxy.cut()
    synced.analyst.execute("UPDATE items SET name = 'new' WHERE id <= 5")
    assert synced.run("items").in_doubt == 5
    proxy.pass_on()
    _, changes = tables_of(synced, "items")
    synced.admin.execute(f"INSERT INTO sqs_sync.waiting (sync_id, lane, change_id, in_doubt)"
                         f" SELECT s.sync_id, 1, c.sqs_sync_change_id, false FROM sqs_sync.sync s, {changes} c")
    synced.admin.execute("UPDATE sqs_sync.position SET timeline = 0")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="in doubt"):
        ask(synced, "baseline")
    assert synced.run("items").resent == 5


def test_no_run_begins_while_a_baseline_is_not_committed(synced, queue):
    synced.analyst.execute("UPDATE items SET name = 'new' WHERE id <= 5")
    other = synced.connection_of("analyst")
    with synced.analyst.transaction():
        ask(synced, "baseline")
        other.execute("SET statement_timeout = '500ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            other.execute("SELECT sqs_sync_run('items')")
    other.close()
    assert synced.run("items").published == 0 and queue.drain() == []


def test_a_model_can_do_neither(synced):
    for what in ("resync", "baseline"):
        synced.analyst.execute(f"CREATE OR REPLACE VIEW item_rows AS SELECT id, name, amount, note, note AS message FROM items"
                               f" WHERE public.sqs_sync_{what}('items') >= 0")
        run = synced.run("items")
        assert run.state == "failed" and "security-restricted operation" in run.error
