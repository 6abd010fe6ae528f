"""sqs_sync_alter, pause and resume."""

import json

import psycopg
import pytest

from support.deadline import wait_until
from support.items import BODIES

DEFINITION = """SELECT server, queue, template, body_column, fields, attributes, events, order_by, retry_for
                FROM sqs_sync.syncs WHERE name = 'items'"""


@pytest.fixture
def synced(database, items, queue):
    items.fill(10)
    database.create_sync("items", queue.name, model="item_rows", order_by="id", **BODIES["template"])
    database.run("items")
    queue.drain()
    return database


def test_options_left_out_stay(synced):
    before = synced.row(DEFINITION)
    synced.alter_sync("items", events="{added,removed}")
    assert synced.row(DEFINITION) == before._replace(events=["added", "removed"])


def test_reset_unsets(synced):
    before = synced.row(DEFINITION)
    synced.alter_sync("items", reset="{order_by,attributes}")
    assert synced.row(DEFINITION) == before._replace(order_by=None, attributes=None)


@pytest.mark.parametrize("options", [{}, {"reset": "{template}"}])
def test_a_body_takes_the_place_of_another(synced, items, queue, options):
    synced.alter_sync("items", body_column="message", **options)
    items.set_name(1, "renamed")
    synced.run("items")
    (message,) = queue.drain()
    assert json.loads(message.body) == items.expected()["1"]


def test_a_change_of_definition_sends_nothing_by_itself(synced, queue):
    synced.alter_sync("items", template='{"other": {{row.id}}}')
    assert synced.run("items").published == 0
    assert queue.drain() == []


@pytest.mark.parametrize("sqlstate, options", [
    ("22023", {"body_column": "message", "fields": '["id"]'}),
    ("22023", {"reset": "{template}"}),
    ("22023", {"reset": "{colour}"}),
    ("22023", {"order_by": "id", "reset": "{order_by}"}),
    ("42703", {"template": '{"x": {{row.nme}}}'}),
    ("42704", {"server": "elsewhere"}),
    ("22023", {"queue": "orders.fifo"}),
    ("22023", {"events": "{deleted}"}),
], ids=lambda value: str(value))
def test_a_refused_alter_changes_nothing(synced, sqlstate, options):
    before = synced.row(DEFINITION)
    with pytest.raises(psycopg.Error) as refused:
        synced.alter_sync("items", **options)
    assert refused.value.sqlstate == sqlstate, refused.value
    assert synced.row(DEFINITION) == before


def test_a_paused_sync_does_not_run_until_it_is_resumed(synced, items, queue):
    items.set_name(1, "renamed")
    synced.analyst.execute("SELECT sqs_sync_pause('items')")
    assert synced.value("SELECT state FROM sqs_sync.syncs") == "paused"
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="items"):
        synced.start_run("items")

    synced.analyst.execute("SELECT sqs_sync_resume('items')")
    assert synced.run("items").published == 1
    assert len(queue.drain()) == 1


def test_a_run_uses_the_definition_that_it_began_with(synced, queue, proxy):
    synced.point_at(proxy.endpoint)
    synced.analyst.execute("INSERT INTO items SELECT i, 'new', i, '' FROM generate_series(101, 500) i")
    proxy.throttle(requests_a_second=20)
    run_id = synced.start_run("items")
    wait_until(lambda: synced.run_row(run_id).published > 0, "some messages are acknowledged")
    synced.alter_sync("items", template='{"altered": true}')
    assert synced.wait_for(run_id).published == 400

    assert [message for message in queue.drain() if "altered" in message.body] == []
