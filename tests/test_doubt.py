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
