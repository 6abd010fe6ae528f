"""A bad row is kept with the reason until it is mended, and never stops a good one."""

import pytest

from support.database import TRACKED, call

LOOSE = """
CREATE TABLE loose (id integer, name text);
CREATE VIEW loose_rows AS SELECT id, name FROM loose;
INSERT INTO loose VALUES (1, 'one'), (2, 'two'), (2, 'two again'), (NULL, 'none'), (3, 'three');
"""


def keys(messages):
    return sorted(message.attributes["key"] for message in messages)


@pytest.fixture
def loose(database, queue):
    database.analyst.execute(LOOSE)
    database.create_sync("loose", queue.name, model="loose_rows", template='{"name": "{{row.name}}"}')
    return database


def test_null_and_duplicate_keys_are_rejected_and_the_good_rows_go_out(loose, queue):
    run = loose.run("loose")

    assert (run.state, run.published) == ("partly_failed", 2)
    assert keys(queue.drain()) == ["1", "3"]
    duplicate, null = sorted(loose.rejections("loose"), key=lambda rejection: "2" not in rejection.key)
    assert duplicate.rows == 2 and "2" in duplicate.reason + duplicate.key
    assert null.rows == 1 and "null" in null.reason.lower()


def test_rejections_disappear_once_mended(loose, queue):
    loose.run("loose")
    queue.drain()
    loose.analyst.execute("DELETE FROM loose WHERE name = 'two again'")
    assert loose.run("loose").state == "partly_failed"
    assert keys(queue.drain()) == ["2"]
    assert len(loose.rejections("loose")) == 1

    loose.analyst.execute("UPDATE loose SET id = 4 WHERE id IS NULL")
    assert loose.run("loose").state == "succeeded"
    assert keys(queue.drain()) == ["4"]
    assert loose.rejections("loose") == []


def test_a_rejection_counts_its_attempts(loose):
    loose.run("loose")
    loose.run("loose")
    assert {rejection.attempts for rejection in loose.rejections("loose")} == {2}


def test_a_key_that_is_not_unique_any_more_is_neither_changed_nor_removed(loose, queue):
    loose.run("loose")
    queue.drain()
    loose.analyst.execute("INSERT INTO loose VALUES (1, 'one again')")
    run = loose.run("loose")
    assert (run.state, run.rows_changed, run.rows_removed) == ("partly_failed", 0, 0)
    assert queue.drain() == []

    loose.analyst.execute("DELETE FROM loose WHERE name = 'one'")
    loose.run("loose")
    (message,) = queue.drain()
    assert (message.attributes["event"], message.attributes["key"]) == ("changed", "1")


OVERSIZE = "UPDATE items SET note = repeat('x', 1048577) WHERE id = 2"
CONTROL = "UPDATE items SET note = E'\\x01' WHERE id = 2"


@pytest.mark.parametrize("spoil, code_point_or_limit", [(OVERSIZE, "1048576"), (CONTROL, "U+0001")],
                         ids=["oversize", "a character that SQS refuses"])
def test_a_row_that_sqs_would_refuse_is_rejected_until_mended(database, items, queue, spoil, code_point_or_limit):
    items.fill(30)
    database.create_sync("notes", queue.name, model="item_rows", body_column="note")
    database.analyst.execute(spoil)
    run = database.run("notes")
    assert (run.state, run.published, run.rejected) == ("partly_failed", 29, 1)
    assert "2" not in keys(queue.drain())
    (rejection,) = database.rejections("notes")
    assert rejection.key == '{"id": 2}' and rejection.event == "added"
    assert code_point_or_limit in rejection.reason.replace(",", "")

    database.analyst.execute("UPDATE items SET note = 'mended' WHERE id = 2")
    run = database.run("notes")
    assert (run.state, run.published) == ("succeeded", 1)
    assert [(m.body, m.attributes["key"]) for m in queue.drain()] == [("mended", "2")]
    assert database.rejections("notes") == []


def test_a_rejection_goes_away_with_its_row(database, items, queue):
    items.fill(3)
    database.create_sync("notes", queue.name, model="item_rows", body_column="note")
    database.analyst.execute(CONTROL)
    database.run("notes")
    database.analyst.execute("DELETE FROM items WHERE id = 2")
    assert database.run("notes").state == "succeeded"
    assert database.rejections("notes") == []


@pytest.fixture
def spoilt(database, items):
    """Of three rows that are added, the second is rejected."""
    def sync(queue, **options):
        items.fill(3)
        database.analyst.execute(CONTROL)
        database.create_sync("notes", queue.name, model="item_rows", **{"body_column": "note", **options})
        run = database.run("notes")
        assert (run.published, run.rejected, run.still_rejected) == (2, 1, 0)
        queue.drain()
        return database
    return sync


def retry(database, **which):
    return call(database.analyst, "sqs_sync_retry", name="notes", **which)


def test_a_rejected_row_is_left_alone_until_it_changes(spoilt, queue):
    database = spoilt(queue)
    (first,) = database.rejections("notes")
    assert (first.attempts, first.size, first.retried_when) == (1, None, "its contents or the definition change")
    run = database.run("notes")
    assert (run.state, run.rejected, run.still_rejected, run.rows_added) == ("partly_failed", 1, 1, 0)
    assert run.reasons == {"invalid_character": 1}
    assert database.rejections("notes") == [first], "what was not tried is no attempt"

    database.analyst.execute(r"UPDATE items SET note = E'\x02' WHERE id = 2")
    run = database.run("notes")
    assert (run.rejected, run.still_rejected, run.rows_added) == (1, 0, 1)
    (again,) = database.rejections("notes")
    assert (again.attempts, again.first_at, again.run_id) == (2, first.first_at, run.run_id) and again.last_at > first.last_at
    database.analyst.execute("UPDATE items SET note = 'mended' WHERE id = 2")
    run = database.run("notes")
    assert (run.state, run.published, run.rejected) == ("succeeded", 1, 0)
    assert keys(queue.drain()) == ["2"] and database.rejections("notes") == []


def test_a_rejected_row_is_tried_again_when_the_definition_changes(spoilt, queue):
    database = spoilt(queue)
    database.alter_sync("notes", body_column="name")
    assert database.rejections("notes")[0].retried_when == "the sync runs"
    run = database.run("notes")
    assert (run.state, run.published) == ("succeeded", 1) and database.rejections("notes") == []


def test_a_column_that_is_not_compared_may_mend_a_row(spoilt, queue):
    database = spoilt(queue, compare="name")
    assert database.run("notes").still_rejected == 1
    database.analyst.execute("UPDATE items SET note = 'mended' WHERE id = 2")
    assert database.run("notes").published == 1


def test_a_rejected_row_is_tried_again_on_request(spoilt, queue):
    database = spoilt(queue)
    database.analyst.execute("UPDATE items SET note = '' WHERE id = 3")
    assert database.run("notes").still_rejected == 1
    assert retry(database, code="empty_body", key="2") == retry(database, code="nothing") == retry(database, key="9") == 0
    assert retry(database, code="empty_body") == 1
    run = database.run("notes")
    assert (run.rejected, run.still_rejected) == (2, 1)
    assert [(r.key, r.attempts) for r in database.rejections("notes")] == [('{"id": 2}', 1), ('{"id": 3}', 2)]
    assert retry(database, key='{"id": 2}') == 1 and retry(database) == 2
    assert database.run("notes").still_rejected == 0
    assert database.run("notes").still_rejected == 2, "once"


def test_a_row_that_failed_for_its_queues_sake_is_tried_by_every_run(database, items, emulator, queue):
    items.fill(3)
    later = f"{queue.name}-later"
    database.analyst.execute("UPDATE items SET note = %s WHERE id <> 2", (queue.name,))
    database.analyst.execute("UPDATE items SET note = %s WHERE id = 2", (later,))
    database.create_sync("notes", "{{row.note}}", model="item_rows", body_column="name")
    for attempts in (1, 2):
        run = database.run("notes")
        assert (run.state, run.rejected, run.still_rejected) == ("partly_failed", 1, 0)
        (rejection,) = database.rejections("notes")
        assert (rejection.attempts, rejection.retried_when) == (attempts, "the sync runs") and rejection.size > 5
    made = emulator.create_queue(later)
    assert database.run("notes").state == "succeeded" and len(made.drain()) == 1
    made.delete()


def test_of_a_row_that_was_told_what_is_rejected_is_left_alone_too(spoilt, queue):
    database = spoilt(queue)
    told = database.value("SELECT note FROM items WHERE id = 3")
    database.analyst.execute(r"UPDATE items SET note = E'\x03' WHERE id = 3")
    assert database.run("notes").still_rejected == 1
    run = database.run("notes")
    assert (run.rejected, run.still_rejected, run.rows_changed) == (2, 2, 0)
    assert [r.event for r in database.rejections("notes")] == ["added", "changed"]
    database.analyst.execute("UPDATE items SET note = %s WHERE id = 3", (told,))
    run = database.run("notes")
    assert (run.rejected, run.published) == (1, 0), "it is as it was told: there is nothing to tell"
    database.analyst.execute(r"UPDATE items SET note = E'\x03' WHERE id = 3")
    assert database.run("notes").rejected == 2
    database.analyst.execute("DELETE FROM items WHERE id IN (2, 3)")
    run = database.run("notes")
    assert (run.state, run.published) == ("succeeded", 1), "of a row that was told its removal is, of the other nothing"
    (message,) = queue.drain()
    assert (message.attributes["event"], message.attributes["key"]) == ("removed", "3")


def test_a_removal_that_is_rejected_is_left_alone_until_the_row_is_back(database, items, queue):
    items.fill(3)
    database.analyst.execute("UPDATE items SET note = '' WHERE id = 2")
    database.create_sync("notes", queue.name, model="item_rows", body_column="name")
    call(database.analyst, "sqs_sync_on", name="notes", event="removed", body_column="note")
    assert database.run("notes").state == "succeeded"
    database.analyst.execute("DELETE FROM items WHERE id = 2")
    assert [database.run("notes").still_rejected for _ in range(2)] == [0, 1]
    (rejection,) = database.rejections("notes")
    assert (rejection.event, rejection.code, rejection.attempts) == ("removed", "empty_body", 1)
    database.analyst.execute("INSERT INTO items VALUES (2, 'back', 1, '')")
    run = database.run("notes")
    assert (run.state, run.published) == ("succeeded", 1) and database.rejections("notes") == []


def test_a_run_that_fails_forgets_no_rejection_and_one_that_leaves_them_out_does(spoilt, queue, proxy):
    database = spoilt(queue, retry_for="1 second")
    (before,) = database.rejections("notes")
    proxy.refuse()
    database.point_at(proxy.endpoint)
    database.analyst.execute("UPDATE items SET note = 'new' WHERE id = 1")
    assert database.run("notes").state == "failed"
    assert database.rejections("notes") == [before]
    proxy.pass_on()
    run = database.run("notes")
    assert (run.state, run.still_rejected, run.published) == ("partly_failed", 1, 1)
    call(database.analyst, "sqs_sync_on", name="notes", event="added", condition="id <> 2")
    run = database.run("notes")
    assert (run.state, run.rows_silent) == ("succeeded", 1) and database.rejections("notes") == []


def test_a_preview_shows_what_a_run_leaves_alone_as_rejected(spoilt, queue):
    database = spoilt(queue)
    database.analyst.execute("UPDATE items SET note = 'new' WHERE id = 1")
    shown = database.rows("SELECT key, event, problem IS NULL AS sent FROM sqs_sync_preview('notes', 10)")
    assert [tuple(row) for row in shown] == [('{"id": 2}', "added", False), ('{"id": 1}', "changed", True)]
    lines = dict(database.rows("SELECT item, value FROM sqs_sync_explain('notes')"))
    assert (lines["added"], lines["changed"], lines["silent"], lines["rejected before, or dismissed"]) == ("0", "1", "0", "1")
    detail = database.value("SELECT detail FROM sqs_sync_check('notes') WHERE item = 'changes'")
    assert "1 added" in detail and "1 of which it leaves alone" in detail


def test_a_row_of_more_than_a_gigabyte_is_left_alone_like_any_other(database, queue):
    database.analyst.execute('''
        CREATE TABLE great (id integer PRIMARY KEY, note text, a text, b text, c text, d text);
        INSERT INTO great SELECT 1, E'\\x01', repeat('x', 280000000);
        UPDATE great SET b = a, c = a, d = a''')
    database.create_sync("notes", queue.name, model="great", body_column="note", compare="note")
    assert [database.run("notes").still_rejected for _ in range(2)] == [0, 1]
    (rejection,) = database.rejections("notes")
    assert (rejection.code, rejection.attempts) == ("invalid_character", 1)


def test_an_order_is_kept_around_what_is_left_alone(database, items, emulator, queue):
    fifo = emulator.create_queue(f"{queue.name}.fifo")
    items.fill(30)
    database.analyst.execute(r"UPDATE items SET note = E'\x01' WHERE id % 10 = 5")
    database.create_sync("notes", fifo.name, model="item_rows", body_column="note", group_id="all", order_by="id DESC")
    assert database.run("notes").rejected == 3
    fifo.drain()
    database.analyst.execute("UPDATE items SET note = 'new' WHERE id % 10 <> 5")
    run = database.run("notes")
    assert (run.published, run.still_rejected) == (27, 3)
    sent = [int(message.attributes["key"]) for message in fifo.drain()]
    assert sent == sorted(sent, reverse=True) and len(sent) == 27
    fifo.delete()


def test_an_empty_attribute_is_a_rejection(database, items, queue):
    items.fill(3)
    database.analyst.execute("UPDATE items SET note = '' WHERE id = 2")
    database.create_sync("notes", queue.name, model="item_rows", body_column="name",
                         attributes={**TRACKED, "note": "{{row.note}}"})
    assert database.run("notes").state == "partly_failed"
    (rejection,) = database.rejections("notes")
    assert rejection.key == '{"id": 2}' and "note" in rejection.reason


def test_rejections_of_others_are_not_seen(loose):
    loose.run("loose")
    other = loose.connection_of("other")
    assert other.execute("SELECT count(*) FROM sqs_sync.rejections").fetchone()[0] == 0
    assert other.execute("SELECT count(*) FROM sqs_sync.syncs").fetchone()[0] == 0


def test_keys_whose_texts_are_cut_to_the_same_are_one_rejection_and_stop_nothing(database, queue):
    """A control character is six in JSON: the key fits into the index, but not into what is shown of it."""
    database.analyst.execute(r"""
        CREATE TABLE long (id text PRIMARY KEY, note text);
        INSERT INTO long SELECT repeat(E'\x01', 600) || i, E'\x01' FROM generate_series(1, 3) i;
        INSERT INTO long VALUES ('good', 'good'), ('bad', E'\x01')""")
    database.create_sync("long", queue.name, model="long", attributes={}, body_column="note")

    for attempts in 1, 2:
        run = database.run("long")
        assert (run.state, run.rejected, run.reasons) == ("partly_failed", 4, {"invalid_character": 4}), run.error
        cut, bad = database.rejections("long")
        assert (bad.key, len(cut.key)) == ('{"id": "bad"}', 3000)
        assert (bad.attempts, cut.attempts) == (attempts, attempts)
        call(database.analyst, "sqs_sync_retry", name="long")
    assert [message.body for message in queue.drain()] == ["good"]


def test_thousands_of_rejections_are_as_many_rows_and_retried_as_many(database, queue):
    database.analyst.execute(r"""
        CREATE TABLE many AS SELECT i AS id, CASE WHEN i % 10 = 0 THEN 'good' ELSE E'\x01' END AS note
        FROM generate_series(1, 5000) i""")
    database.create_sync("many", queue.name, model="many", body_column="note")

    first = database.run("many")
    assert (first.published, first.rejected, first.reasons) == (500, 4500, {"invalid_character": 4500})
    assert database.value("SELECT count(DISTINCT key) FROM sqs_sync.rejections WHERE sync = 'many' AND attempts = 1") == 4500
    assert call(database.analyst, "sqs_sync_retry", name="many") == 4500
    again = database.run("many")
    assert (again.published, again.rejected, again.still_rejected) == (0, 4500, 0)
    assert database.value("SELECT count(*) FROM sqs_sync.rejections WHERE sync = 'many' AND attempts = 2") == 4500
