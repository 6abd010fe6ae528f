"""What may have been sent is sent again before anything else is found: else a consumer that
has seen B would never be told that the row is back at A."""

import pytest

from support.deadline import wait_until
from support.items import BODIES, Items
from support.replay import Replay

CHANGED = ("UPDATE items SET name = 'B' WHERE id = 1", "UPDATE items SET name = 'A' WHERE id = 1")
ADDED = ("INSERT INTO items VALUES (99, 'B', 1, '')", "DELETE FROM items WHERE id = 99")
REMOVED = ("DELETE FROM items WHERE id = 1", "INSERT INTO items VALUES (1, 'A', 1.250, 'note 1')")


@pytest.mark.e2e
@pytest.mark.parametrize("there, back", [CHANGED, ADDED, REMOVED],
                         ids=["changed and back", "added then deleted", "removed then added again"])
def test_the_consumer_ends_where_the_row_does(durable_database, proxy, queue, there, back):
    database, cluster = durable_database, durable_database.cluster
    items = Items(database.analyst).create().fill(10)
    database.analyst.execute("UPDATE items SET name = 'A' WHERE id = 1")
    database.point_at(proxy.endpoint)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    database.run("items")
    replay = Replay().apply(queue.drain())
    told_at_first = replay.rows.copy()
    assert told_at_first == items.expected()

    database.analyst.execute(there)
    proxy.cut()
    database.start_run("items")
    wait_until(lambda: proxy.cuts > 0, "the change was sent and its answer lost")
    cluster.stop("immediate")
    assert replay.apply(queue.drain()).rows != told_at_first
    sent_again_before = replay.duplicates

    # No one answers until the row is back, so that the change stays in doubt until then.
    proxy.refuse()
    cluster.start()
    database.connect()
    database.analyst.execute(back)
    proxy.pass_on()
    items.connection = database.analyst
    run = database.run("items")
    replay.apply(queue.drain())

    assert run.state == "succeeded"
    assert replay.rows == items.expected() == told_at_first
    assert replay.duplicates > sent_again_before, "the change in doubt is sent again under its own change id"


@pytest.fixture
def told(database, queue, proxy):
    """A sync whose ten rows the consumer knows, row 1 being at A."""
    items = Items(database.analyst).create().fill(10)
    database.analyst.execute("UPDATE items SET name = 'A' WHERE id = 1")
    database.point_at(proxy.endpoint)
    database.create_sync("items", queue.name, model="item_rows", retry_for="1 second", **BODIES["template"])
    database.run("items")
    return items, Replay().apply(queue.drain())


def start_and_lose_the_answer(database, proxy):
    proxy.cut()
    run_id = database.start_run("items")
    wait_until(lambda: proxy.cuts > 0, "the change was sent and its answer lost")
    return run_id


def ends_at_the_model(database, queue, items, replay):
    assert database.run("items").state == "succeeded"
    assert replay.apply(queue.drain()).rows == items.expected()


def test_what_a_later_run_could_not_send_stays_in_doubt(database, queue, proxy, told):
    items, replay = told
    database.analyst.execute(CHANGED[0])
    assert database.wait_for(start_and_lose_the_answer(database, proxy)).in_doubt == 1
    proxy.refuse()
    later = database.run("items")
    assert (later.state, later.in_doubt) == ("failed", 1)
    database.analyst.execute(CHANGED[1])
    proxy.pass_on()
    ends_at_the_model(database, queue, items, replay)


def test_what_a_dead_runner_sent_stays_in_doubt_when_its_run_is_cancelled(database, queue, proxy, told):
    items, replay = told
    database.alter_sync("items", retry_for="10 minutes")
    database.analyst.execute(CHANGED[0])
    run_id = start_and_lose_the_answer(database, proxy)
    proxy.refuse()
    (runner,) = database.processes("runner")
    database.admin.execute("SELECT pg_terminate_backend(%s)", (runner,))
    wait_until(lambda: database.processes("runner") not in ([], [runner]), "another runner goes on")
    database.analyst.execute("SELECT sqs_sync_cancel(%s)", (run_id,))
    cancelled = database.wait_for(run_id)
    assert (cancelled.state, cancelled.in_doubt) == ("cancelled", 1)
    database.analyst.execute(CHANGED[1])
    proxy.pass_on()
    ends_at_the_model(database, queue, items, replay)


def test_what_is_in_doubt_is_sent_as_it_was_defined_then(database, queue, proxy, told):
    items, replay = told
    database.analyst.execute(CHANGED[0])
    database.wait_for(start_and_lose_the_answer(database, proxy))
    queue.drain()
    database.alter_sync("items", template='{"other": {{row.id}}}')
    proxy.pass_on()
    assert database.run("items").published == 1
    (message,) = queue.drain()
    assert '"name": "B"' in message.body
