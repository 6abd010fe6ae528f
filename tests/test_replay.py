"""A consumer that replays the messages ends with exactly the model's rows."""

import pytest

from support.items import BODIES
from support.replay import Replay, shuffled_and_partly_doubled

ROUNDS = 20


@pytest.mark.e2e
@pytest.mark.parametrize("body", BODIES)
def test_replay_of_backfill_and_random_rounds_is_the_model(database, items, queue, body):
    items.fill(2000)
    database.create_sync("items", queue.name, model="item_rows", **BODIES[body])
    replay, everything = Replay(), []

    backfill = database.run("items")
    assert (backfill.state, backfill.rows_added, backfill.published) == ("succeeded", 2000, 2000)
    everything += queue.drain()
    assert replay.apply(everything).rows == items.expected()

    for _ in range(ROUNDS):
        items.change_at_random()
        run = database.run("items")
        assert (run.state, run.rejected, run.in_doubt) == ("succeeded", 0, 0)
        messages = queue.drain()
        assert len(messages) == run.published == run.rows_added + run.rows_changed + run.rows_removed
        everything += messages
        assert replay.apply(messages).rows == items.expected()

    assert replay.duplicates == 0
    for seed in range(5):
        delivered = shuffled_and_partly_doubled(everything, seed)
        assert Replay().apply(delivered).rows == items.expected()


def test_a_run_without_changes_sends_nothing(database, items, queue):
    items.fill(50)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    database.run("items")
    queue.drain()

    run = database.run("items")

    assert (run.state, run.rows_added, run.rows_changed, run.rows_removed) == ("succeeded", 0, 0, 0)
    assert queue.drain() == []


def test_an_update_that_changes_nothing_is_not_sent(database, items, queue):
    items.fill(50)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    database.run("items")
    queue.drain()

    database.analyst.execute("UPDATE items SET name = name, amount = amount")
    items.set_name(7, "new")
    database.run("items")

    assert [message.attributes["key"] for message in queue.drain()] == ["7"]


def test_a_message_says_its_event_key_and_change_id(database, items, queue):
    items.fill(3)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    database.run("items")
    added = queue.drain()
    items.set_name(1, "renamed")
    database.analyst.execute("DELETE FROM items WHERE id = 2")
    database.run("items")
    later = {message.attributes["key"]: message for message in queue.drain()}

    assert {m.attributes["event"] for m in added} == {"added"}
    assert later["1"].attributes["event"] == "changed"
    assert later["2"].attributes["event"] == "removed"
    assert '"name": "item 2"' in later["2"].body, "a removed row is told by its last known contents"
    first_ids = [int(m.attributes["change_id"]) for m in added]
    later_ids = [int(m.attributes["change_id"]) for m in later.values()]
    assert max(first_ids) < min(later_ids)


def test_composite_keys_replay_too(database, queue):
    database.analyst.execute("""
        CREATE TABLE stock (place text, product integer, pieces integer, PRIMARY KEY (place, product));
        INSERT INTO stock SELECT p, i, i * 10 FROM unnest('{north,south}'::text[]) p, generate_series(1, 20) i""")
    database.create_sync("stock", queue.name, model="stock", key="place, product",
                         fields='{"place": "place", "product": "product", "pieces": "pieces"}')
    database.run("stock")
    database.analyst.execute("UPDATE stock SET pieces = 0 WHERE product = 3")
    database.analyst.execute("DELETE FROM stock WHERE place = 'south' AND product > 10")
    database.run("stock")

    replayed = Replay().apply(queue.drain()).rows.values()

    model = database.rows("SELECT place, product, pieces FROM stock")
    assert sorted((row["place"], row["product"], row["pieces"]) for row in replayed) == sorted(model)
