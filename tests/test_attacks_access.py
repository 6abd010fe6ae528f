"""What one role can learn of, or do to, the syncs of another; and what everyone may call."""

import psycopg
import pytest

from support.attacks import tables_of
from support.database import call
from support.deadline import wait_until
from support.items import BODIES

# Every function of ours that any role may call. Whoever adds one thinks about who calls it.
CALLABLE = """
sqs_sync.known_errors()
sqs_sync.known_options()
sqs_sync.latency_at(bigint[],double precision)
sqs_sync.next_time(text,text,double precision)
sqs_sync.row_hash(record)
sqs_sync.rows_read(bigint)
sqs_sync.schedule_of(text)
sqs_sync.stable_text(anyelement)
sqs_sync.value_hash(anyelement)
sqs_sync.watch(bigint)
sqs_sync.why_paused()
sqs_sync.worker_processes()
sqs_sync_alert_create(text,text,text,text,text,interval,interval)
sqs_sync_alert_drop(text)
sqs_sync_alert_silence(text,interval)
sqs_sync_alert_test(text)
sqs_sync_alert_unsilence(text)
sqs_sync_alter(text,text,text,text,text,json,text,json,text,text,text,text,text,text[],text,text,interval,text,bigint,double precision,text[])
sqs_sync_approve(bigint)
sqs_sync_baseline(text,boolean)
sqs_sync_cancel(bigint)
sqs_sync_check(text)
sqs_sync_create(text,text,text,text,text,text,text,json,text,json,text,text,text,text,text,text[],text,text,text,interval,text,bigint,double precision)
sqs_sync_discard(bigint)
sqs_sync_dismiss(text,text,text,boolean)
sqs_sync_drop(text)
sqs_sync_explain(text)
sqs_sync_forget_doubt(text,text,boolean)
sqs_sync_log(text,text,double precision,bigint,interval)
sqs_sync_off(text,text)
sqs_sync_on(text,text,text,text,text,json,text,json,text,text,text,text,text,text,text[],text[])
sqs_sync_pause(text)
sqs_sync_preview(text,integer)
sqs_sync_queues(text,text)
sqs_sync_render(text,text,text)
sqs_sync_report(text)
sqs_sync_resume(text)
sqs_sync_resync(text,text,boolean)
sqs_sync_retry(text,text,text)
sqs_sync_run(text)
sqs_sync_run_after(text,text)
sqs_sync_run_and_wait(text)
sqs_sync_schedule(text,text)
sqs_sync_stats_reset(text)
sqs_sync_take_over(boolean)
sqs_sync_test(text,text,text)
sqs_sync_trace(text,text)
sqs_sync_trust_policy(text,text,text,text)
sqs_sync_unschedule(text)
sqs_sync_wait(bigint,interval)
"""
READABLE = {"error_codes", "options", "syncs", "events", "runs", "held", "recent_runs", "progress", "stats", "rejections", "dismissed", "forgotten", "requests", "recent_requests", "workers",
            "alerts", "alert_deliveries"}

PRIVATE = "the-private-name"


@pytest.fixture
def other(database):
    database.admin.execute("GRANT CREATE ON SCHEMA public TO other")
    connection = database.connection_of("other")
    yield connection
    connection.close()


@pytest.fixture
def private(database, items, queue):
    """A sync of the analyst's with a run and a rejection."""
    items.fill(5)
    database.analyst.execute("CREATE VIEW keyed AS SELECT CASE WHEN id > 3 THEN 'private-key' ELSE id::text END AS id, name FROM items")
    database.create_sync(PRIVATE, queue.name, model="keyed", template='{"private": "{{row.name}}"}')
    call(database.analyst, "sqs_sync_log", name=PRIVATE, level="all")
    database.admin.execute("CREATE SERVER private_channel FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'notify');"
                           " GRANT USAGE ON FOREIGN SERVER private_channel TO analyst")
    call(database.analyst, "sqs_sync_alert_create", name="private-alert", sync=PRIVATE, condition="rejections", over="0", channel="private_channel")
    assert database.run(PRIVATE).state == "partly_failed"
    wait_until(lambda: database.rows("SELECT * FROM sqs_sync.alert_deliveries"), "the alert is told")
    return database


def said(refused):
    diagnostics = refused.value.diag
    return " ".join(filter(None, [diagnostics.message_primary, diagnostics.message_detail,
                                  diagnostics.message_hint, diagnostics.context]))


def test_only_these_functions_can_be_called_by_everyone(database):
    found = {row[0] for row in database.admin.execute("""
        SELECT p.oid::regprocedure::text FROM pg_proc p
        JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
        JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
        WHERE e.extname = 'sqs_sync' AND has_function_privilege('other', p.oid, 'EXECUTE')""")}
    assert found == set(CALLABLE.split("\n")) - {""}


def test_only_these_functions_run_with_their_owners_rights_and_each_pins_its_search_path(database):
    found = database.admin.execute("""
        SELECT p.oid::regprocedure::text AS name, p.proconfig FROM pg_proc p
        JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
        WHERE p.prosecdef""").fetchall()
    assert {row[0] for row in found} == {"sqs_sync.worker_processes()"}
    assert all(row[1] and row[1][0].startswith("search_path=pg_catalog") for row in found)


def test_only_the_views_can_be_read_and_nothing_be_written(database):
    relations = database.admin.execute("""
        SELECT c.oid::regclass::text AS qualified, c.relname, has_table_privilege('other', c.oid, 'SELECT') AS reads,
               has_table_privilege('other', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') AS writes
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'sqs_sync' AND c.relkind IN ('r', 'v', 'S', 'p')""").fetchall()
    assert {row[1] for row in relations if row[2]} == READABLE
    assert not any(row[3] for row in relations)
    for row in relations:
        if row[1].endswith("_seq"):
            assert not database.admin.execute("SELECT has_sequence_privilege('other', %s, 'USAGE, SELECT, UPDATE')", (row[0],)).fetchone()[0]


def test_every_view_is_a_security_barrier(database):
    views = database.admin.execute("""
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'sqs_sync' AND c.relkind = 'v' AND NOT COALESCE('security_barrier=true' = ANY (c.reloptions), false)""").fetchall()
    assert views == []


@pytest.mark.parametrize("schema", ["sqs_sync", "sqs_sync_data"])
def test_nobody_may_create_in_our_schemas(private, other, schema):
    for statement in (f"CREATE TABLE {schema}.mine ()", f"CREATE VIEW {schema}.mine AS SELECT 1", f"DROP SCHEMA {schema} CASCADE",
                      f"CREATE FUNCTION {schema}.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'", f"ALTER SCHEMA {schema} RENAME TO mine"):
        for connection in (other, private.analyst):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


@pytest.mark.parametrize("view", sorted(READABLE))
def test_a_leaky_function_sees_no_row_of_anothers(private, other, view):
    other.execute("CREATE TABLE heard (what text)")
    other.execute("CREATE FUNCTION listen(anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
                  " $$ BEGIN INSERT INTO public.heard VALUES ($1::text); RETURN true; END $$")
    other.execute(f"SELECT * FROM sqs_sync.{view} v WHERE listen(v::text)")
    columns = [row[0] for row in other.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", (f"sqs_sync.{view}",))]
    for column in columns:
        other.execute(f'SELECT 1 FROM sqs_sync.{view} v WHERE listen(v."{column}"::text)')
        try:
            other.execute(f'SELECT 1 FROM sqs_sync.{view} v WHERE v."{column}"::text::integer = 0')
        except psycopg.Error as refused:
            assert "private" not in str(refused)
    heard = " ".join(row[0] or "" for row in other.execute("SELECT what FROM heard"))
    assert "private" not in heard and "keyed" not in heard


def test_views_show_nothing_of_anothers(private, other):
    for view in READABLE - {"workers", "error_codes", "options"}:
        assert other.execute(f"SELECT * FROM sqs_sync.{view}").fetchall() == []


def test_the_workers_view_tells_nothing_of_anothers_runs(private, other, proxy):
    private.point_at(proxy.endpoint)
    proxy.delay(3000)
    private.analyst.execute("UPDATE items SET name = 'again'")
    run_id = private.start_run(PRIVATE)
    wait_until(lambda: private.run_row(run_id).state == "publishing", "the run publishes")
    seen = other.execute("SELECT sync, run_id FROM sqs_sync.workers WHERE sync IS NOT NULL OR run_id IS NOT NULL").fetchall()
    called = [row.run_id for row in other.execute("SELECT run_id FROM sqs_sync.worker_processes() WHERE run_id IS NOT NULL")] \
        if "run_id" in [c.name for c in other.execute("SELECT * FROM sqs_sync.worker_processes() LIMIT 0").description] else []
    proxy.pass_on()
    private.wait_for(run_id)
    assert seen == [] and called == []


@pytest.mark.parametrize("function", ["sqs_sync_run", "sqs_sync_drop", "sqs_sync_pause", "sqs_sync_resume", "sqs_sync_alter", "sqs_sync_log", "sqs_sync_resync", "sqs_sync_baseline",
                                      "sqs_sync_retry", "sqs_sync_dismiss", "sqs_sync_forget_doubt"])
def test_anothers_sync_is_refused_by_name(private, other, function):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        call(other, function, name=PRIVATE)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        other.execute("CALL sqs_sync_run_and_wait(%s)", (PRIVATE,))


@pytest.mark.parametrize("function", ["sqs_sync_wait", "sqs_sync_cancel", "sqs_sync_approve", "sqs_sync_discard", "sqs_sync.watch"])
def test_a_run_id_tells_nothing_of_anothers_sync(private, other, function):
    """Run ids can be counted through: an error must not give the sync's name away."""
    run_id = private.value("SELECT max(run_id) FROM sqs_sync.runs")
    with pytest.raises(psycopg.Error) as refused:
        other.execute(f"SELECT {function}(%s)", (run_id,))
    assert refused.value.sqlstate in ("42501", "42704")
    assert PRIVATE not in said(refused)


def test_a_name_that_is_taken_by_another_tells_no_more_than_that(private, other, queue):
    with pytest.raises(psycopg.Error) as refused:
        call(other, "sqs_sync_create", name=PRIVATE, model="SELECT 1 AS id", key="id", server="sqs", queue=queue.name, template="1")
    assert "keyed" not in said(refused) and queue.name not in said(refused)


def test_anothers_tables_are_out_of_reach(private, other):
    for table in (*tables_of(private, PRIVATE), "sqs_sync.sync", "sqs_sync.definition", "sqs_sync.run",
                  "sqs_sync.rejection", "sqs_sync.request", "sqs_sync.logging", "sqs_sync.position", "sqs_sync.visible_sync", "sqs_sync.run_progress", "sqs_sync.tally", "sqs_sync.counted",
                  "sqs_sync.alert", "sqs_sync.alert_standing", "sqs_sync.alert_delivery"):
        for statement in (f"SELECT * FROM {table}", f"DELETE FROM {table}", f"LOCK TABLE {table} IN ACCESS SHARE MODE",
                          f"TRUNCATE {table}", f"COPY {table} TO STDOUT", f"ANALYZE {table}"):
            try:
                with other.transaction():
                    other.execute(statement)
                assert statement.startswith("ANALYZE")  # a warning, and nothing done
            except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState,
                    psycopg.errors.WrongObjectType):
                pass


def test_a_server_is_not_lent_to_who_has_no_usage_of_it(private, other, queue):
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="sqs"):
        call(other, "sqs_sync_create", name="mine", model="SELECT 1 AS id", key="id", server="sqs", queue=queue.name, template="1")


def test_usage_of_a_server_does_not_lend_anothers_mapping(private, other, queue):
    private.admin.execute("GRANT USAGE ON FOREIGN SERVER sqs TO other")
    with pytest.raises(psycopg.errors.UndefinedObject, match="other"):
        call(other, "sqs_sync_create", name="mine", model="SELECT 1 AS id", key="id", server="sqs", queue=queue.name, template="1")


def test_a_mapping_for_public_shows_its_keys_to_nobody(private, other):
    private.admin.execute("CREATE USER MAPPING FOR PUBLIC SERVER sqs OPTIONS (access_key_id 'AKIDPUBLIC', secret_access_key 'hush-public')")
    private.admin.execute("GRANT USAGE ON FOREIGN SERVER sqs TO other")
    for view in ("pg_user_mappings", "information_schema.user_mapping_options"):
        assert "hush-public" not in str(other.execute(f"SELECT * FROM {view}").fetchall())
        assert "hush-public" not in str(private.analyst.execute(f"SELECT * FROM {view}").fetchall())


def test_a_member_of_the_owners_role_may_what_the_owner_may(private):
    private.admin.execute("CREATE ROLE team_member LOGIN IN ROLE analyst")
    try:
        member = private.connection_of("team_member")
        assert [row.name for row in member.execute("SELECT name FROM sqs_sync.syncs")] == [PRIVATE]
        assert member.execute("SELECT sqs_sync_run(%s)", (PRIVATE,)).fetchone()[0]
        member.close()
        private.admin.execute("ALTER ROLE team_member NOINHERIT")
        member = private.connection_of("team_member")
        assert member.execute("SELECT name FROM sqs_sync.syncs").fetchall() == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            member.execute("SELECT sqs_sync_run(%s)", (PRIVATE,))
        member.close()
    finally:
        wait_until(lambda: private.value("SELECT bool_and(finished_at IS NOT NULL) FROM sqs_sync.runs"), "runs have ended")
        private.admin.execute("DROP ROLE team_member")


def test_pg_monitor_sees_that_there_are_runs_and_no_rows(private, other):
    private.admin.execute("CREATE ROLE watcher LOGIN IN ROLE pg_monitor")
    try:
        watcher = private.connection_of("watcher")
        assert watcher.execute("SELECT count(*) FROM sqs_sync.runs").fetchone()[0] == 1
        assert watcher.execute("SELECT * FROM sqs_sync.rejections").fetchall() == []
        assert watcher.execute("SELECT * FROM sqs_sync.requests").fetchall() == []
        assert private.value("SELECT count(*) FROM sqs_sync.requests") > 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            watcher.execute("SELECT sqs_sync_run(%s)", (PRIVATE,))
        watcher.close()
    finally:
        private.admin.execute("DROP ROLE watcher")


@pytest.mark.parametrize("kind", ["runner", "worker", "launcher"])
def test_our_processes_are_not_the_analysts_to_signal(private, other, proxy, kind):
    private.point_at(proxy.endpoint)
    proxy.delay(2000)
    private.analyst.execute("UPDATE items SET name = 'again'")
    run_id = private.start_run(PRIVATE)
    wait_until(lambda: private.run_row(run_id).state == "publishing", "the run publishes")
    (pid,) = private.processes(kind)
    for connection in (other, private.analyst):
        for function in ("pg_cancel_backend", "pg_terminate_backend"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT {function}(%s)", (pid,))
    proxy.pass_on()
    assert private.wait_for(run_id).state in ("succeeded", "partly_failed")


def test_a_model_does_not_signal_our_processes(database, items, queue):
    items.fill(1)
    database.analyst.execute("""
        CREATE FUNCTION shoot() RETURNS text LANGUAGE plpgsql AS $$
        DECLARE pid integer;
        BEGIN
          FOR pid IN SELECT a.pid FROM pg_catalog.pg_stat_activity a WHERE a.backend_type LIKE 'sqs_sync%' LOOP
            BEGIN PERFORM pg_catalog.pg_terminate_backend(pid); EXCEPTION WHEN OTHERS THEN NULL; END;
            BEGIN PERFORM pg_catalog.pg_cancel_backend(pid); EXCEPTION WHEN OTHERS THEN NULL; END;
          END LOOP;
          RETURN 'x';
        END $$""")
    worker = database.processes("worker")
    database.create_sync("items", queue.name, model="SELECT id, shoot() AS name FROM items", template="1")
    assert database.run("items").state == "succeeded"
    assert database.processes("worker") == worker or worker == []


def test_what_a_held_run_would_announce_is_for_who_has_the_owners_rights(private, other):
    private.alter_sync(PRIVATE, guard_share="0%", guard_rows=0)
    private.analyst.execute("UPDATE items SET name = 'again'")
    assert private.run(PRIVATE).state == "held"
    assert private.rows("SELECT sync FROM sqs_sync.held") == [(PRIVATE,)]
    private.admin.execute("CREATE ROLE watcher LOGIN IN ROLE pg_monitor")
    try:
        watcher = private.connection_of("watcher")
        for connection in (watcher, other):
            assert connection.execute("SELECT * FROM sqs_sync.held").fetchall() == []
        run_id = watcher.execute("SELECT run_id FROM sqs_sync.runs WHERE state = 'held'").fetchone()[0]
        for connection in (watcher, other):
            for function in ("sqs_sync_approve", "sqs_sync_discard"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"SELECT {function}(%s)", (run_id,))
        watcher.close()
    finally:
        private.admin.execute("DROP ROLE watcher")


def test_an_orphaned_sync_is_a_superusers_to_drop(private):
    for table in tables_of(private, PRIVATE):
        private.analyst.execute(f"DROP TABLE {table}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        private.analyst.execute("SELECT sqs_sync_drop(%s)", (PRIVATE,))
    private.admin.execute("SELECT sqs_sync_drop(%s)", (PRIVATE,))


# Schemas made before, or after, by someone else ------------------------------------------

@pytest.mark.parametrize("schema", ["sqs_sync", "sqs_sync_data"])
def test_a_schema_that_an_attacker_made_first_is_not_used(database, items, queue, schema):
    items.fill(1)
    database.admin.execute("DROP EXTENSION sqs_sync CASCADE")
    database.admin.execute(f'GRANT CREATE ON DATABASE "{database.name}" TO other')
    attacker = database.connection_of("other")
    attacker.execute(f"CREATE SCHEMA {schema}; GRANT ALL ON SCHEMA {schema} TO PUBLIC")
    attacker.execute(f"CREATE TABLE {schema}.snapshot_1 (id integer)")
    with pytest.raises(psycopg.Error) as refused:
        database.admin.execute("CREATE EXTENSION sqs_sync")
        database.admin.execute("CREATE SERVER sqs FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'us-east-1')")
        database.admin.execute("CREATE USER MAPPING FOR analyst SERVER sqs OPTIONS (access_key_id 'test', secret_access_key 'test')")
        database.admin.execute("GRANT USAGE ON FOREIGN SERVER sqs TO analyst")
        database.create_sync("items", queue.name, model="items", template="1")
    assert refused.value.sqlstate == "42P06"
    attacker.close()


def test_a_data_schema_taken_over_with_rights_for_others_in_it_is_refused(database, items, queue):
    """The hint says to take it over; what its maker granted in it stays."""
    items.fill(1)
    database.admin.execute(f'GRANT CREATE ON DATABASE "{database.name}" TO other')
    attacker = database.connection_of("other")
    attacker.execute("CREATE SCHEMA sqs_sync_data; GRANT ALL ON SCHEMA sqs_sync_data TO PUBLIC")
    database.admin.execute("ALTER SCHEMA sqs_sync_data OWNER TO postgres")
    with pytest.raises(psycopg.Error):
        database.create_sync("items", queue.name, model="items", template="1")
    attacker.close()


def test_a_snapshot_in_a_schema_of_an_attackers_gives_him_no_sync(private, other):
    """If the schema is lost, whoever makes it again does not come to own the syncs."""
    private.admin.execute("DROP SCHEMA sqs_sync_data CASCADE")
    private.admin.execute(f'GRANT CREATE ON DATABASE "{private.name}" TO other')
    other.execute("CREATE SCHEMA sqs_sync_data; CREATE TABLE sqs_sync_data.snapshot_1 (id text, name text)")
    assert other.execute("SELECT * FROM sqs_sync.syncs").fetchall() == []
    assert other.execute("SELECT * FROM sqs_sync.rejections").fetchall() == []
    for function in ("sqs_sync_run", "sqs_sync_alter", "sqs_sync_drop"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            call(other, function, name=PRIVATE)


def test_the_extension_can_be_dropped_and_made_again_beside_old_snapshots(private, queue):
    private.admin.execute("DROP EXTENSION sqs_sync CASCADE")
    private.admin.execute("CREATE EXTENSION sqs_sync")
    private.admin.execute("CREATE SERVER sqs FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'us-east-1')")
    private.admin.execute("CREATE USER MAPPING FOR analyst SERVER sqs OPTIONS (access_key_id 'test', secret_access_key 'test')")
    private.admin.execute("GRANT USAGE ON FOREIGN SERVER sqs TO analyst")
    try:
        private.create_sync("again", queue.name, model="items", template="1")
    except psycopg.Error as refused:
        assert refused.diag.message_hint, "the error does not say what to do about the old snapshots"


# Functions that anyone calls with anything ------------------------------------------------

def test_the_hash_and_the_text_of_any_value_never_crash(database):
    """Every type that a column can have, null and not, and what they read of other columns."""
    types = [row[0] for row in database.admin.execute(
        "SELECT format_type(oid, NULL) FROM pg_type WHERE typtype IN ('b', 'e', 'd', 'r', 'm') AND typelem = 0 OR typcategory = 'A' ORDER BY oid")]
    for name in types:
        for literal in ("NULL", "'1'", "'{}'", "'{1}'", "''", "'a'", "'2020-01-01'", "'{NULL}'", "'[0:1]={1,2}'", "'{{1,2},{3,4}}'"):
            try:
                database.analyst.execute(f"SELECT sqs_sync.row_hash(ROW({literal}::{name})), sqs_sync.stable_text({literal}::{name}), sqs_sync.value_hash({literal}::{name})")
            except psycopg.OperationalError as crashed:
                assert not database.analyst.closed, f"{literal}::{name}: {crashed}"
            except psycopg.Error:
                continue
    for statement in ("SELECT sqs_sync.row_hash(ROW())", "SELECT sqs_sync.row_hash(NULL)", "SELECT sqs_sync.row_hash(ROW('x'))",
                      "SELECT sqs_sync.stable_text('x'::unknown)", "SELECT sqs_sync.value_hash('x'::unknown)", "SELECT sqs_sync.value_hash(c) FROM pg_class c",
                      "SELECT sqs_sync.value_hash(NULL::text), sqs_sync.value_hash(ARRAY[1, NULL])", "SELECT sqs_sync.value_hash(most_common_vals) FROM pg_stats", "SELECT sqs_sync.row_hash(ROW(ROW(ROW(1, NULL), '{}'::int[])))",
                      "SELECT sqs_sync.row_hash(s) FROM pg_stats s", "SELECT sqs_sync.row_hash(s) FROM pg_statistic s",
                      "SELECT sqs_sync.row_hash(c), sqs_sync.stable_text(c) FROM pg_class c", "SELECT sqs_sync.row_hash(c) FROM pg_proc c",
                      "SELECT sqs_sync.stable_text(most_common_vals) FROM pg_stats", "SELECT sqs_sync.row_hash(a) FROM pg_attribute a",
                      "SELECT sqs_sync.row_hash(ROW(repeat('x', 50000000)))", "SELECT sqs_sync.row_hash(ROW(array_fill(1, ARRAY[1000000])))",
                      "SELECT sqs_sync.connection_options(NULL, 0)", "SELECT sqs_sync.connection_options('{}', 1417)",
                      "SELECT sqs_sync.connection_options('{{a=b},{c=d}}', 1418)", "SELECT sqs_sync.connection_options('{NULL}', 4294967295)",
                      "SELECT sqs_sync.channel_options(NULL, 0)", "SELECT sqs_sync.channel_options('{{a=b},{c=d}}', 1417)",
                      "SELECT sqs_sync.channel_options('{NULL,x}', 1418)", "SELECT sqs_sync_alert_silence('x', '178000000 years')",
                      "SELECT sqs_sync.watch(NULL)", "SELECT sqs_sync.watch(-1)", "SELECT sqs_sync_wait(NULL)", "SELECT sqs_sync_cancel(-9223372036854775808)",
                      "DO $$ DECLARE r record; BEGIN SELECT 1 AS a, 'x'::text AS b INTO r; PERFORM sqs_sync.row_hash(r); END $$"):
        for connection in (database.analyst, database.admin):
            try:
                connection.execute(statement)
            except psycopg.OperationalError as crashed:
                assert not connection.closed, f"{statement}: {crashed}"
            except psycopg.Error:
                continue


def test_the_validator_does_not_hide_what_its_caller_does_from_the_log(database):
    """Everyone may call it; only the statement with an option in it is kept from the log."""
    with pytest.raises(psycopg.Error):
        database.analyst.execute("""DO $$ BEGIN
          BEGIN PERFORM sqs_sync.connection_options('{x=1}', 1418); EXCEPTION WHEN OTHERS THEN NULL; END;
          PERFORM 1 / 0 AS traceless_deed;
        END $$""")
    assert "traceless_deed" in database.cluster.log_tail(40)


WRITES = ["UPDATE sqs_sync.definition SET events = '{}'", "UPDATE sqs_sync.sync SET model = 'public.items'", "DELETE FROM sqs_sync.sync",
          "INSERT INTO sqs_sync.definition VALUES (1, 2, 'sqs', '{}', '{}', NULL, NULL, '1 s')", "INSERT INTO sqs_sync.lent_identity VALUES ('x')",
          "UPDATE sqs_sync.alert SET owner = 'postgres'", "UPDATE sqs_sync.alert_delivery SET owner = 10"]


def test_who_may_write_to_all_tables_acts_as_nobody_else(private):
    """A definition holds SQL, which runs with the rights of the sync's owner."""
    private.admin.execute("CREATE ROLE writer LOGIN IN ROLE pg_write_all_data, pg_read_all_data")
    try:
        writer = private.connection_of("writer")
        assert writer.execute("SELECT count(*) FROM sqs_sync.definition").fetchone()[0] == 1
        for statement in WRITES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                writer.execute(statement)
        writer.close()
    finally:
        private.admin.execute("DROP ROLE writer")
