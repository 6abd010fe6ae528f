"""pg_cron, the real one, runs a sync on a schedule."""

import pytest

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


def test_a_schedule_runs_a_sync_and_messages_arrive(cron, emulator, queue):
    database = Database(cron, "postgres").prepare(emulator.endpoint)
    database.admin.execute("CREATE EXTENSION pg_cron")
    database.admin.execute("GRANT USAGE ON SCHEMA cron TO analyst")
    Items(database.analyst).create().fill(25)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])

    database.analyst.execute("SELECT cron.schedule('items', '* * * * *', $$SELECT sqs_sync_run('items')$$)")

    wait_until(lambda: queue.waiting() == 25, "the schedule's messages have arrived", 130, every=0.2)
    run_id = database.value("SELECT min(run_id) FROM sqs_sync.runs")
    assert database.wait_for(run_id).state == "succeeded"
    assert database.run_row(run_id).requested_by == "analyst"
    database.close()
