"""Syncs that run when another one has succeeded; and schedules, where pg_cron is not."""

import pytest
from psycopg import errors

from support.deadline import wait_until
from support.items import BODIES


@pytest.fixture
def chain(database, items, queue):
    items.fill(3)
    for name in ("a", "b", "c"):
        database.create_sync(name, queue.name, model="item_rows", **BODIES["template"])
    database.analyst.execute("SELECT sqs_sync_run_after('b', 'a')")
    database.analyst.execute("SELECT sqs_sync_run_after('c', 'b')")
    return database


def runs(database, name):
    return [row.state for row in database.rows("SELECT state FROM sqs_sync.runs WHERE sync = %s ORDER BY run_id", name)]


def test_what_runs_after_a_sync_does_so_when_that_has_succeeded(chain, queue):
    assert chain.rows("SELECT name, runs_after FROM sqs_sync.syncs ORDER BY name") == [("a", None), ("b", "a"), ("c", "b")]
    assert chain.run("a").state == "succeeded"
    wait_until(lambda: runs(chain, "c") == ["succeeded"], "the last of the chain has run", 60)
    assert (runs(chain, "a"), runs(chain, "b")) == (["succeeded"], ["succeeded"])
    assert {row.requested_by for row in chain.rows("SELECT requested_by FROM sqs_sync.runs")} == {"analyst"}
    assert queue.waiting() == 9


def test_nothing_runs_after_a_run_that_failed_nor_after_one_that_was_before(chain):
    chain.alter_sync("a", queue="nonesuch")
    assert chain.run("a").state == "failed"
    chain.alter_sync("b", queue="nonesuch")
    assert chain.run("b").state == "failed"
    assert (runs(chain, "b"), runs(chain, "c")) == (["failed"], [])


def test_a_paused_sync_runs_when_it_is_resumed_and_one_that_no_longer_follows_does_not(chain):
    chain.analyst.execute("SELECT sqs_sync_pause('b'), sqs_sync_run_after('c', NULL)")
    assert chain.run("a").state == "succeeded"
    assert chain.run("a").state == "succeeded"
    assert runs(chain, "b") == []
    chain.analyst.execute("SELECT sqs_sync_resume('b')")
    wait_until(lambda: runs(chain, "b") == ["succeeded"], "the resumed sync has run, once", 60)
    assert runs(chain, "c") == []


def test_an_open_transaction_holds_up_what_follows_and_nothing_else(chain):
    with chain.connection_of("analyst") as holder:
        holder.autocommit = False
        holder.execute("SELECT sqs_sync_run('b')")
        assert chain.run("a").state == "succeeded"
        assert chain.run("c").state == "succeeded"
        holder.rollback()
    wait_until(lambda: runs(chain, "b") == ["succeeded"], "what was held up has run", 60)


@pytest.mark.parametrize("name, after", [("a", "a"), ("a", "b"), ("a", "c"), ("b", "c")])
def test_a_circle_is_refused(chain, name, after):
    with pytest.raises(errors.InvalidParameterValue, match="cannot run after") as refused:
        chain.analyst.execute("SELECT sqs_sync_run_after(%s, %s)", (name, after))
    assert refused.value.diag.message_hint


def test_nobody_has_his_sync_follow_one_of_somebody_else(chain):
    with chain.connection_of("other") as other:
        for call in ("SELECT sqs_sync_run_after('b', 'c')", "SELECT sqs_sync_run_after('b', NULL)", "SELECT sqs_sync_unschedule('b')"):
            with pytest.raises(errors.InsufficientPrivilege, match="must be owner"):
                other.execute(call)


def test_without_pg_cron_a_schedule_says_how_to_get_it(chain):
    with pytest.raises(errors.UndefinedObject, match="pg_cron is not in this database") as refused:
        chain.analyst.execute("SELECT sqs_sync_schedule('a', '*/5 * * * *')")
    assert "shared_preload_libraries" in refused.value.diag.message_hint
    assert chain.value("SELECT sqs_sync_unschedule('a')") is False
    assert chain.value("SELECT schedule FROM sqs_sync.syncs WHERE name = 'a'") is None
