"""A bad row is kept with the reason until it is mended, and never stops a good one."""

import pytest

from support.database import TRACKED

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
