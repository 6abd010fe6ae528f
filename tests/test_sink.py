"""Publishing to a queue that fails in every way at once: the sink counts what arrives."""

import pytest

from support.running import fresh_name
from support.sink import Sink

ROWS = 20_000
GROUPS, ROWS_IN_GROUPS = 1_000, 100_000
# Of requests or entries, as the sink's settings say. A whole request fails in about one case in ten.
FAULTS = {
    "throttled_share": 0.03,
    "failed_share": 0.02,
    "missing_share": 0.02,
    "cut_share": 0.02,
    "reset_before_share": 0.02,
    "reset_after_share": 0.02,
}


@pytest.fixture(scope="module")
def sink(tmp_path_factory):
    sink = Sink(tmp_path_factory.mktemp("sink") / "log").start()
    yield sink
    sink.stop()


def check_that_all_faults_happened(counts):
    happened = {what: counts[what] for what in (
        "throttled_requests", "failed_entries", "missing_entries", "cut_answers", "resets_before", "resets_after")}
    assert all(happened.values()), happened


def test_nothing_is_lost_to_partial_failures_throttling_cut_answers_and_resets(database, items, sink):
    items.fill(ROWS)
    database.point_at(sink.endpoint)
    queue = sink.create_queue(fresh_name("queue"), **FAULTS)
    database.create_sync("items", queue, model="item_rows", fields='["id", "name"]')

    run = database.run("items")
    counts = sink.counts(queue)

    assert (run.state, run.published, run.rejected, run.in_doubt) == ("succeeded", ROWS, 0, 0)
    assert (sink.missing(queue, 1, ROWS), counts["distinct"], counts["without_id"]) == (0, ROWS, 0)
    check_that_all_faults_happened(counts)
    assert counts["duplicates"] == counts["delivered"] - ROWS
    # Only what may not have arrived is sent again.
    unanswered = 10 * (counts["cut_answers"] + counts["resets_after"]) + counts["missing_entries"]
    assert 0 < counts["duplicates"] <= unanswered
    assert database.run("items").rows_added == 0, "the snapshot holds all that was acknowledged"


def test_a_fifo_queue_gets_each_of_100_000_changes_once_and_each_group_in_the_models_order_despite_all_faults(
        database, sink):
    """The model's order is that of `place`, which is neither the key's nor that in which the rows lie."""
    database.analyst.execute(f"""
        CREATE TABLE orders AS
        SELECT i AS id, 'customer-' || i * 7919 % {GROUPS} AS customer, (i * 7907 + i / {GROUPS})::bigint % 1000003 AS place
        FROM generate_series(1::bigint, {ROWS_IN_GROUPS}) i""")
    database.point_at(sink.endpoint)
    queue = sink.create_queue(fresh_name("queue") + ".fifo", sequence_name="place", **FAULTS)
    database.create_sync("orders", queue, model="orders", group_id="{{row.customer}}", order_by="place, id",
                         fields='["id", "place"]', attributes={})

    run = database.wait_for(database.start_run("orders"), timeout="5 minutes")
    counts = sink.counts(queue)

    assert (run.state, run.published, run.rejected, run.in_doubt) == ("succeeded", ROWS_IN_GROUPS, 0, 0), run.error
    assert (sink.missing(queue, 1, ROWS_IN_GROUPS), counts["distinct"], counts["without_id"]) == (0, ROWS_IN_GROUPS, 0)
    check_that_all_faults_happened(counts)
    assert counts["suppressed"] > 1_000, "they were sent again, with the deduplication ids that they had"
    assert (counts["duplicates"], counts["groups"], counts["out_of_order"]) == (0, GROUPS, 0), counts["first_out_of_order"]
    again = database.run("orders")
    assert (again.rows_added, again.rows_changed, again.published) == (0, 0, 0)
