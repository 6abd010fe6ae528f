"""What is far too much is an error, a rejection or a wait that ends, whatever it is: the server stays, other sessions
go on, and memory is bounded."""

import threading
import time

import psycopg
import pytest
from psycopg import sql

from support.bystander import Bystander
from support.database import call
from support.deadline import wait_until
from support.process import Peak, anonymous_kb
from support.running import fresh_name
from support.sink import Sink

SYNCS = 10_000
MEGABYTES_10 = {"text": "repeat('x', 10000000)", "json": """'{"a": "' || repeat('x', 10000000) || '"}'"""}
NAMES = "(SELECT string_agg('column_' || i, ', ') FROM generate_series(1, 700000) i)"
LISTS = ("key", "order_by", "compare", "queues")


@pytest.fixture(scope="module")
def sink(tmp_path_factory):
    sink = Sink(tmp_path_factory.mktemp("sink") / "log").start()
    yield sink
    sink.stop()


# What is given to functions ---------------------------------------------------------------------

def test_ten_megabytes_as_any_argument_are_an_error_that_does_not_repeat_them(database, emulator, items, queue):
    items.fill(3)
    database.admin.execute(sql.SQL("ALTER SERVER sqs OPTIONS (ADD sts_endpoint_url {})").format(emulator.endpoint))
    database.create_sync("items", queue.name, model="items", template="1")
    database.admin.execute("CREATE SERVER told FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'notify', name 'told')")
    database.admin.execute("GRANT USAGE ON FOREIGN SERVER told TO analyst")
    call(database.analyst, "sqs_sync_alert_create", name="alert", channel="told", sync="items", condition="run_failed")
    given = {"name": "items", "model": "items", "server": "sqs", "queue": queue.name, "event": "added", "run_id": 1,
             "alert": "alert", "channel": "told", "condition": "run_failed", "schedule": "* * * * *", "after": "items"}
    wrong, tried = [], 0
    with Bystander(database):
        for function in database.rows("""
                SELECT p.oid, proname AS name, prokind AS kind, pronargs - pronargdefaults AS required,
                       proargnames[:pronargs] AS names, proargtypes::regtype[]::text[] AS types
                FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
                WHERE proname ~ '^sqs_sync_' AND pronamespace = 'public'::regnamespace"""):
            for place, (argument, kind) in enumerate(zip(function.names, function.types)):
                if kind not in ("text", "json"):
                    continue
                for much in [MEGABYTES_10[kind], *([NAMES] if argument in LISTS else [])]:
                    arguments = {name: sql.Literal(given.get(name)) for name in function.names[:function.required]}
                    if "alert" in function.name and "name" in arguments:
                        arguments["name"] = sql.Literal("alert")
                    arguments[argument] = sql.SQL(f"({much})::{kind}")
                    tried += 1
                    wrong += tried_out(database.analyst, function, arguments, f"{function.name}({argument} => {much[:20]})")
    assert not wrong, "\n".join(wrong)
    assert tried > 70
    assert database.run("items").state == "succeeded"


def tried_out(connection, function, arguments, what):
    listed = sql.SQL(", ").join(sql.SQL("{} => {}").format(sql.Identifier(name), value) for name, value in arguments.items())
    statement = sql.SQL("CALL {}({})" if function.kind == "p" else "SELECT {}({})").format(sql.Identifier(function.name), listed)
    began = time.monotonic()
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("SET LOCAL statement_timeout = '20s'")
            connection.execute(statement)
        return []
    except psycopg.Error as refused:
        told = [refused.diag.message_primary, refused.diag.message_detail, refused.diag.message_hint, refused.diag.context]
        is_good = refused.sqlstate and refused.sqlstate[:2] not in ("XX", "57", "53")
        length, took = sum(len(text or "") for text in told), time.monotonic() - began
        is_well = is_good and length < 10_000 and took < 10
        return [] if is_well else [f"{what}: {refused.sqlstate}, {length} letters, {took:.1f} s: {told[0][:60]}"]


def test_a_long_definition_is_an_error_that_names_the_limit(database, items, queue):
    items.fill(3)
    database.create_sync("items", queue.name, model="items", template="1")
    for option, value, limit in [("condition", "id > 0" + " " * 65536, "65536"),
                                 ("fields", '["id"' + " " * (1 << 20) + "]", "1048576"),
                                 ("attributes", '{"id": "1"' + " " * (1 << 20) + "}", "1048576")]:
        with pytest.raises(psycopg.Error, match=limit) as refused:
            call(database.analyst, "sqs_sync_on", name="items", event="added", **{option: value})
        assert option in str(refused.value) and refused.value.sqlstate in ("22023", "54000")
    with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="1048576"):
        database.create_sync("long", queue.name, model="SELECT 1 AS id" + " " * (1 << 20), template="1")


def test_a_model_of_800_columns_is_told_whole_and_a_wider_one_is_an_error(database, queue):
    def model(columns):
        return "SELECT i AS id, " + ", ".join(f"i + n AS c{i}" for i in range(columns - 1)) + " FROM numbers"
    database.analyst.execute("CREATE TABLE numbers AS SELECT 1 AS i, 0 AS n")
    for columns in (801, 1600):
        with pytest.raises(psycopg.errors.TooManyColumns, match=f"{columns} columns; 800 are the most"):
            database.create_sync("wide", queue.name, model=model(columns), template="1")
    database.create_sync("wide", queue.name, model=model(800), template='{"changed": {{changed_columns | size}}, "last": {{row.c798}}}')
    assert database.run("wide").published == 1
    database.analyst.execute("UPDATE numbers SET n = 1")
    [shown] = database.rows("SELECT * FROM sqs_sync_preview('wide')")
    assert database.run("wide").published == 1
    bodies = [message.body for message in queue.drain()]
    assert bodies == ['{"changed": 0, "last": 1}', '{"changed": 799, "last": 2}'] and shown.body == bodies[1]


# Large rows -------------------------------------------------------------------------------------

@pytest.fixture
def huge(database):
    """A row of 500 MB, and one that is not."""
    # Which Postgres itself compresses for far longer otherwise.
    database.admin.execute(sql.SQL("ALTER DATABASE {} SET default_toast_compression = 'lz4'").format(sql.Identifier(database.name)))
    database.connect()
    database.analyst.execute("CREATE TABLE huge AS SELECT 1 AS id, repeat('x', 500000000) AS words UNION ALL SELECT 2, 'short'")
    return database


def test_a_row_of_500_megabytes_is_told_where_they_are_not_used_and_rejected_where_they_are(huge, queue):
    huge.create_sync("huge", queue.name, model="huge", fields='["id"]', attributes={})
    with Bystander(huge):
        assert huge.run("huge").published == 2
        assert len(queue.drain()) == 2
        huge.alter_sync("huge", fields='["id", "words"]')
        huge.analyst.execute("SELECT sqs_sync_resync('huge')")
        [shown] = huge.rows("SELECT key, problem, row FROM sqs_sync_render('huge', '1', 'changed')")
        run = huge.run("huge")
    assert (run.published, run.rejected) == (1, 1)
    assert [message.body for message in queue.drain()] == ['{"id":2,"words":"short"}']
    [rejection] = huge.rejections("huge")
    assert (rejection.key, rejection.code) == ('{"id": 1}', "row_too_long")
    assert '"words" has 500000004 bytes' in rejection.reason
    assert shown.problem == f"row_too_long: {rejection.reason}" and shown.row is None


def test_a_key_longer_than_jsonb_takes_is_its_rows_rejection(database, queue):
    database.create_sync("keys", queue.name, key="k", fields='["id"]', attributes={},
                         model="SELECT i AS id, CASE i WHEN 1 THEN repeat('x', 270000000) ELSE 'short' END AS k FROM generate_series(1, 2) i")
    with Bystander(database):
        run = database.run("keys")
    assert (run.published, run.rejected) == (1, 1), run.error
    [rejection] = database.rejections("keys")
    assert rejection.code == "key_too_long" and len(rejection.key) == 3000


def test_a_row_that_postgres_cannot_hold_fails_the_run_and_says_so(database, queue):
    database.analyst.execute("CREATE TABLE sizes AS SELECT 1 AS n")
    database.create_sync("items", queue.name, fields='["id"]', model="SELECT 1 AS id, repeat('x', n) AS a, repeat('y', n) AS b FROM sizes")
    database.analyst.execute("UPDATE sizes SET n = 600000000")
    with Bystander(database):
        run = database.run("items")
    assert (run.state, run.sqlstate) == ("failed", "54000"), run.error
    assert "gigabyte" in run.hint


# What is made of rows ---------------------------------------------------------------------------

LARGE = """"{% for i in (1..1000) %}{{ row.text }}{% endfor %}\""""


@pytest.fixture
def growing(database, sink):
    """300 rows of a kilobyte, of each of which a message of a megabyte is made."""
    database.analyst.execute("CREATE TABLE growing AS SELECT i AS id, repeat('x', 1000) AS text FROM generate_series(1, 300) i")
    database.point_at(sink.endpoint)
    queue = sink.create_queue(fresh_name("queue"), keep=0)
    database.create_sync("growing", queue, model="growing", template=LARGE, attributes={})
    return database


def test_messages_are_made_as_memory_has_room_for_them_however_many_fit_a_batch_as_rows(growing, sink):
    growing.alter_sync("growing", max_messages_per_second=1)
    with Bystander(growing), Peak(lambda: growing.processes("runner")) as peak:
        run_id = growing.start_run("growing")
        wait_until(lambda: growing.value("SELECT published > 0 FROM sqs_sync.runs WHERE run_id = %s", run_id), "messages are sent", 60)
        growing.analyst.execute("SELECT sqs_sync_cancel(%s)", (run_id,))
        growing.wait_for(run_id)
        # More than there is room for at once.
        growing.analyst.execute("DELETE FROM growing WHERE id > 75")
        growing.alter_sync("growing", reset="{max_messages_per_second}")
        run = growing.run("growing")
    assert run.state == "succeeded" and run.published > 70, run.error
    assert 0 < peak.kb < 220_000, f"{peak.kb} kB for 300 messages of a megabyte"


def test_a_preview_shows_as_much_as_memory_has_room_for(growing):
    notices = []
    growing.analyst.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    pid = growing.analyst.info.backend_pid
    with Peak(lambda: [pid]) as peak:
        shown = growing.value("SELECT count(*) FROM sqs_sync_preview('growing', 300)")
    assert 20 < shown < 40 and any(str(shown) in notice for notice in notices)
    assert 0 < peak.kb < 220_000, f"{peak.kb} kB"


def test_many_previews_at_once_all_end(database, items, queue):
    items.fill(5000)
    database.create_sync("items", queue.name, model="items", fields='["id"]')
    sessions, counts = [database.connection_of("analyst") for _ in range(20)], []

    def look(session):
        counts.append(session.execute("SELECT count(*) FROM sqs_sync_preview('items', 500)").fetchone()[0])
    with Bystander(database):
        threads = [threading.Thread(target=look, args=(session,)) for session in sessions]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    for session in sessions:
        session.close()
    assert counts == [500] * 20


def test_a_queue_for_each_row_is_found_told_and_forgotten(database, sink):
    """crates/publisher counts what is kept of them: `of_queues_without_number_only_some_are_remembered`."""
    database.analyst.execute("CREATE TABLE rows AS SELECT i AS id FROM generate_series(1, 1500) i")
    database.point_at(sink.endpoint)
    prefix = fresh_name("q")
    sink.ask("POST", "queues", [f"{prefix}_{i}" for i in range(1, 1501)])
    database.create_sync("rows", prefix + "_{{row.id}}", model="rows", key="id", fields='["id"]', attributes={})
    with Bystander(database), Peak(lambda: database.processes("runner")) as peak:
        run = database.run("rows")
    assert (run.state, run.published) == ("succeeded", 1500), run.error
    assert sink.counts(f"{prefix}_1")["delivered"] == sink.counts(f"{prefix}_1500")["delivered"] == 1
    assert peak.kb < 150_000, f"{peak.kb} kB"


# Many syncs -------------------------------------------------------------------------------------

@pytest.fixture
def crowded(database, items, queue):
    """A sync that is as any other, and ten thousand copies of it, without a row of their own."""
    items.fill(10)
    database.create_sync("items", queue.name, model="items", fields='["id"]')
    database.run("items")
    for table in ("sync", "definition", "position"):
        database.admin.execute(f"""
            INSERT INTO sqs_sync.{table} SELECT c.* FROM sqs_sync.{table} t, generate_series(1, {SYNCS}) i,
            jsonb_populate_record(t, jsonb_build_object('sync_id', t.sync_id + i, 'name', 'copy ' || i, 'sync_uuid', gen_random_uuid())) c""")
    database.admin.execute("GRANT CREATE ON SCHEMA sqs_sync_data TO analyst; SET ROLE analyst")
    for first in range(1, SYNCS, 1000):
        database.admin.execute(f"""DO $$ BEGIN FOR i IN {first + 1}..{first + 1000} LOOP
            EXECUTE 'CREATE TABLE sqs_sync_data.snapshot_' || i || '()'; END LOOP; END $$""")
    database.admin.execute("RESET ROLE; REVOKE CREATE ON SCHEMA sqs_sync_data FROM analyst; ANALYZE sqs_sync.sync, sqs_sync.run")
    return database


def test_with_ten_thousand_syncs_views_answer_and_runs_begin_at_once(crowded, items):
    [worker] = crowded.processes("worker")
    memory = anonymous_kb(worker)
    with Bystander(crowded):
        for view in ("syncs", "progress", "stats", "runs", "recent_runs", "rejections", "workers", "alerts", "held"):
            began = time.monotonic()
            crowded.rows(f"SELECT count(*) FROM (SELECT * FROM sqs_sync.{view} OFFSET 0) v")
            took = time.monotonic() - began
            assert took < 5, f"{view} took {took:.1f} s"
        items.fill(11, first=11)
        began = time.monotonic()
        assert crowded.run("items").published == 1
        assert time.monotonic() - began < 10

        # All others want to run as well, and fail: their tables are not what they should be.
        crowded.admin.execute("INSERT INTO sqs_sync.run (sync_id, state) SELECT sync_id, 'queued' FROM sqs_sync.sync WHERE name <> 'items'")
        began = time.monotonic()
        run_id = crowded.start_run("items")
        ended = "SELECT count(*) FROM sqs_sync.run WHERE state = 'failed'"
        wait_until(lambda: crowded.admin.execute(ended).fetchone()[0] >= 50, "runs begin, one after another", 30)
        took = time.monotonic() - began
        assert crowded.run_row(run_id).waiting_for == "another run to end (sqs_sync.max_runners)"
        grown = anonymous_kb(worker) - memory
        crowded.admin.execute("DELETE FROM sqs_sync.run WHERE state = 'queued' AND run_id <> %s", (run_id,))
        assert crowded.wait_for(run_id).state == "succeeded"
    assert crowded.processes("worker") == [worker]
    assert grown < 20_000, f"the worker took {grown} kB more"
    assert took < 15, f"50 of {SYNCS} runs took {took:.1f} s"
