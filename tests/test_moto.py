"""A second server that speaks SQS's protocol, moto: what works does so not because MiniStack is lenient.

Where moto is unlike SQS, the extension must do the right thing all the same: one entry that moto does not
like fails its whole request, with a 400 that names no entry; and a request that it does not authorise gets
a 403 in XML, whose code the SDK does not read.
"""

import json

import pytest
from psycopg import sql

from support.database import TRACKED
from support.items import BODIES
from support.moto import Moto
from support.replay import Replay
from support.running import fresh_name


@pytest.fixture
def moto(tmp_path):
    moto = Moto(tmp_path / "log").start()
    yield moto
    moto.stop()


@pytest.fixture
def guarded(tmp_path):
    """It lets the first call pass, which creates a queue, and asks who comes from the second on."""
    moto = Moto(tmp_path / "log", INITIAL_NO_AUTH_ACTION_COUNT="1").start()
    yield moto
    moto.stop()


def test_a_standard_queue_of_moto_is_kept_told_of_all_changes(database, items, moto):
    items.fill(40)
    database.point_at(moto.endpoint)
    queue = moto.create_queue(fresh_name("items"))
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"], attributes={
        **TRACKED, "photo": {"type": "Binary.raw", "value": "raw {{row.note}}"}})
    consumer = Replay()
    for _ in range(3):
        run = database.run("items")
        assert (run.state, run.in_doubt) == ("succeeded", 0), run.error
        messages = queue.drain()
        assert len(messages) == run.published
        assert all(m.attributes["photo"].startswith(b"raw ") for m in messages)
        assert consumer.apply(messages).rows == items.expected()
        items.change_at_random(5)


def test_a_fifo_queue_of_moto_gets_groups_and_deduplication_ids_and_keeps_their_order(database, items, moto):
    items.fill(40)
    database.point_at(moto.endpoint)
    queue = moto.create_queue(fresh_name("items") + ".fifo")
    database.create_sync("items", queue.name, model="SELECT id, name, id % 4 AS family FROM items",
                         fields='["id"]', group_id="family-{{row.family}}", order_by="id desc")
    run = database.run("items")
    assert (run.state, run.published) == ("succeeded", 40), run.error
    messages = queue.drain()
    for family in range(4):
        told = [json.loads(m.body)["id"] for m in messages if m.group_id == f"family-{family}"]
        assert told == [i for i in range(40, 0, -1) if i % 4 == family]
    assert len({m.dedup_id for m in messages}) == 40


@pytest.mark.parametrize("kind", ["", ".fifo"])
def test_of_a_request_that_moto_refuses_whole_only_the_bad_row_is_rejected(database, moto, kind):
    """The queue takes less than SQS's limit, and moto says of a batch with a longer body that all of it is bad. (That
    the row names the queue keeps its limit from being known.)"""
    database.point_at(moto.endpoint)
    queue = moto.create_queue(fresh_name("short") + kind, MaximumMessageSize="1024")
    database.analyst.execute(sql.SQL(
        "CREATE TABLE notes AS SELECT i AS id, repeat('x', CASE i WHEN 17 THEN 2000 ELSE 10 END) AS body,"
        " {}::text AS queue FROM generate_series(1, 30) i").format(queue.name))
    database.create_sync("notes", "{{row.queue}}", model="notes", body_column="body",
                         **({"group_id": "group-{{row.id}}"} if kind else {}))
    run = database.run("notes")
    assert (run.state, run.published, run.rejected, run.in_doubt) == ("partly_failed", 29, 1, 0), run.error
    [rejection] = database.rejections("notes")
    assert (json.loads(rejection.key), rejection.code) == ({"id": 17}, "InvalidParameterValue")
    assert "1024" in rejection.reason
    assert len(queue.drain()) == 29


def test_an_answer_of_403_in_xml_is_about_the_credentials(database, items, guarded):
    queue = guarded.create_queue(fresh_name("items"))
    items.fill(3)
    database.point_at(guarded.endpoint)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    run = database.run("items")
    assert (run.state, run.sqlstate, run.published, run.in_doubt) == ("failed", "28000", 0, 0)
    assert guarded.endpoint in run.error and "403" in run.error and run.hint
