"""What may have been sent is sent again before anything else is found: else a consumer that
has seen B would never be told that the row is back at A."""

import psycopg
import pytest

from support.attacks import snapshot_of
from support.database import call
from support.deadline import wait_until
from support.items import BODIES, Items
from support.replay import Replay
from support.sink import Sink

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


def forget(database, **options):
    return call(database.analyst, "sqs_sync_forget_doubt", name="items", **options)


def baseline(database, **options):
    return call(database.analyst, "sqs_sync_baseline", name="items", **options)


def forgotten(database):
    return [tuple(row) for row in database.rows("SELECT changes, key, forgotten_by FROM sqs_sync.forgotten ORDER BY forgotten_at")]


@pytest.mark.parametrize("there, back", [CHANGED, ADDED, REMOVED],
                         ids=["changed and back", "added then deleted", "removed then added again"])
def test_what_is_given_up_is_told_as_the_model_has_it_whether_it_arrived_or_not(database, queue, proxy, told, there, back):
    items, replay = told
    database.analyst.execute(there)
    database.wait_for(start_and_lose_the_answer(database, proxy))
    database.analyst.execute(back)
    proxy.pass_on()
    assert forget(database, preview=True) == forget(database, preview=True) == forget(database) == 1
    assert forget(database) == 0
    (shown,) = database.rows("SELECT event FROM sqs_sync_preview('items', 10)")
    seen_before = replay.apply(queue.drain()).duplicates
    run = database.run("items")
    assert (run.state, run.published, run.resent) == ("succeeded", 1, 0)
    assert replay.apply(queue.drain()).rows == items.expected()
    assert shown.event == {CHANGED: "changed", ADDED: "removed", REMOVED: "added"}[there, back]
    assert replay.duplicates == seen_before, "it is a change of its own"
    assert database.run("items").published == 0, "once"


def test_a_row_that_stays_as_it_was_given_up_is_told_again_as_what_it_was(database, queue, proxy, told):
    items, replay = told
    database.analyst.execute(f"{CHANGED[0]}; {ADDED[0]}; DELETE FROM items WHERE id = 2")
    lost = database.wait_for(start_and_lose_the_answer(database, proxy))
    assert lost.in_doubt == forget(database) == 3
    proxy.pass_on()
    shown = {tuple(row) for row in database.rows("SELECT key, event FROM sqs_sync_preview('items', 10)")}
    assert shown == {('{"id": 1}', "changed"), ('{"id": 99}', "added"), ('{"id": 2}', "removed")}
    run = database.run("items")
    assert (run.state, run.rows_added, run.rows_changed, run.rows_removed, run.published) == ("succeeded", 1, 1, 1, 3)
    assert replay.apply(queue.drain()).rows == items.expected()
    database.analyst.execute("DELETE FROM items")
    ends_at_the_model(database, queue, items, replay)


def test_a_queue_that_is_gone_blocks_a_sync_until_its_doubt_is_given_up(database, queue, proxy, told, emulator):
    items, replay = told
    gone = emulator.create_queue(f"{queue.name}-gone")
    database.alter_sync("items", queue=gone.name)
    database.analyst.execute(f"{CHANGED[0]}; {ADDED[0]}")
    database.wait_for(start_and_lose_the_answer(database, proxy))
    proxy.pass_on()
    gone.delete()
    database.alter_sync("items", queue=queue.name)
    assert [database.run("items").sqlstate for _ in range(2)] == ["HV00R"] * 2
    assert forget(database, key="1") == 1
    assert database.run("items").sqlstate == "HV00R", "the other is in doubt still"
    assert forget(database, key='{"id": 1}') == 0 and forget(database, key="99") == 1
    ends_at_the_model(database, queue, items, replay)


def test_what_can_no_longer_be_sent_is_rejected_and_the_row_told_again_wherever_it_is(database, queue, proxy, told):
    items, replay = told
    database.alter_sync("items", queue="{{row.note}}")
    database.analyst.execute("UPDATE items SET note = %s WHERE id = 1", (queue.name,))
    database.run("items")
    told_now = replay.apply(queue.drain()).rows.copy()
    database.analyst.execute(CHANGED[0])
    database.wait_for(start_and_lose_the_answer(database, proxy))
    proxy.pass_on()
    assert replay.apply(queue.drain()).rows != told_now
    database.admin.execute("ALTER SERVER sqs OPTIONS (ADD allowed_queues 'other')")
    database.analyst.execute(CHANGED[1])
    run = database.run("items")
    assert (run.state, run.in_doubt) == ("partly_failed", 0)
    database.admin.execute("ALTER SERVER sqs OPTIONS (DROP allowed_queues)")
    ends_at_the_model(database, queue, items, replay)
    assert replay.rows == told_now and database.rejections("items") == []


@pytest.mark.parametrize("how", ["forgotten", "rejected"])
def test_an_id_of_the_user_s_that_may_have_been_used_is_known_from_when_its_change_is_given_up(database, proxy, told, emulator, queue, how):
    fifo = emulator.create_queue(f"{queue.name}.fifo")
    database.alter_sync("items", queue="{{row.note}}.fifo", group_id="all", dedup_id="{{row.name}}")
    database.analyst.execute("UPDATE items SET name = 'B', note = %s WHERE id = 1", (queue.name,))
    assert database.wait_for(start_and_lose_the_answer(database, proxy)).in_doubt == 1
    proxy.pass_on()
    database.admin.execute("UPDATE sqs_sync.claim SET at = at - interval '10 minutes'")
    if how == "forgotten":
        assert forget(database) == 1
    else:
        database.admin.execute("ALTER SERVER sqs OPTIONS (ADD allowed_queues 'other')")
        assert database.run("items").in_doubt == 0
    claims = "SELECT count(*), bool_and(at > clock_timestamp() - interval '1 minute') FROM sqs_sync.claim"
    assert tuple(database.admin.execute(claims).fetchone()) == (1, True)
    fifo.delete()


def test_with_a_snapshot_that_was_emptied_nothing_is_given_up(database, proxy, told):
    database.analyst.execute(ADDED[0])
    database.wait_for(start_and_lose_the_answer(database, proxy))
    proxy.pass_on()
    database.analyst.execute(f"TRUNCATE {snapshot_of(database, 'items')}")
    for preview in (True, False):
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="is empty, but should have 10 rows"):
            forget(database, preview=preview)
    assert "is empty" in database.run("items").error


@pytest.mark.parametrize("comes_back", [True, False], ids=["and back", "for good"])
@pytest.mark.parametrize("there, back", [CHANGED, ADDED, REMOVED], ids=["changed", "added", "removed"])
def test_a_baseline_of_an_emptied_snapshot_gives_up_what_is_in_doubt_and_the_next_run_tells_it(database, queue, proxy, told, there, back, comes_back):
    items, replay = told
    database.analyst.execute(there)
    database.wait_for(start_and_lose_the_answer(database, proxy))
    if comes_back:
        database.analyst.execute(back)
    proxy.pass_on()
    database.analyst.execute(f"TRUNCATE {snapshot_of(database, 'items')}")
    assert "is empty" in database.run("items").error and database.run("items").in_doubt == 1
    in_doubt = 99 if there == ADDED[0] else 1
    others = database.value("SELECT count(*) FROM items WHERE id <> %s", in_doubt)
    notices = []
    database.analyst.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    assert baseline(database, preview=True) == baseline(database) == others
    assert [notice.split(":")[0] for notice in notices] == ["1 changes were in doubt, and are given up"]
    assert forgotten(database) == [(1, None, "analyst")]
    run = database.run("items")
    assert (run.state, run.published, run.resent, run.in_doubt) == ("succeeded", 1, 0, 0)
    assert replay.apply(queue.drain()).rows == items.expected()
    assert database.run("items").published == 0, "once"


def test_who_has_given_up_doubt_is_known_afterwards(database, proxy, told):
    database.analyst.execute("UPDATE items SET name = 'B' WHERE id <= 3")
    run_id = start_and_lose_the_answer(database, proxy)
    assert database.wait_for(run_id).in_doubt == 3
    proxy.pass_on()
    assert forget(database, preview=True) == 3 and forgotten(database) == []
    assert forget(database, key="1") == 1 and forget(database, key="1") == 0
    assert call(database.admin, "sqs_sync_forget_doubt", name="items") == 2
    assert forgotten(database) == [(1, '{"id": 1}', "analyst"), (2, None, "postgres")]
    assert database.run("items").published == 3
    seen = "SELECT sync, changes, key, run_id, forgotten_by, now() - forgotten_at < '1 minute' FROM sqs_sync.forgotten ORDER BY forgotten_at"
    assert tuple(database.rows(seen)[0]) == ("items", 1, '{"id": 1}', run_id, "analyst", True)
    other = database.connection_of("other")
    assert other.execute(seen).fetchall() == []
    database.admin.execute("GRANT pg_monitor TO other")
    try:
        assert [row[:5] for row in other.execute(seen).fetchall()] == [
            ("items", 1, None, run_id, "analyst"), ("items", 2, None, run_id, "postgres")], "without what comes from rows"
    finally:
        database.admin.execute("REVOKE pg_monitor FROM other")
        other.close()


COUNTS = "published, resent, rejected, possible_duplicates"


def counts(database, run_id):
    return tuple(database.row(f"SELECT {COUNTS}, in_doubt FROM sqs_sync.runs WHERE run_id = %s", run_id))


@pytest.mark.parametrize("kind", ["standard", "fifo", "fifo, after five minutes"])
def test_what_is_in_doubt_is_counted_once_by_the_run_that_settles_it(database, queue, proxy, told, emulator, kind):
    fifo = emulator.create_queue(f"{queue.name}.fifo")
    if kind != "standard":
        database.alter_sync("items", queue=fifo.name, group_id="{{row.id}}")
    database.analyst.execute("UPDATE items SET name = 'B' WHERE id <= 3")
    lost = database.wait_for(start_and_lose_the_answer(database, proxy))
    proxy.refuse()
    later = database.run("items")
    assert counts(database, lost.run_id) == counts(database, later.run_id) == (0, 0, 0, 0, 3)
    if kind == "fifo, after five minutes":
        database.admin.execute("UPDATE sqs_sync.position SET run_started_at = run_started_at - interval '6 minutes'")
    proxy.pass_on()
    run = database.run("items")
    duplicates = 0 if kind == "fifo" else 3
    assert (run.state, run.rows_changed, *counts(database, run.run_id)) == ("succeeded", 0, 3, 3, 0, duplicates, 0)
    assert counts(database, database.run("items").run_id) == (0, 0, 0, 0, 0)
    assert tuple(database.row(f"SELECT {COUNTS} FROM sqs_sync.stats")) == (10 + 3, 3, 0, duplicates)
    fifo.delete()


@pytest.fixture
def sink(tmp_path):
    sink = Sink(tmp_path / "log").start()
    yield sink
    sink.stop()


def test_what_is_rejected_when_it_is_sent_again_is_counted_once(database, queue, proxy, told, sink):
    database.analyst.execute("UPDATE items SET name = 'B' WHERE id <= 3")
    database.wait_for(start_and_lose_the_answer(database, proxy))
    sink.create_queue(queue.name, rejected_share=1)
    database.point_at(sink.endpoint)
    run = database.run("items")
    assert (run.state, *counts(database, run.run_id)) == ("partly_failed", 0, 3, 3, 0, 0)
    assert sum(run.reasons.values()) == len(database.rejections("items")) == 3
    assert tuple(database.row(f"SELECT {COUNTS} FROM sqs_sync.stats")) == (10, 3, 3, 0)


def test_doubt_is_given_up_by_a_resync_s_side_and_by_events_that_are_not_published(database, queue, proxy, told):
    items, replay = told
    database.analyst.execute(f"{CHANGED[0]}; {ADDED[0]}")
    database.wait_for(start_and_lose_the_answer(database, proxy))
    proxy.pass_on()
    assert forget(database) == 2
    assert call(database.analyst, "sqs_sync_resync", name="items") == 11
    database.analyst.execute("SELECT sqs_sync_off('items', 'added')")
    run = database.run("items")
    assert (run.state, run.rows_added, run.rows_changed, run.rows_silent, run.published) == ("succeeded", 1, 10, 1, 10)
    assert replay.apply(queue.drain()).rows == items.expected()
    assert database.run("items").published == 0
