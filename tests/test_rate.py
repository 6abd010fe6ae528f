"""max_messages_per_second: no more than the consumer bears."""

import psycopg
import pytest

from support.deadline import wait_until
from support.running import fresh_name
from support.sink import Sink


@pytest.fixture(scope="module")
def sink(tmp_path_factory):
    sink = Sink(tmp_path_factory.mktemp("sink") / "log").start()
    yield sink
    sink.stop()


@pytest.fixture
def limited(database, items, sink):
    """A sync of 300 rows in order, of a hundred messages a second."""
    items.fill(300)
    database.point_at(sink.endpoint)
    database.queue = sink.create_queue(fresh_name("items"))
    database.create_sync("items", sink.queue_url(database.queue), model="item_rows", template='{"id": {{row.id}}}', order_by="id",
                         retry_for="1 second", max_messages_per_second=100)
    return database


def seconds(run):
    return (run.finished_at - run.started_at).total_seconds()


def test_a_run_keeps_to_the_limit_and_one_without_does_not(limited, sink):
    run = limited.run("items")
    assert (run.state, run.published, run.calls) == ("succeeded", 300, 30), "requests are full, as they are paid for"
    # All but the first request wait for their turn, longer than a message is tried.
    assert seconds(run) >= 2.9 * 0.95
    assert sink.missing(limited.queue, 1, 300) == 0

    limited.alter_sync("items", reset="{max_messages_per_second}")
    assert limited.value("SELECT max_messages_per_second FROM sqs_sync.syncs") is None
    limited.analyst.execute("SELECT sqs_sync_resync('items')")
    free = limited.run("items")
    assert (free.state, free.published) == ("succeeded", 300) and seconds(free) < seconds(run)


def test_a_run_that_waits_says_so_and_is_cancelled_at_once(limited):
    limited.alter_sync("items", max_messages_per_second=0.01)
    assert limited.value("SELECT max_messages_per_second FROM sqs_sync.syncs") == 0.01
    run_id = limited.start_run("items")
    why = "SELECT why FROM sqs_sync.progress WHERE published = 1"
    wait_until(lambda: limited.rows(why) == [("max_messages_per_second",)], "what holds it is told")
    limited.analyst.execute("SELECT sqs_sync_cancel(%s)", (run_id,))
    run = limited.wait_for(run_id, "10 seconds")
    assert (run.state, run.published, run.in_doubt) == ("cancelled", 1, 0)


@pytest.mark.parametrize("rate", [0, -1, "NaN", "Infinity"])
def test_a_limit_that_is_none_is_refused(limited, rate):
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="max_messages_per_second"):
        limited.alter_sync("items", max_messages_per_second=rate)
