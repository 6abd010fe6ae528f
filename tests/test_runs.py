"""Runs: asked for, waited for, cancelled; side by side, and never two of one sync."""

import threading
import time

import psycopg
import pytest

from support.deadline import wait_until
from support.items import BODIES


@pytest.fixture
def synced(database, items, queue, proxy):
    """A sync of 500 rows that publishes through the proxy."""
    items.fill(500)
    database.point_at(proxy.endpoint)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    return database


def publishing(database, run_id):
    return lambda: database.run_row(run_id).state == "publishing"


def test_a_run_id_comes_at_once(synced, proxy):
    proxy.delay(1000)
    start = time.monotonic()
    run_id = synced.start_run("items")
    assert time.monotonic() - start < 1
    assert synced.run_row(run_id).finished_at is None
    assert synced.wait_for(run_id).state == "succeeded"


def test_asked_again_while_queued_it_is_the_same_run(synced):
    with synced.analyst.transaction():
        assert synced.start_run("items") == synced.start_run("items")


def test_asked_while_running_one_more_is_queued_and_they_do_not_overlap(synced, proxy):
    proxy.throttle(requests_a_second=20)
    first = synced.start_run("items")
    wait_until(publishing(synced, first), "the first run publishes")
    second = synced.start_run("items")
    assert second != first
    assert synced.start_run("items") == second
    assert synced.wait_for(second).state == "succeeded"
    assert synced.run_row(second).started_at >= synced.run_row(first).finished_at


def test_runs_of_different_syncs_go_side_by_side_up_to_max_runners(synced, queue, proxy):
    for name in ("two", "three"):
        synced.create_sync(name, queue.name, model="item_rows", **BODIES["template"])
    proxy.throttle(requests_a_second=40)
    runs = [synced.start_run(name) for name in ("items", "two", "three")]

    most, waiting_said = 0, False
    while any(synced.run_row(run_id).finished_at is None for run_id in runs):
        most = max(most, len(synced.processes("runner")))
        waiting_said |= synced.value("SELECT count(waiting_for) FROM sqs_sync.runs WHERE state = 'queued'") > 0

    assert most == int(synced.value("SHOW sqs_sync.max_runners")) == 2
    assert waiting_said, "a queued run says it still is queued"
    assert {synced.run_row(run_id).state for run_id in runs} == {"succeeded"}


def test_waiting_for_a_run_that_is_not_committed_is_an_error(synced):
    with synced.analyst.transaction(force_rollback=True):
        run_id = synced.start_run("items")
        with pytest.raises(psycopg.Error) as refused:
            synced.wait_for(run_id)
    assert refused.value.sqlstate == "55000"


def test_waiting_under_repeatable_read_is_refused(synced):
    run_id = synced.start_run("items")
    synced.wait_for(run_id)
    synced.analyst.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    with pytest.raises(psycopg.Error) as refused:
        synced.wait_for(run_id)
    synced.analyst.execute("ROLLBACK")
    assert refused.value.sqlstate in ("0A000", "25001", "55000")


def test_a_wait_times_out(synced, proxy):
    proxy.throttle(requests_a_second=10)
    run_id = synced.start_run("items")
    with pytest.raises(psycopg.errors.QueryCanceled):
        synced.wait_for(run_id, "0.5 seconds")
    proxy.pass_on()
    assert synced.wait_for(run_id).state == "succeeded"


def test_waiting_for_an_unknown_run_is_an_error(synced):
    with pytest.raises(psycopg.errors.UndefinedObject, match="123456"):
        synced.wait_for(123456)


def test_a_cancelled_run_ends_and_the_next_sends_the_rest(synced, items, queue, proxy):
    items.fill(5000, first=501)
    proxy.throttle(requests_a_second=50)
    run_id = synced.start_run("items")
    wait_until(lambda: proxy.requests > 3, "some messages are sent")
    synced.analyst.execute("SELECT sqs_sync_cancel(%s)", (run_id,))
    cancelled = synced.wait_for(run_id, "15 seconds")
    assert cancelled.state == "cancelled" and cancelled.published < 5000, cancelled

    proxy.pass_on()
    assert synced.run("items").state == "succeeded"
    assert {int(message.attributes["key"]) for message in queue.drain()} == set(range(1, 5001))


def test_a_queued_run_can_be_cancelled(synced, proxy):
    proxy.throttle(requests_a_second=20)
    first = synced.start_run("items")
    wait_until(publishing(synced, first), "the first run publishes")
    second = synced.start_run("items")
    synced.analyst.execute("SELECT sqs_sync_cancel(%s)", (second,))
    assert synced.wait_for(second).state == "cancelled"
    proxy.pass_on()
    assert synced.wait_for(first).state == "succeeded"


def test_run_and_wait_tells_its_progress_and_returns_at_the_end(synced, queue, proxy):
    proxy.throttle(requests_a_second=15)
    notices = []
    synced.analyst.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    synced.analyst.execute("CALL sqs_sync_run_and_wait('items')")
    assert synced.value("SELECT state FROM sqs_sync.runs") == "succeeded"
    assert any("500" in notice for notice in notices), notices
    assert len(queue.drain()) == 500


def test_run_and_wait_fails_when_the_run_fails(synced, proxy):
    synced.alter_sync("items", retry_for="0.1 seconds")
    proxy.refuse()
    with pytest.raises(psycopg.Error, match=f"127.0.0.1:{proxy.port}"):
        synced.analyst.execute("CALL sqs_sync_run_and_wait('items')")


def test_cancelling_run_and_wait_ends_the_waiting_promptly(synced, proxy):
    proxy.throttle(requests_a_second=2)
    canceller = threading.Thread(target=lambda: (
        wait_until(lambda: proxy.requests > 0, "the run sends"), synced.analyst.cancel_safe(timeout=10)))
    canceller.start()
    start = time.monotonic()
    with pytest.raises(psycopg.errors.QueryCanceled):
        synced.analyst.execute("CALL sqs_sync_run_and_wait('items')")
    canceller.join()
    assert time.monotonic() - start < 10
    proxy.pass_on()
    assert wait_until(lambda: synced.row("SELECT * FROM sqs_sync.runs").finished_at, "the run has ended", 60)


def test_run_and_wait_holds_no_snapshot(synced, proxy):
    proxy.throttle(requests_a_second=10)
    waiter = synced.connection_of("analyst")
    thread = threading.Thread(target=lambda: waiter.execute("CALL sqs_sync_run_and_wait('items')"))
    thread.start()
    oldest, first_seen = 0, {}
    while thread.is_alive():
        now = time.monotonic()
        held = {(row.backend_xmin, row.xact_start) for row in synced.admin.execute(
            "SELECT backend_xmin::text, xact_start FROM pg_stat_activity WHERE pid = %s AND backend_xmin IS NOT NULL",
            (waiter.info.backend_pid,))}
        first_seen = {snapshot: first_seen.get(snapshot, now) for snapshot in held}
        oldest = max([oldest] + [now - seen for seen in first_seen.values()])
    assert oldest < 2
    assert synced.value("SELECT published FROM sqs_sync.runs") == 500


def test_an_initial_run_that_skips_sends_nothing_and_later_changes_are_sent(database, items, queue):
    items.fill(100)
    database.create_sync("items", queue.name, model="item_rows", initial="skip", **BODIES["template"])
    first = database.run("items")
    assert (first.state, first.rows_silent, first.published) == ("succeeded", 100, 0)
    assert queue.drain() == []

    items.set_name(7, "renamed")
    assert database.run("items").published == 1
    assert [message.attributes["key"] for message in queue.drain()] == ["7"]


def test_a_failed_first_run_does_not_end_the_skipping(database, items, queue):
    items.fill(100)
    database.create_sync("items", queue.name, model="item_rows", initial="skip", **BODIES["template"])
    definition = database.value("SELECT pg_get_viewdef('item_rows'::regclass)")
    database.analyst.execute("DROP VIEW item_rows")
    assert database.run("items").state == "failed"

    database.analyst.execute(f"CREATE VIEW item_rows AS {definition}")
    assert database.run("items").rows_silent == 100
    assert queue.drain() == []


def test_an_event_that_is_not_published_moves_the_snapshot_silently(database, items, queue):
    items.fill(100)
    database.create_sync("items", queue.name, model="item_rows", events="{changed}", **BODIES["template"])
    backfill = database.run("items")
    assert (backfill.rows_added, backfill.rows_silent, backfill.published) == (100, 100, 0)

    items.set_name(7, "renamed")
    database.analyst.execute("DELETE FROM items WHERE id > 90")
    database.run("items")
    assert [message.attributes["event"] for message in queue.drain()] == ["changed"]
    assert database.run("items").rows_removed == 0


def test_a_run_of_someone_else_is_out_of_reach(synced):
    run_id = synced.start_run("items")
    synced.wait_for(run_id)
    other = synced.connection_of("other")
    for function in ("sqs_sync_wait", "sqs_sync_cancel"):
        with pytest.raises(psycopg.Error) as refused:
            other.execute(f"SELECT {function}(%s)", (run_id,))
        assert refused.value.sqlstate in ("42501", "42704")
