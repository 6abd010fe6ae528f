"""Definitions and snapshots survive dump and restore, a newer major, and other ways to store the
same values: the next run sends nothing."""

import psycopg
import pytest

from support.cluster import MAJOR
from support.database import Database, create_database
from support.deadline import wait_until
from support.items import BODIES, Items
from support.replay import Replay
from support.running import destroy, fresh_name, started_cluster, upgrade_of

SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a integer, b text);
CREATE DOMAIN positive AS integer CHECK (value > 0);
CREATE TABLE everything (
  id integer PRIMARY KEY, words text, exact numeric, near double precision, tree jsonb, raw json,
  at timestamptz, naive timestamp, day date, took interval, numbers integer[], feeling mood, feelings mood[], bytes bytea,
  uuid uuid, two pair, during daterange, spot point, address inet, small positive, big text
);
INSERT INTO everything
SELECT i, 'naïve "☃" ' || i, i * 1.10, (ARRAY['NaN', 'Infinity', '0.1', '1e-300', '-0'])[1 + i % 5]::float8 * i,
       jsonb_build_object('b', i, 'a', ARRAY[i, null], 'n', 1.50), ('{"z":  ' || i || ', "a": 1.0}')::json,
       timestamptz '2024-03-31 00:30:00.123456+00' + i * interval '7 hours', timestamp '1999-12-31' + i * interval '1 day',
       date '2024-01-01' + i, make_interval(years => i % 3, days => -i, secs => i / 7.0),
       ARRAY[i, NULL, -i], (ARRAY['sad', 'ok', 'happy'])[1 + i % 3]::mood, ARRAY['ok', 'sad']::mood[],
       decode(md5(i::text), 'hex'), md5(i::text)::uuid, ROW(i, 'b,"' || i)::pair, daterange(date '2024-01-01', date '2024-01-01' + i),
       point(i / 3.0, -i), '10.0.0.1'::inet + i, i, (SELECT string_agg(md5((i * k)::text), repeat(' ', 40)) FROM generate_series(1, 400) k)
FROM generate_series(1, 100) i;
INSERT INTO everything (id) VALUES (1000);
CREATE VIEW everything_rows AS SELECT * FROM everything;
"""

# What sessions of the restored database do differently, and must not matter.
OTHER_HABITS = {"timezone": "America/New_York", "datestyle": "SQL, DMY", "intervalstyle": "sql_standard",
                "bytea_output": "escape", "extra_float_digits": "0"}

# From each major to itself, and from 15 to each.
FROM = sorted({"15", MAJOR})


def tell_everything(database, queue):
    """By a sync of rows with a column of every kind of type."""
    database.analyst.execute(SCHEMA)
    database.create_sync("everything", queue.name, model="everything_rows",
                         fields='{"words": "words", "exact": "exact", "at": "at", "two": "two", "big": "big"}')
    assert database.run("everything").published == 101
    assert len(queue.drain()) == 101


def says_nothing_then_what_changed(database, queue):
    run = database.run("everything")
    assert (run.state, run.rows_added, run.rows_changed, run.rows_removed, run.published) == ("succeeded", 0, 0, 0, 0)
    assert queue.drain() == []

    database.analyst.execute("UPDATE everything SET feeling = 'sad' WHERE id = 1000")
    assert database.run("everything").published == 1
    (message,) = queue.drain()
    assert (message.attributes["event"], message.attributes["key"]) == ("changed", "1000")
    assert int(message.attributes["change_id"]) > 101, "a change id is never given twice"


def dump_and_restore(source, target_cluster):
    """With the source's pg_dump: a target of an older release date would not know what a
    security release of the source has added to its catalog (15.20's attribute versions)."""
    file = target_cluster.directory / f"{source.name}.sql"
    source.cluster.run("pg_dump", "-d", source.name, "-f", file)
    with target_cluster.connect() as postgres:
        postgres.execute(f"CREATE DATABASE {source.name}")
    target_cluster.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", source.name, "-f", file)
    restored = Database(target_cluster, source.name)
    # Until then it is paused: test_copies.
    restored.admin.execute("SELECT sqs_sync_take_over(moved => true)")
    return restored


@pytest.fixture(params=FROM, ids=[f"from {major}" for major in FROM])
def source(request):
    cluster = started_cluster(major=request.param, shared_preload_libraries="sqs_sync")
    yield cluster
    destroy(cluster)


@pytest.fixture
def target():
    cluster = started_cluster(shared_preload_libraries="sqs_sync", **OTHER_HABITS)
    yield cluster
    destroy(cluster)


@pytest.mark.e2e
def test_a_restored_copy_knows_what_was_told(source, target, emulator, queue):
    original = create_database(source, fresh_name("db"), emulator.endpoint)
    tell_everything(original, queue)
    definition = original.admin.execute("SELECT * FROM sqs_sync.definition").fetchone()
    original.close()

    restored = dump_and_restore(original, target)

    assert restored.admin.execute("SELECT * FROM sqs_sync.definition").fetchone() == definition
    assert restored.value("SELECT owner FROM sqs_sync.syncs") == "analyst"
    says_nothing_then_what_changed(restored, queue)


@pytest.mark.e2e
def test_what_is_in_doubt_is_sent_again_by_the_restored_copy(source, target, emulator, queue, proxy):
    original = create_database(source, fresh_name("db"), proxy.endpoint)
    items = Items(original.analyst).create().fill(10)
    original.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    original.run("items")
    items.set_name(1, "B")
    proxy.cut()
    run_id = original.start_run("items")
    wait_until(lambda: proxy.cuts > 0, "the change was sent and its answer lost")
    original.analyst.execute("SELECT sqs_sync_cancel(%s)", (run_id,))
    assert original.wait_for(run_id, "20 seconds").in_doubt == 1
    original.close()
    proxy.pass_on()

    restored = dump_and_restore(original, target)
    items.connection = restored.analyst
    items.set_name(1, "item 1")
    assert restored.run("items").state == "succeeded"

    assert Replay().apply(queue.drain()).rows == items.expected()


def forget_attribute_versions(database):
    """Which 15.20 gives to columns, and a newer major of an older release date does not know: pg_upgrade dumps by the
    newer one's pg_dump."""
    database.admin.execute("""
        UPDATE pg_attribute SET attoptions = (SELECT nullif(array_agg(option), '{}') FROM unnest(attoptions) option WHERE option NOT LIKE 'pg_attver=%')
        WHERE attoptions::text LIKE '%pg_attver=%'""")


@pytest.fixture
def stopped_in_a_run(emulator, queue, fifo, proxy):
    """A server of 15 that was stopped when changes of a run had been sent and the answers were lost."""
    cluster = started_cluster(major="15", shared_preload_libraries="sqs_sync")
    database = create_database(cluster, fresh_name("db"), proxy.endpoint)
    database.admin.execute("CREATE USER MAPPING FOR other SERVER sqs OPTIONS (ambient_credentials 'true')")
    tell_everything(database, queue)
    items = Items(database.analyst).create().fill(100)
    database.create_sync("items", fifo.name, model="item_rows", group_id="all", **BODIES["template"])
    assert database.run("items").published == 100
    items.change_at_random(10)
    proxy.cut()
    database.run_id = database.start_run("items")
    wait_until(lambda: proxy.cuts > 0, "some of the run was sent, and is not answered")
    database.lent = database.admin.execute("SELECT * FROM sqs_sync.lent_identity").fetchall()
    if MAJOR != "15":
        forget_attribute_versions(database)
    database.close()
    cluster.stop()
    proxy.pass_on()
    yield database
    destroy(cluster)


@pytest.mark.e2e
def test_after_pg_upgrade_a_run_goes_on_when_it_is_said_that_the_syncs_have_moved(stopped_in_a_run, queue, fifo, proxy):
    # It goes through by a newer library, too, and then the extension is updated: test_update.
    cluster = upgrade_of(stopped_in_a_run.cluster, shared_preload_libraries="sqs_sync", environment={"SQS_SYNC_VERSION": "99.0"})
    cluster.own_environment.clear()
    cluster.start()
    upgraded = Database(cluster, stopped_in_a_run.name)
    requests = proxy.requests
    wait_until(lambda: "sqs_sync is paused in this database, which is a copy" in cluster.log.read_text(), "the worker has looked")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="this database is a copy"):
        upgraded.run("items")
    run_id = stopped_in_a_run.run_id
    assert upgraded.run_row(run_id).state == "publishing"
    assert proxy.requests == requests
    assert upgraded.admin.execute("SELECT * FROM sqs_sync.lent_identity").fetchall() == stopped_in_a_run.lent != []

    upgraded.admin.execute("SELECT sqs_sync_take_over(moved => true)")

    ended = upgraded.wait_for(run_id)
    assert (ended.state, ended.in_doubt) == ("succeeded", 0), ended.error
    items = Items(upgraded.analyst)
    items.change_at_random(10)
    assert upgraded.run("items").state == "succeeded"
    told = Replay().apply(fifo.drain())
    assert (told.rows, told.duplicates, told.late, told.needless) == (items.expected(), 0, 0, 0)
    says_nothing_then_what_changed(upgraded, queue)
    upgraded.close()
    destroy(cluster)


@pytest.mark.e2e
def test_other_ways_to_store_the_same_values_are_no_change(database, queue):
    tell_everything(database, queue)
    database.analyst.execute("ALTER TABLE everything ALTER COLUMN big SET COMPRESSION lz4")
    database.analyst.execute("UPDATE everything SET big = big || '', tree = tree || '{}', bytes = bytes || ''")
    database.admin.execute("VACUUM FULL")
    database.analyst.execute("ALTER TABLE everything ALTER COLUMN big SET STORAGE EXTERNAL")
    database.analyst.execute("UPDATE everything SET big = big || ''")
    for setting, value in OTHER_HABITS.items():
        database.admin.execute(f"ALTER DATABASE {database.name} SET {setting} = '{value}'")
    database.close()
    database.connect()

    says_nothing_then_what_changed(database, queue)


def test_alerts_and_what_they_stand_at_come_along_and_messages_do_not(source, target, emulator):
    original = create_database(source, fresh_name("db"), emulator.endpoint)
    Items(original.analyst).create().fill(1)
    original.create_sync("items", fresh_name("missing"), model="items", template="1", retry_for="0 seconds")
    original.admin.execute("CREATE SERVER told FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'notify');"
                           " GRANT USAGE ON FOREIGN SERVER told TO analyst")
    original.analyst.execute("SELECT sqs_sync_alert_create('failed', condition => 'run_failed', channel => 'told', remind_every => '1 day')")
    assert original.run("items").state == "failed"
    wait_until(lambda: original.rows("SELECT 1 FROM sqs_sync.alerts WHERE state = 'firing' AND last_delivery IS NOT NULL"), "it is told")
    before = original.row("SELECT alert, owner, sync, condition, channel, state, since, summary, told_at, remind_every FROM sqs_sync.alerts")
    original.close()

    restored = dump_and_restore(original, target)
    assert restored.row("SELECT alert, owner, sync, condition, channel, state, since, summary, told_at, remind_every FROM sqs_sync.alerts") == before
    assert restored.rows("SELECT * FROM sqs_sync.alert_deliveries") == []
    restored.close()
