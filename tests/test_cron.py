"""pg_cron, the real one, runs a sync on a schedule."""

import pytest
from psycopg import errors

from support.database import Database
from support.deadline import wait_until
from support.items import BODIES, Items
from support.running import destroy, started_cluster


@pytest.fixture
def cron():
    cluster = started_cluster(**{
        "shared_preload_libraries": "pg_cron,sqs_sync",
        "cron.database_name": "postgres",
        # By default it connects by TCP, where this server does not listen.
        "cron.use_background_workers": "on",
    })
    yield cluster
    destroy(cluster)


@pytest.fixture
def scheduled(cron, emulator, queue):
    database = Database(cron, "postgres").prepare(emulator.endpoint)
    database.admin.execute("CREATE EXTENSION pg_cron")
    database.admin.execute("GRANT USAGE ON SCHEMA cron TO analyst")
    Items(database.analyst).create().fill(25)
    database.create_sync("it's", queue.name, model="item_rows", **BODIES["template"])
    yield database
    database.close()


def test_a_schedule_runs_a_sync_and_messages_arrive(scheduled, queue):
    job = scheduled.value("SELECT sqs_sync_schedule(%s, '* * * * *')", "it's")
    row = scheduled.row("SELECT schedule, next_run_at - now() AS until FROM sqs_sync.syncs")
    assert row.schedule == "* * * * *" and 0 < row.until.total_seconds() <= 60
    assert scheduled.value("SELECT jobid FROM cron.job") == job

    wait_until(lambda: queue.waiting() == 25, "the schedule's messages have arrived", 130, every=0.2)
    run_id = scheduled.value("SELECT min(run_id) FROM sqs_sync.runs")
    assert scheduled.wait_for(run_id).state == "succeeded"
    assert scheduled.run_row(run_id).requested_by == "analyst"

    assert scheduled.value("SELECT sqs_sync_schedule(%s, '30 4 1 1 *')", "it's") == job, "a sync has one job"
    row = scheduled.row("SELECT schedule, next_run_at AT TIME ZONE 'UTC' AS at FROM sqs_sync.syncs")
    assert (row.schedule, row.at.month, row.at.day, row.at.hour, row.at.minute) == ("30 4 1 1 *", 1, 1, 4, 30)
    assert scheduled.value("SELECT sqs_sync_unschedule(%s)", "it's") is True
    assert scheduled.value("SELECT sqs_sync_unschedule(%s)", "it's") is False
    assert scheduled.row("SELECT schedule, next_run_at FROM sqs_sync.syncs") == (None, None)
    refused_schedules(scheduled)


def refused_schedules(database):
    for schedule in ("", "* * * *", "* * * * * *", "61 * * * *", "* * * * *; DROP TABLE items", "every day"):
        with pytest.raises(errors.InvalidParameterValue, match="schedule") as refused:
            database.value("SELECT sqs_sync_schedule(%s, %s)", "it's", schedule)
        assert refused.value.diag.message_hint
    database.admin.execute("REVOKE USAGE ON SCHEMA cron FROM analyst")
    with pytest.raises(errors.InsufficientPrivilege) as refused:
        database.value("SELECT sqs_sync_schedule(%s, '* * * * *')", "it's")
    assert refused.value.diag.message_hint == "GRANT USAGE ON SCHEMA cron TO analyst."
    assert database.value("SELECT count(*) FROM sqs_sync.syncs WHERE schedule IS NULL") == 1
    with database.connection_of("other") as other, pytest.raises(errors.InsufficientPrivilege, match="must be owner"):
        other.execute("SELECT sqs_sync_schedule(%s, '* * * * *')", ("it's",))
