"""With order_by, the changes of a run have their ids in the model's order."""

import pytest


@pytest.fixture
def prices(database):
    database.analyst.execute("CREATE TABLE prices (id integer PRIMARY KEY, amount numeric, note text)")
    database.analyst.execute("INSERT INTO prices VALUES (1, 5, 'b'), (2, NULL, 'a'), (3, 7, 'c'), (4, 5, 'a')")
    return database


def told(database, queue):
    """Event and key of each message, by change id."""
    assert database.run("prices").state == "succeeded"
    attributes = [message.attributes for message in queue.drain()]
    return [(a["event"], int(a["key"])) for a in sorted(attributes, key=lambda a: int(a["change_id"]))]


@pytest.mark.parametrize("order_by, expected", [
    ("amount, note", [4, 1, 3, 2]),
    ("amount DESC, \"note\" asc", [2, 3, 4, 1]),
    ("amount desc nulls last, id desc", [3, 4, 1, 2]),
    ("amount NULLS FIRST, note desc", [2, 1, 4, 3]),
])
def test_changes_are_numbered_in_the_models_order(prices, queue, order_by, expected):
    prices.create_sync("prices", queue.name, model="prices", order_by=order_by, fields='["id"]')
    assert told(prices, queue) == [("added", key) for key in expected]


def test_removed_rows_take_their_old_place_and_come_before_added_ones_on_a_tie(prices, queue):
    prices.create_sync("prices", queue.name, model="prices", order_by="amount", fields='["id"]')
    told(prices, queue)
    prices.analyst.execute("DELETE FROM prices WHERE id IN (1, 3)")
    prices.analyst.execute("INSERT INTO prices VALUES (5, 5, 'x'), (6, 1, 'y')")
    assert told(prices, queue) == [("added", 6), ("removed", 1), ("added", 5), ("removed", 3)]
