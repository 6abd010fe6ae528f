"""Groups: in order each, apart from one another, and nothing of what waits in memory or in doubt."""

import pytest

from support.deadline import wait_until
from support.running import fresh_name
from support.sink import Sink

FAULTS = {
    "throttled_share": 0.03, "failed_share": 0.05, "missing_share": 0.02,
    "cut_share": 0.02, "reset_before_share": 0.02, "reset_after_share": 0.02,
}
# 3,000 rows of one group stand before ten rows of each of a hundred others.
SLOW, OTHERS, EACH = 3_000, 100, 10
LAST = SLOW + OTHERS * EACH
ORDERS = """
    CREATE TABLE orders AS
    SELECT i AS id, CASE WHEN i <= %(slow)s THEN 'slow' ELSE 'customer-' || i %% %(others)s END AS customer,
           'contents' AS contents
    FROM generate_series(1, %(last)s) i;"""


@pytest.fixture(scope="module")
def sink(tmp_path_factory):
    sink = Sink(tmp_path_factory.mktemp("sink") / "log").start()
    yield sink
    sink.stop()


@pytest.fixture
def orders(database, sink):
    """A sync of grouped orders to a FIFO queue, and the queue."""
    database.analyst.execute(ORDERS % {"slow": SLOW, "others": OTHERS, "last": LAST})
    database.point_at(sink.endpoint)
    queue = sink.create_queue(fresh_name("orders") + ".fifo")
    database.create_sync("orders", queue, model="orders", fields='["id", "customer", "contents"]',
                         attributes={}, group_id="{{row.customer}}", order_by="id", retry_for="1 hour")
    return queue


def others_have_arrived(sink, queue):
    return lambda: sink.missing(queue, SLOW + 1, LAST) == 0


def test_100_000_rows_of_a_slow_group_hold_up_no_other_of_1_000_groups(database, sink):
    slow, others, last = 100_000, 1_000, 110_000
    database.analyst.execute(ORDERS % {"slow": slow, "others": others, "last": last})
    database.point_at(sink.endpoint)
    queue = sink.create_queue(fresh_name("orders") + ".fifo", group_messages_per_second=10)
    database.create_sync("orders", queue, model="orders", fields='["id", "customer", "contents"]',
                         attributes={}, group_id="{{row.customer}}", order_by="id", retry_for="1 hour")
    run_id = database.start_run("orders")

    wait_until(lambda: sink.missing(queue, slow + 1, last) == 0, "all other groups have been told", 60)

    assert database.run_row(run_id).state == "publishing"
    waiting = database.admin.execute("SELECT count(*) FROM sqs_sync.waiting").fetchone()[0]
    assert waiting > 0.9 * slow, "what waits, waits in a table"
    assert sink.missing(queue, 1, slow) > 0.9 * slow
    database.analyst.execute("SELECT sqs_sync_cancel(%s)", (run_id,))
    cancelled = database.wait_for(run_id)
    assert cancelled.state == "cancelled" and cancelled.in_doubt <= 20
    counts = sink.counts(queue)
    assert (counts["groups"], counts["duplicates"], counts["out_of_order"]) == (others + 1, 0, 0)


def test_what_was_set_aside_when_a_run_is_cancelled_was_never_sent_and_is_found_again(database, sink, orders):
    sink.set(queue=orders, group_messages_per_second=10)
    run_id = database.start_run("orders")
    wait_until(others_have_arrived(sink, orders), "all other groups have been told")
    database.analyst.execute("SELECT sqs_sync_cancel(%s)", (run_id,))
    cancelled = database.wait_for(run_id)
    assert cancelled.state == "cancelled" and cancelled.in_doubt <= 20

    sink.set(queue=orders, group_messages_per_second=None)
    again = database.run("orders")

    assert (again.state, again.in_doubt) == ("succeeded", 0)
    assert again.rows_added > SLOW / 2, "they were dropped, not kept as in doubt"
    assert database.admin.execute("SELECT count(*) FROM sqs_sync.waiting").fetchone()[0] == 0
    counts = sink.counts(orders)
    assert (counts["distinct"], counts["duplicates"], counts["out_of_order"]) == (LAST, 0, 0)


def test_a_run_goes_on_with_what_waits_after_its_runner_was_killed(durable_database, sink):
    database = durable_database
    database.analyst.execute(ORDERS % {"slow": SLOW, "others": OTHERS, "last": LAST})
    database.point_at(sink.endpoint)
    queue = sink.create_queue(fresh_name("orders") + ".fifo", group_messages_per_second=10)
    database.create_sync("orders", queue, model="orders", fields='["id"]', attributes={},
                         group_id="{{row.customer}}", order_by="id", retry_for="1 hour")
    run_id = database.start_run("orders")
    wait_until(others_have_arrived(sink, queue), "all other groups have been told")
    database.cluster.kill_and_await_recovery(database.processes("runner")[0])
    database.connect()
    sink.set(queue=queue, group_messages_per_second=None)

    run = database.wait_for(run_id)

    assert (run.state, run.in_doubt) == ("succeeded", 0)
    counts = sink.counts(queue)
    assert (counts["distinct"], counts["duplicates"], counts["out_of_order"]) == (LAST, 0, 0)
    assert database.run("orders").published == 0


@pytest.mark.parametrize("order_by", ["id", None])
def test_each_group_gets_its_messages_once_and_in_order_whatever_fails(database, sink, order_by):
    rows = 10_000
    database.analyst.execute(
        f"CREATE TABLE orders AS SELECT i AS id, 'customer-' || i * 7919 % 53 AS customer FROM generate_series(1, {rows}) i")
    database.point_at(sink.endpoint)
    queue = sink.create_queue(fresh_name("orders") + ".fifo", **FAULTS)
    database.create_sync("orders", queue, model="orders", fields='["id"]', attributes={},
                         group_id="{{row.customer}}", **({"order_by": order_by} if order_by else {}))

    run = database.run("orders")

    counts = sink.counts(queue)
    assert (run.state, run.published, run.in_doubt) == ("succeeded", rows, 0)
    assert (counts["distinct"], counts["duplicates"]) == (rows, 0)
    assert counts["failed_entries"] and counts["cut_answers"] and counts["resets_after"]
    if order_by:
        assert counts["out_of_order"] == 0, counts["first_out_of_order"]


def test_a_slow_queue_holds_up_no_other(database, sink):
    slow, quick = sink.create_queue(fresh_name("slow")), sink.create_queue(fresh_name("quick"))
    sink.set(queue=slow, queue_messages_per_second=100)
    database.analyst.execute(f"""
        CREATE TABLE orders AS SELECT i AS id, CASE WHEN i <= 8000 THEN '{slow}' ELSE '{quick}' END AS queue
        FROM generate_series(1, 9000) i""")
    database.point_at(sink.endpoint)
    database.create_sync("orders", "{{row.queue}}", model="orders", fields='["id"]', attributes={}, retry_for="1 hour")

    run_id = database.start_run("orders")

    wait_until(lambda: sink.missing(quick, 8001, 9000) == 0, "the quick queue has all of its messages")
    assert database.run_row(run_id).state == "publishing"
    sink.set(queue=slow, queue_messages_per_second=None)
    assert database.wait_for(run_id).published == 9000
    assert (sink.counts(slow)["distinct"], sink.counts(quick)["distinct"]) == (8000, 1000)


def test_a_queue_that_does_not_exist_or_is_not_given_takes_no_other_with_it(database, sink):
    good = sink.create_queue(fresh_name("good"))
    database.analyst.execute(f"""
        CREATE TABLE orders AS SELECT i AS id, CASE WHEN i % 2 = 0 THEN 'no-such-queue' ELSE '{good}' END AS queue
        FROM generate_series(1, 200) i""")
    database.point_at(sink.endpoint)
    database.create_sync("orders", "{{row.queue}}", model="orders", fields='["id"]', attributes={})

    run = database.run("orders")

    assert (run.state, run.published, run.rejected, run.in_doubt) == ("partly_failed", 100, 100, 0)
    assert sink.counts(good)["distinct"] == 100
    [reason] = {r.reason for r in database.rejections("orders")}
    assert "no-such-queue" in reason
    database.analyst.execute("UPDATE orders SET queue = %s", (good,))
    assert database.run("orders").published == 100


def test_a_group_that_is_given_up_ends_for_this_run_and_others_go_on(database, sink, orders):
    database.alter_sync("orders", retry_for="1 second")
    sink.set(queue=orders, group_messages_per_second=0.01)
    database.analyst.execute("DELETE FROM orders WHERE id > 20 AND id <= %s", (SLOW,))
    sink_takes_all = {"group_messages_per_second": None}

    failed = database.run("orders")

    assert failed.state == "failed" and "throttle" in failed.error.lower()
    assert failed.in_doubt == 0
    sink.set(queue=orders, **sink_takes_all)
    assert database.run("orders").state == "succeeded"
    counts = sink.counts(orders)
    assert (counts["distinct"], counts["duplicates"], counts["out_of_order"]) == (20 + OTHERS * EACH, 0, 0)


def test_a_group_that_failed_keeps_its_order_when_the_runner_dies(durable_database, sink):
    """Its first message is given up, the runner is killed, and the next one begins with that first one."""
    database = durable_database
    failing = sink.create_queue(fresh_name("failing") + ".fifo", throttled_share=1)
    slow = sink.create_queue(fresh_name("slow") + ".fifo", group_messages_per_second=5)
    database.analyst.execute(f"""
        CREATE TABLE orders AS SELECT i AS id, CASE WHEN i % 6 = 0 THEN '{failing}' ELSE '{slow}' END AS queue
        FROM generate_series(1, 600) i""")
    database.point_at(sink.endpoint)
    database.create_sync("orders", "{{row.queue}}", model="orders", fields='["id"]', attributes={},
                         group_id="all", order_by="id", retry_for="2 seconds")
    run_id = database.start_run("orders")
    wait_until(lambda: {6, 600} <= {row[0] for row in database.admin.execute(
        "SELECT c.id FROM sqs_sync_data.changes_1 c JOIN sqs_sync.waiting ON change_id = sqs_sync_change_id")},
        "the first of the failing queue has been given up, and what comes after it set aside")
    database.cluster.kill_and_await_recovery(database.processes("runner")[0])
    database.connect()
    for queue in (failing, slow):
        sink.set(queue=queue, throttled_share=None, group_messages_per_second=None)

    assert database.wait_for(run_id).state == "succeeded"

    assert sink.missing(failing, 1, 600) == 500 and sink.missing(slow, 1, 600) == 100
    for queue in (failing, slow):
        counts = sink.counts(queue)
        assert (counts["duplicates"], counts["out_of_order"]) == (0, 0), counts


@pytest.mark.parametrize("groups", [500, 2000, 8000])
def test_a_queue_that_only_fails_leaves_room_for_others(database, sink, groups):
    dead, good = sink.create_queue(fresh_name("dead"), throttled_share=1), sink.create_queue(fresh_name("good"))
    database.analyst.execute(f"""
        CREATE TABLE orders AS SELECT i AS id, CASE WHEN i <= 20000 THEN '{dead}' ELSE '{good}' END AS queue, i % {groups} AS customer
        FROM generate_series(1, 21000) i""")
    database.point_at(sink.endpoint)
    database.create_sync("orders", "{{row.queue}}", model="orders", fields='["id"]', attributes={}, retry_for="1 hour",
                         group_id="{{row.customer}}")

    run_id = database.start_run("orders")

    wait_until(lambda: sink.missing(good, 20001, 21000) == 0, "the good queue has all of its messages")
    assert database.run_row(run_id).state == "publishing"
    assert sink.counts(dead)["distinct"] == 0
