"""What one sees of runs: while they wait and go on, when they are over, and what they come to."""

import re

import psycopg
import pytest

from support.deadline import wait_until
from support.items import BODIES
from support.running import fresh_name
from support.sink import Sink


@pytest.fixture
def synced(database, items, queue, proxy):
    """A sync of 500 rows that publishes through the proxy."""
    items.fill(500)
    database.point_at(proxy.endpoint)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    return database


@pytest.fixture(scope="module")
def sink(tmp_path_factory):
    sink = Sink(tmp_path_factory.mktemp("sink") / "log").start()
    yield sink
    sink.stop()


def progress(database, condition="true"):
    return database.row(f"SELECT * FROM sqs_sync.progress WHERE {condition}")


def activity(database, kind="runner"):
    found = database.admin.execute("SELECT query FROM pg_stat_activity WHERE backend_type = 'sqs_sync ' || %s"
                                   " AND datname = current_database()", (kind,)).fetchone()
    return found.query if found else ""


# Progress ---------------------------------------------------------------------------------

def test_a_run_that_publishes_tells_how_far_it_is_how_fast_it_goes_and_when_it_ends(synced, proxy):
    proxy.throttle(requests_a_second=10)
    run_id = synced.start_run("items")
    row = wait_until(lambda: progress(synced, "phase = 'publishing' AND rate > 0 AND published >= 100"), "its rate is told")
    assert (row.run_id, row.sync, row.total) == (run_id, "items", 500)
    assert row.published + row.in_doubt + row.waiting + row.rejected == 500 or row.in_doubt > 0
    assert row.percent == row.published // 5
    assert 20 <= row.rate <= 400
    assert 0 <= row.time_left.total_seconds() <= 30
    assert 0 < row.in_flight <= row.in_flight_limit
    assert row.calls > 0 and row.bytes > 0 and row.sent.endswith(("bytes", "kB"))
    assert row.elapsed.microseconds == 0
    assert row.pid in synced.processes("runner")
    wait_until(lambda: re.fullmatch(r"sync items: publishing \d+ of 500", activity(synced)), "the activity says so")
    assert synced.wait_for(run_id).state == "succeeded"
    assert synced.rows("SELECT * FROM sqs_sync.progress") == []


def test_a_run_that_waits_is_shown_with_what_it_waits_for(synced, proxy):
    proxy.throttle(requests_a_second=20)
    first = synced.start_run("items")
    wait_until(lambda: progress(synced, "phase = 'publishing'"), "the first publishes")
    second = synced.start_run("items")
    waiting = progress(synced, f"run_id = {second}")
    assert (waiting.phase, waiting.total, waiting.pid) == ("queued", None, None) and waiting.why
    synced.analyst.execute("SELECT sqs_sync_pause('items')")
    assert progress(synced, f"run_id = {second}").why == "sqs_sync_resume"
    assert "1 under way" in wait_until(lambda: activity(synced, "worker"), "the worker says what there is")
    synced.analyst.execute("SELECT sqs_sync_resume('items')")
    proxy.pass_on()
    assert [synced.wait_for(run).state for run in (first, second)] == ["succeeded", "succeeded"]


def test_what_is_in_doubt_is_a_phase_of_its_own_and_is_counted(synced, proxy):
    """On a standard queue each of these may be there twice."""
    synced.alter_sync("items", retry_for="0 seconds")
    proxy.cut()
    failed = synced.run("items")
    assert failed.state == "failed" and failed.in_doubt > 0
    assert sum(failed.reasons.values()) >= failed.in_doubt and failed.failed_calls > 0
    proxy.pass_on()
    synced.alter_sync("items", retry_for="5 minutes")
    proxy.throttle(requests_a_second=5)
    run_id = synced.start_run("items")
    row = wait_until(lambda: progress(synced, "phase = 'resending'"), "it sends what is in doubt")
    assert row.total == failed.in_doubt
    proxy.pass_on()
    run = synced.wait_for(run_id)
    assert (run.state, run.resent, run.possible_duplicates) == ("succeeded", failed.in_doubt, failed.in_doubt)
    stats = synced.row("SELECT * FROM sqs_sync.stats")
    assert (stats.resent, stats.failed, stats.succeeded) == (failed.in_doubt, 1, 1)


def test_a_diff_tells_how_many_rows_it_has_read(database, items, queue):
    items.fill(1500)
    database.create_sync("items", queue.name, initial="skip", template="1",
                         # In order already: what sorts reads everything before the first row is compared.
                         model="SELECT id, name, pg_sleep(0.002)::text AS slept FROM items ORDER BY id")
    run_id = database.start_run("items")
    row = wait_until(lambda: progress(database, "rows_read > 0"), "the rows that were read are told")
    assert row.phase == "diffing" and row.rows_read % 256 == 0 and row.rows_read <= 1500
    other = database.connection_of("other")
    assert other.execute("SELECT sqs_sync.rows_read(%s)", (run_id,)).fetchone()[0] is None
    other.close()
    assert database.wait_for(run_id).state == "succeeded"


def test_throttling_and_a_queue_that_is_paused_for_it_are_seen(database, items, sink):
    items.fill(400)
    database.point_at(sink.endpoint)
    queue = sink.create_queue(fresh_name("slow"), queue_messages_per_second=15)
    database.create_sync("items", queue, model="item_rows", **BODIES["template"])
    run_id = database.start_run("items")
    row = wait_until(lambda: progress(database, "throttled > 0 AND slow_queue IS NOT NULL"), "it is seen")
    assert row.slow_queue == queue and row.retries > 0
    sink.set(queue=queue, queue_messages_per_second=None)
    run = database.wait_for(run_id)
    assert run.state == "succeeded" and run.throttled >= row.throttled


# History ----------------------------------------------------------------------------------

def test_a_run_that_is_over_tells_its_durations_its_calls_and_why_rows_were_not_told(database, items, queue):
    items.fill(30)
    database.analyst.execute("UPDATE items SET note = repeat('x', 1100000) WHERE id = 7")
    database.analyst.execute("CREATE VIEW keyed AS SELECT CASE WHEN id IN (8, 9, 10) THEN 8 ELSE id END AS id, note FROM items")
    database.create_sync("items", queue.name, model="keyed", fields='["note"]')
    run = database.run("items")
    assert run.state == "partly_failed"
    assert set(run.reasons) == {"message_too_long", "duplicate_key"}, run.reasons
    assert sum(run.reasons.values()) == run.rejected
    assert run.calls >= 3 and run.failed_calls == run.throttled == run.retries == run.possible_duplicates == 0
    assert run.bytes > 0
    assert run.took.total_seconds() >= run.diff_took.total_seconds() > 0
    assert run.took >= run.publish_took and run.waited.total_seconds() >= 0


# Statistics -------------------------------------------------------------------------------

def test_statistics_add_runs_up_until_they_are_reset(database, items, sink):
    items.fill(200)
    database.point_at(sink.endpoint)
    queue = sink.create_queue(fresh_name("stats"), latency_ms=30)
    database.create_sync("items", queue, model="item_rows", **BODIES["template"])
    first = database.run("items")
    items.fill(300, first=201)
    second = database.run("items")
    stats = database.row("SELECT * FROM sqs_sync.stats")
    for count in ("published", "calls", "bytes", "throttled", "retries", "rejected", "failed_calls", "resent"):
        assert getattr(stats, count) == getattr(first, count) + getattr(second, count), count
    assert (stats.published, stats.succeeded, stats.failed) == (300, 2, 0)
    assert sum(stats.latencies) == stats.calls and len(stats.latencies) == 18
    assert 5 <= stats.p50_ms <= stats.p95_ms <= stats.p99_ms <= 20000
    assert sum(stats.latencies[:7]) <= 2, "but for the list of queues each call takes 30 ms at least"

    database.analyst.execute("SELECT sqs_sync_stats_reset('items')")
    after = database.row("SELECT * FROM sqs_sync.stats")
    assert (after.published, after.calls, after.succeeded, after.p99_ms) == (0, 0, 0, None)
    assert after.stats_reset > stats.stats_reset
    items.fill(350, first=301)
    third = database.run("items")
    again = database.row("SELECT * FROM sqs_sync.stats")
    assert (again.published, again.calls, again.succeeded) == (50, third.calls, 1)


def test_statistics_include_a_run_under_way_and_a_reset_in_the_midst_of_it_counts_from_there(synced, proxy):
    proxy.throttle(requests_a_second=10)
    run_id = synced.start_run("items")
    wait_until(lambda: synced.value("SELECT published FROM sqs_sync.stats") > 0, "it counts already")
    with synced.analyst.transaction():
        synced.analyst.execute("SELECT sqs_sync_stats_reset()")
        proxy.pass_on()
        other = synced.connection_of("analyst")
        wait_until(lambda: other.execute("SELECT state FROM sqs_sync.runs WHERE run_id = %s", (run_id,)).fetchone().state
                   == "succeeded", "the reset, which is not committed, holds the run up")
        other.close()
    stats = synced.row("SELECT * FROM sqs_sync.stats")
    assert 0 < stats.published < 500 and stats.succeeded == 1


def test_a_run_that_was_cancelled_before_it_began_is_counted(synced, proxy):
    proxy.throttle(requests_a_second=30)
    first = synced.start_run("items")
    wait_until(lambda: progress(synced, "phase = 'publishing'"), "the first publishes")
    second = synced.start_run("items")
    synced.analyst.execute("SELECT sqs_sync_cancel(%s)", (second,))
    proxy.pass_on()
    synced.wait_for(first)
    assert synced.row("SELECT succeeded, cancelled, published FROM sqs_sync.stats") == (1, 1, 500)


def test_only_the_owner_resets_statistics(synced):
    synced.run("items")
    other = synced.connection_of("other")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        other.execute("SELECT sqs_sync_stats_reset('items')")
    other.execute("SELECT sqs_sync_stats_reset()")
    other.close()
    assert synced.value("SELECT published FROM sqs_sync.stats") == 500
    with pytest.raises(psycopg.errors.UndefinedObject):
        synced.analyst.execute("SELECT sqs_sync_stats_reset('none')")


# While one waits --------------------------------------------------------------------------

def call_and_listen(database):
    told = []
    hear = lambda notice: told.append(notice.message_primary)
    database.analyst.add_notice_handler(hear)
    database.analyst.execute("CALL sqs_sync_run_and_wait('items')")
    database.analyst.remove_notice_handler(hear)
    return told


def test_who_waits_is_told_what_was_found_then_how_it_goes_then_the_end(synced, proxy):
    proxy.throttle(requests_a_second=8)
    told = call_and_listen(synced)
    assert sum("500 added, 0 changed, 0 removed" in text for text in told) == 1, told
    how = [text for text in told if re.search(r": \d+ of 500 published, 0 rejected", text)]
    assert 1 <= len(how) <= 6 and any(re.search(r"\d+ a second, about \d+ s left", text) for text in how), told
    assert re.fullmatch(r"run \d+ succeeded: 500 published, 0 rejected, 0 in doubt, in [\d.]+ s", told[-1])


def test_who_waits_for_a_short_run_is_told_its_end_alone(synced):
    synced.run("items")
    assert wait_until(lambda: len(told := call_and_listen(synced)) == 1 and "succeeded" in told[0], "a run of less than a second")


# Who sees what ----------------------------------------------------------------------------

ALL = {"syncs", "events", "runs", "recent_runs", "progress", "stats", "workers", "rejections"}
ROWS = {"rejections"}


@pytest.fixture
def watched(database, items, queue):
    """A sync with a rejection, a failed run whose error quotes a row, a queue that waits and a run that is queued."""
    items.fill(5)
    database.analyst.execute("CREATE VIEW keyed AS SELECT CASE WHEN id > 3 THEN 'private-key' ELSE id::text END AS id, name FROM items")
    database.create_sync("items", queue.name, model="keyed", template='"{{row.name}}"')
    assert database.run("items").state == "partly_failed"
    database.analyst.execute("CREATE OR REPLACE VIEW keyed AS SELECT id::text AS id, (CASE WHEN id = 1 THEN 'private-value' ELSE '1' END)::integer::text AS name FROM items")
    failed = database.run("items")
    assert failed.state == "failed" and "private-value" in failed.error
    with database.analyst.transaction():
        database.analyst.execute("SELECT sqs_sync_run('items')")
        database.analyst.execute("SELECT sqs_sync_pause('items')")
    database.admin.execute("CREATE ROLE watcher LOGIN IN ROLE pg_monitor")
    wait_until(lambda: not database.processes("runner"), "no runner is left")
    database.admin.execute("INSERT INTO sqs_sync.run_progress (run_id, phase, slow_queue) SELECT max(run_id), 'publishing', 'private-queue' FROM sqs_sync.run")
    yield database
    database.admin.execute("DROP ROLE watcher")


@pytest.mark.parametrize("view", sorted(ALL))
def test_each_role_sees_of_each_view_what_is_its_to_see(watched, view):
    seen = {}
    for role in ("postgres", "analyst", "watcher", "other"):
        connection = watched.connection_of(role)
        seen[role] = [str(row) for row in connection.execute(f"SELECT * FROM sqs_sync.{view} v") if view != "workers" or row.sync]
        connection.close()
    assert seen["other"] == []
    assert len(seen["postgres"]) == len(seen["analyst"])
    assert seen["analyst"] != []
    assert (seen["watcher"] == []) == (view in ROWS)
    assert "private" not in str(seen["watcher"])


def test_pg_monitor_sees_the_code_of_an_error_and_not_its_words(watched):
    watcher = watched.connection_of("watcher")
    [run] = watcher.execute("SELECT state, sqlstate, error, hint FROM sqs_sync.runs WHERE state = 'failed'")
    watcher.close()
    assert run == ("failed", "22P02", None, None)


def test_the_functions_that_show_rows_are_the_owners_alone(watched):
    watcher = watched.connection_of("watcher")
    for function in ("sqs_sync_preview('items')", "sqs_sync_render('items', '1')", "sqs_sync_check('items')",
                     "sqs_sync_explain('items')", "sqs_sync_stats_reset('items')"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            watcher.execute(f"SELECT * FROM {function}")
    watcher.close()
