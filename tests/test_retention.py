"""Runs that ended long ago are deleted, but for those that something still asks for."""

import pytest

from support.deadline import wait_until
from support.items import BODIES

RECENT = 30


@pytest.fixture
def synced(database, items, queue):
    items.fill(1)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    return database


def put_runs(database, sync, *states, age="100 days"):
    """Runs of a sync that ended so long ago, and are counted; returns their ids."""
    return [row.run_id for row in database.admin.execute("""
        INSERT INTO sqs_sync.run (sync_id, state, requested_at, started_at, finished_at, version, tallied)
        SELECT sync_id, state, now() - %(age)s::interval, now() - %(age)s::interval, now() - %(age)s::interval, version, true
        FROM sqs_sync.sync, unnest(%(states)s::text[]) WITH ORDINALITY AS u (state, place)
        WHERE name = %(sync)s ORDER BY place RETURNING run_id""", {"sync": sync, "states": list(states), "age": age})]


def kept(database, sync="items"):
    return [row.run_id for row in database.rows("SELECT run_id FROM sqs_sync.runs WHERE sync = %s ORDER BY run_id", sync)]


@pytest.fixture
def keep_for(preloaded):
    """Sets the age. The worker goes by a new one at once."""
    def keep_for(age):
        with preloaded.connect() as postgres:
            postgres.execute(f"ALTER SYSTEM SET sqs_sync.run_max_age = '{age}'")
            postgres.execute("SELECT pg_reload_conf()")
    keep_for("-1")
    yield keep_for
    with preloaded.connect() as postgres:
        postgres.execute("ALTER SYSTEM RESET sqs_sync.run_max_age")
        postgres.execute("SELECT pg_reload_conf()")


def test_old_runs_go_but_for_the_last_ones_and_the_last_that_went_through(synced, keep_for):
    (never,) = put_runs(synced, "items", "failed", age="1000 days")
    run = synced.run("items")
    gone = [never, *put_runs(synced, "items", "succeeded", "partly_failed", "cancelled", "discarded")]
    succeeded, partly, *_ = put_runs(synced, "items", "succeeded", "partly_failed", "failed", "failed")
    gone += [partly + 1, partly + 2]
    recent = put_runs(synced, "items", *["failed"] * RECENT)
    before = synced.row("SELECT * FROM sqs_sync.stats")
    assert set(gone) < set(kept(synced))
    synced.admin.execute("INSERT INTO sqs_sync.doubt_given_up (sync_id, change_id, run_id, changes)"
                         " SELECT sync_id, run_id, run_id, 1 FROM sqs_sync.run WHERE run_id IN (%s, %s)", (gone[1], succeeded))

    keep_for("90d")

    wait_until(lambda: kept(synced) == [run.run_id, succeeded, partly, *recent], f"{gone} are gone: {kept(synced)}")
    assert synced.value("SELECT array_agg(run_id) FROM sqs_sync.forgotten") == [succeeded], "with the run goes who gave up what of it"
    assert synced.row("SELECT * FROM sqs_sync.stats") == before
    shown = synced.rows("SELECT * FROM sqs_sync.recent_runs ORDER BY run_id DESC")
    assert len(shown) == RECENT
    # The view repeats what runs says of each.
    assert shown == synced.rows("SELECT * FROM sqs_sync.runs ORDER BY run_id DESC LIMIT %s", RECENT)
    assert "items" in synced.value("SELECT sqs_sync_report()")
    assert synced.value("SELECT last_run FROM sqs_sync.syncs") == recent[-1]
    assert synced.run("items").state == "succeeded"


def test_a_run_that_ended_lately_or_has_not_ended_or_is_not_counted_or_filled_the_change_set_stays(synced, keep_for):
    young, = put_runs(synced, "items", "failed", age="80 days")
    uncounted, filled, old = put_runs(synced, "items", "failed", "failed", "failed")
    held, = put_runs(synced, "items", "held")
    synced.admin.execute("UPDATE sqs_sync.run SET finished_at = NULL, tallied = false WHERE run_id = %s", (held,))
    synced.admin.execute("UPDATE sqs_sync.run SET tallied = false WHERE run_id = %s", (uncounted,))
    synced.admin.execute("UPDATE sqs_sync.position SET run_id = %s", (filled,))
    synced.admin.execute("INSERT INTO sqs_sync.hold VALUES (%s, now(), 1, 1, 1, 1, '{}', '{}', '{}'), (%s, now(), 1, 1, 1, 1, '{}', '{}', '{}')", (held, old))
    recent = put_runs(synced, "items", *["failed"] * RECENT)

    keep_for("90d")

    wait_until(lambda: old not in kept(synced), "the old one is gone")
    assert kept(synced) == [young, uncounted, filled, held, *recent]
    assert [row.run_id for row in synced.rows("SELECT run_id FROM sqs_sync.held")] == [held]
    assert synced.admin.execute("SELECT array_agg(run_id) FROM sqs_sync.hold").fetchone()[0] == [held]


def test_a_pass_goes_through_all_syncs_and_all_runs(synced, keep_for, queue):
    synced.create_sync("other", queue.name, model="item_rows", **BODIES["template"])
    recent = put_runs(synced, "items", *["succeeded"] * RECENT)
    put_runs(synced, "other", *["failed"] * 2500)
    others = put_runs(synced, "other", *["succeeded"] * RECENT)

    keep_for("90d")

    wait_until(lambda: kept(synced, "other") == others, "all of the other's old ones are gone")
    assert kept(synced) == recent


def test_who_has_an_old_run_locked_keeps_it_and_holds_nothing_up(synced, keep_for):
    locked, old = put_runs(synced, "items", "failed", "failed")
    put_runs(synced, "items", *["failed"] * RECENT)
    with synced.connection_of("postgres") as holder:
        holder.autocommit = False
        holder.execute("SELECT 1 FROM sqs_sync.run WHERE run_id = %s FOR KEY SHARE", (locked,))
        keep_for("90d")
        wait_until(lambda: old not in kept(synced), "the other one is gone")
        assert locked in kept(synced)
        assert synced.run("items").state == "succeeded"
        holder.rollback()
    keep_for("89d")
    wait_until(lambda: locked not in kept(synced), "it is gone when it is free")


def test_a_sync_that_was_paused_follows_a_run_of_long_ago(synced, keep_for, queue):
    synced.create_sync("after", queue.name, model="item_rows", **BODIES["template"])
    synced.analyst.execute("SELECT sqs_sync_run_after('after', 'items'), sqs_sync_pause('after')")
    old, succeeded = put_runs(synced, "items", "succeeded", "succeeded")
    put_runs(synced, "items", *["partly_failed"] * RECENT)
    keep_for("90d")
    wait_until(lambda: old not in kept(synced), "what is old is gone")
    assert succeeded in kept(synced)
    synced.analyst.execute("SELECT sqs_sync_resume('after')")
    wait_until(lambda: synced.rows("SELECT FROM sqs_sync.runs WHERE sync = 'after' AND state = 'succeeded'"), "it has followed", 60)
