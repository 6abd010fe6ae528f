"""A copy of a database talks to the same queues: it is paused, says why, and sends nothing until somebody takes over."""

import psycopg
import pytest

from support.database import Database, create_database
from support.deadline import wait_until
from support.items import BODIES, Items
from support.running import backup_of, copy_of, destroy, fresh_name, started_cluster

OTHER_SERVER = "comes from another server"
OTHER_DATABASE = "comes from another database of this server"
RESTORED = "restored from a dump of itself"
OTHER_DIRECTORY = "data directory is a copy"
OTHER_TIMELINE = "gone back in time"


@pytest.fixture
def original(preloaded, emulator, fifo):
    """A database with a sync that has told of ten items, in a FIFO queue."""
    database = create_database(preloaded, fresh_name("db"), emulator.endpoint)
    database.items = Items(database.analyst).create().fill(10)
    database.create_sync("items", fifo.name, model="item_rows", group_id="all", **BODIES["template"])
    assert database.run("items").published == 10
    fifo.drain()
    yield database
    database.close()
    with preloaded.connect() as postgres:
        postgres.execute(f"DROP DATABASE {database.name} WITH (FORCE)")


@pytest.fixture
def made(request):
    """Destroys what a test has made."""
    clusters = []
    yield clusters
    for cluster in clusters:
        destroy(cluster)


def dumped(original, made):
    target = started_cluster(shared_preload_libraries="sqs_sync")
    made.append(target)
    with target.connect() as postgres:
        postgres.execute(f"CREATE DATABASE {original.name}")
    return restore_into(target, dump(original))


def dump(original):
    file = original.cluster.directory / f"{original.name}.sql"
    original.cluster.run("pg_dump", "-d", original.name, "-f", file)
    return file, original.name


def restore_into(target, dumped):
    file, name = dumped
    target.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", name, "-f", file)
    return Database(target, name)


def restored_in_place(original, made):
    file = dump(original)
    original.admin.execute("DROP EXTENSION sqs_sync CASCADE; DROP SCHEMA sqs_sync_data CASCADE; DROP OWNED BY analyst")
    return restore_into(original.cluster, file)


def templated(original, made):
    name = fresh_name("db")
    original.close()
    with original.cluster.connect() as postgres:
        postgres.execute(f"CREATE DATABASE {name} TEMPLATE {original.name}")
    original.connect()
    return Database(original.cluster, name)


def backed_up(original, made):
    return started(backup_of(original.cluster, shared_preload_libraries="sqs_sync"), original, made)


def copied(original, made):
    """File by file, from a server that is stopped."""
    original.close()
    original.cluster.stop()
    copy = copy_of(original.cluster, shared_preload_libraries="sqs_sync")
    original.cluster.start()
    original.connect()
    return started(copy, original, made)


def started(cluster, original, made):
    made.append(cluster)
    cluster.start()
    return Database(cluster, original.name)


COPIES = {dumped: OTHER_SERVER, restored_in_place: RESTORED, templated: OTHER_DATABASE,
          backed_up: OTHER_DIRECTORY, copied: OTHER_DIRECTORY}


@pytest.fixture
def copy(request, original, made):
    copy = request.param(original, made)
    yield copy
    copy.close()
    if request.param is templated:
        with copy.cluster.connect() as postgres:
            postgres.execute(f"DROP DATABASE {copy.name} WITH (FORCE)")


def each(*kinds):
    return pytest.mark.parametrize("copy", kinds, ids=[kind.__name__ for kind in kinds], indirect=True)


def refused(connection, statement):
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as error:
        connection.execute(statement)
    return error.value.diag


@pytest.mark.parametrize("copy, why", COPIES.items(), ids=[kind.__name__ for kind in COPIES], indirect=["copy"])
def test_a_copy_is_paused_and_says_why_until_it_takes_the_originals_place(copy, why, original, fifo):
    copy.analyst.execute("UPDATE items SET name = 'of the copy' WHERE id = 1")

    said = refused(copy.analyst, "SELECT sqs_sync_run('items')")
    assert "this database is a copy" in said.message_primary and why in said.message_detail
    assert "sqs_sync_take_over" in said.message_hint
    refused(copy.analyst, "SELECT * FROM sqs_sync_test('items')")
    sync = copy.row("SELECT state, paused_by FROM sqs_sync.syncs")
    assert sync.state == "paused" and why in sync.paused_by
    assert copy.value("SELECT detail FROM sqs_sync_check('items') WHERE NOT ok") == f"this database is a copy: {said.message_detail[0].lower()}{said.message_detail[1:-1]}"
    assert why in copy.value("SELECT sqs_sync_report()")
    assert fifo.drain() == []

    copy.admin.execute("SELECT sqs_sync_take_over(moved => true)")

    assert copy.row("SELECT state, paused_by FROM sqs_sync.syncs") == ("ready", None)
    run = copy.run("items")
    assert (run.state, run.published) == ("succeeded", 1)
    (message,) = fifo.drain()
    assert message.attributes["event"] == "changed"
    assert int(message.attributes["change_id"]) > 2**40 + 2**32, "ids that the original gave since are not given again"


@each(templated)
def test_only_a_superuser_and_the_databases_owner_take_over(copy):
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as error:
        copy.analyst.execute("SELECT sqs_sync_take_over()")
    assert "owner of the database" in error.value.diag.message_primary
    refused(copy.analyst, "SELECT sqs_sync_run('items')")

    copy.admin.execute(f"ALTER DATABASE {copy.name} OWNER TO analyst")
    copy.analyst.execute("SELECT sqs_sync_take_over()")
    assert copy.run("items").state == "succeeded"


def test_who_takes_over_at_home_changes_nothing(original):
    before = original.admin.execute("SELECT sync_uuid, timeline FROM sqs_sync.sync JOIN sqs_sync.position USING (sync_id)").fetchall()
    notices = []
    original.admin.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    original.admin.execute("SELECT sqs_sync_take_over()")
    assert original.admin.execute("SELECT sync_uuid, timeline FROM sqs_sync.sync JOIN sqs_sync.position USING (sync_id)").fetchall() == before
    assert notices == ["the syncs of this database are at home already"]


@pytest.fixture
def stopped_in_a_run(original, proxy):
    """A server that was stopped when ten changes of a run had been sent and the answers were lost."""
    original.point_at(proxy.endpoint)
    original.analyst.execute("UPDATE items SET name = 'new'")
    proxy.cut()
    original.start_run("items")
    wait_until(lambda: proxy.cuts > 0, "the run has sent something")
    original.cluster.stop()
    proxy.pass_on()
    yield original
    original.cluster.start()
    original.connect()


def test_a_copy_does_not_go_on_with_the_originals_run(stopped_in_a_run, original, proxy, fifo, made):
    told = {message.dedup_id for message in fifo.drain()}
    assert len(told) == 10
    copy = started(copy_of(original.cluster, shared_preload_libraries="sqs_sync"), original, made)
    wait_until(lambda: "sqs_sync is paused in this database, which is a copy" in copy.cluster.log.read_text(),
               "the copy's worker has looked")
    assert copy.value("SELECT state FROM sqs_sync.runs ORDER BY run_id DESC LIMIT 1") == "publishing"
    requests = proxy.requests

    copy.admin.execute("SELECT sqs_sync_take_over()")

    ended = copy.row("SELECT state, error FROM sqs_sync.runs ORDER BY run_id DESC LIMIT 1")
    assert ended.state == "cancelled" and "a copy" in ended.error
    assert proxy.requests == requests
    assert copy.run("items").state == "succeeded"
    again = fifo.drain()
    assert len(again) == 10, "the queue takes the copy's messages, which are not the original's"
    assert told.isdisjoint(message.dedup_id for message in again)
    copy.close()


def test_a_run_goes_on_where_the_directory_has_moved_to(stopped_in_a_run, original, fifo, made):
    assert len(fifo.drain()) == 10
    moved = started(copy_of(original.cluster, shared_preload_libraries="sqs_sync"), original, made)
    run_id = moved.value("SELECT max(run_id) FROM sqs_sync.runs")

    moved.admin.execute("SELECT sqs_sync_take_over(moved => true)")

    assert moved.wait_for(run_id).published == 10
    assert fifo.drain() == [], "the queue discards what it has taken, by the same deduplication ids"
    moved.close()


@each(backed_up)
def test_a_server_that_goes_back_in_time_in_its_own_directory_is_paused(copy):
    copy.admin.execute("SELECT sqs_sync_take_over(moved => true)")
    assert copy.run("items").state == "succeeded"
    copy.close()
    copy.cluster.stop()
    copy.cluster.configure(restore_command="false")
    (copy.cluster.data / "recovery.signal").touch()
    copy.cluster.start()
    wait_until(lambda: not copy.cluster.connect().execute("SELECT pg_is_in_recovery()").fetchone()[0], "the recovery has ended")
    copy.connect()

    assert OTHER_TIMELINE in refused(copy.analyst, "SELECT sqs_sync_run('items')").message_detail


@each(templated)
def test_a_copy_whose_syncs_are_dropped_is_home_to_new_ones(copy, fifo):
    copy.analyst.execute("SELECT sqs_sync_drop('items')")
    copy.create_sync("items", fifo.name, model="item_rows", group_id="all", **BODIES["template"])
    assert copy.run("items").published == 10


def test_a_copys_alerts_tell_nobody_until_it_takes_over(original):
    original.admin.execute("CREATE SERVER told FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'notify', name 'told');"
                           "GRANT USAGE ON FOREIGN SERVER told TO analyst")
    original.analyst.execute("SELECT sqs_sync_alert_create('failed', sync => 'items', condition => 'run_failed', channel => 'told')")
    alert = "SELECT alert_id, owner, channel, 'items', 'firing', 'title', 'summary', '{}' FROM sqs_sync.alert"
    copy = templated(original, [])
    try:
        # Whatever is queued ends in one way or the other where somebody looks after it.
        copy.admin.execute(f"INSERT INTO sqs_sync.alert_delivery (alert_id, owner, channel, sync, news, title, summary, message) {alert}")
        looks = "SELECT state_change FROM pg_stat_activity WHERE pid = %s"
        (worker,) = wait_until(lambda: copy.processes("worker"), "the copy has a worker")
        for _ in range(2):
            before = copy.admin.execute(looks, (worker,)).fetchone()
            wait_until(lambda: copy.admin.execute(looks, (worker,)).fetchone() != before, "the worker has looked")
        waiting = "SELECT state, attempts FROM sqs_sync.alert_delivery"
        assert copy.admin.execute(waiting).fetchall() == [("queued", 0)]

        copy.admin.execute("SELECT sqs_sync_take_over(moved => true)")

        wait_until(lambda: copy.admin.execute(waiting).fetchone().attempts, "it is looked after")
    finally:
        copy.close()
        with original.cluster.connect() as postgres:
            postgres.execute(f"DROP DATABASE {copy.name} WITH (FORCE)")


def test_a_mark_of_the_data_directory_that_is_cut_short_or_not_ours_says_nothing(emulator, made):
    cluster = started_cluster(shared_preload_libraries="sqs_sync")
    made.append(cluster)
    database = create_database(cluster, fresh_name("db"), emulator.endpoint)
    Items(database.analyst).create()
    database.create_sync("items", "queue", model="item_rows", **BODIES["template"])
    mark = cluster.data / "global" / "pgsql_tmp.sqs_sync"
    whole = mark.read_text()
    about, place, *rest = whole.splitlines(keepends=True)

    def why_paused():
        return database.admin.execute("SELECT sqs_sync.why_paused()").fetchone()[0]

    assert why_paused() is None
    for text in ("", about, about + place, whole[:len(about + place) + 8], "else\n" + place + "".join(rest), whole + "something else\n"):
        mark.write_text(text)
        assert OTHER_DIRECTORY in why_paused(), text
    mark.write_text(whole)
    assert why_paused() is None
    database.close()
