"""A run has the rights of its sync's owner and no more, whatever the owner, the attacker here,
puts into the model, its types and what the model stands on."""

import threading

import psycopg
import pytest

from support.attacks import arm, confessions, snapshot_of, tables_of, taken
from support.database import call, create_database, drop_database
from support.deadline import wait_until
from support.items import BODIES
from support.running import fresh_name

BODY = {"template": '{"id": {{row.id}}}'}


@pytest.fixture
def armed(database, items, queue):
    arm(database)
    items.fill(5)
    return database


def publish(database, queue, model, run_name="attack", **options):
    database.create_sync(run_name, queue.name, model=model, **{**BODY, **options})
    return database.run(run_name)


# The model's code -----------------------------------------------------------------------

def test_a_models_function_runs_as_the_owner_in_whole(armed, queue):
    run = publish(armed, queue, "SELECT id, grab() AS name FROM items",
                  template='{"who": "{{row.name}}"}')
    assert run.state == "succeeded", run.error
    assert {message.body for message in queue.drain()} == {'{"who": "analyst/analyst"}'}
    assert confessions(armed) == {("analyst", "analyst")}
    assert taken(armed) == []


def test_a_function_that_sets_the_session_user_by_its_own_declaration_gets_nothing(armed, queue):
    for setting in ("session_authorization = postgres", "role = postgres"):
        try:
            armed.analyst.execute(f"CREATE FUNCTION declared() RETURNS text LANGUAGE plpgsql SET {setting}"
                                  " AS $$ BEGIN RETURN public.grab(); END $$")
        except psycopg.Error:
            continue  # refused already
        try:
            publish(armed, queue, "SELECT 1 AS id, declared() AS name", run_name=setting)
        except psycopg.Error:
            pass
        armed.analyst.execute("DROP FUNCTION declared() CASCADE")
    assert taken(armed) == []


PARALLEL = {"parallel_setup_cost": 0, "parallel_tuple_cost": 0, "min_parallel_table_scan_size": 0,
            "parallel_leader_participation": "off"}


@pytest.fixture
def parallel(armed):
    for setting, value in PARALLEL.items():
        armed.admin.execute(f'ALTER DATABASE "{armed.name}" SET {setting} = {value}')
    armed.analyst.execute("CREATE TABLE many AS SELECT i AS id FROM generate_series(1, 20000) i; ANALYZE many")
    return armed


def who(parallel, attempt):
    parallel.analyst.execute(f"""
        CREATE FUNCTION who(integer) RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000 AS $$
        BEGIN
          {attempt}
          RETURN session_user || '/' || current_user || '/' || has_table_privilege('public.vault', 'INSERT')
                 || '/' || (SELECT backend_type FROM pg_stat_activity WHERE pid = pg_backend_pid());
        END $$""")
    return "SELECT id, who(id) AS name FROM many WHERE id % 100 = 0"


def test_parallel_workers_see_the_owner_as_session_user(parallel, queue):
    run = publish(parallel, queue, who(parallel, "NULL;"), template='"{{row.name}}"')
    assert run.state == "succeeded", run.error
    said = {message.body for message in queue.drain()}
    assert said == {'"analyst/analyst/false/parallel worker"'}


@pytest.mark.parametrize("setting, value", [("session_authorization", "postgres"), ("role", "postgres"), ("role", "none")])
def test_parallel_workers_cannot_be_talked_into_other_rights(parallel, queue, setting, value):
    model = who(parallel, f"PERFORM set_config('{setting}', '{value}', false);")
    try:
        run = publish(parallel, queue, model, template='"{{row.name}}"')
        assert run.state == "failed" and run.sqlstate in ("42501", "25000"), run.error
    except psycopg.Error as refused:
        assert refused.sqlstate in ("42501", "25000")
    assert queue.drain() == []


def test_a_search_path_set_in_a_model_catches_no_statement_of_ours(armed, queue):
    """Planted: operators and functions that our statements use, in a schema put first."""
    armed.admin.execute("CREATE SCHEMA evil AUTHORIZATION analyst")
    for name, left, right, result in [("=", "text", "text", "boolean"), ("=", "bigint", "bigint", "boolean"),
                                      ("=", "integer", "integer", "boolean"), ("+", "bigint", "bigint", "bigint"),
                                      ("-", "bigint", "integer", "bigint"), ("<=", "bigint", "bigint", "boolean"),
                                      (">", "bigint", "bigint", "boolean"), ("<>", "text", "text", "boolean"),
                                      ("<", "bigint", "bigint", "boolean"), ("||", "text", "text", "text")]:
        body = {"boolean": "true", "bigint": "$1", "text": "$1"}[result]
        function = f"evil.f_{left}_{right}_{sum(map(ord, name))}"
        armed.analyst.execute(f"CREATE FUNCTION {function}({left}, {right}) RETURNS {result} LANGUAGE plpgsql"
                              f" AS $$ BEGIN PERFORM public.grab(); RETURN {body}; END $$")
        armed.analyst.execute(f"CREATE OPERATOR evil.{name} (leftarg = {left}, rightarg = {right}, function = {function})")
    armed.analyst.execute("CREATE TABLE evil.pg_class (oid oid, relowner oid)")
    armed.analyst.execute("CREATE TABLE evil.sync (sync_id integer)")
    armed.analyst.execute("""
        CREATE FUNCTION steer(integer) RETURNS text LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM pg_catalog.set_config('search_path', 'evil, pg_catalog', false);
          PERFORM pg_catalog.set_config('standard_conforming_strings', 'off', false);
          PERFORM pg_catalog.set_config('row_security', 'off', false);
          RETURN 'x';
        END $$""")
    armed.analyst.execute("CREATE TYPE mood AS ENUM ('sad', 'glad')")
    armed.analyst.execute("CREATE FUNCTION mood_json(mood) RETURNS json LANGUAGE plpgsql AS"
                          " $$ BEGIN PERFORM public.steer(1); PERFORM public.grab(); RETURN '1'; END $$")
    armed.analyst.execute("CREATE CAST (mood AS json) WITH FUNCTION mood_json(mood)")
    run = publish(armed, queue, "SELECT id, steer(id) AS name, ARRAY['sad'::mood] AS moods FROM items")
    assert (run.state, run.published) == ("succeeded", 5), run.error
    assert taken(armed) == []
    assert armed.run("attack").published == 0


def test_casts_to_json_run_as_the_owner_wherever_rows_are_rendered(armed, queue):
    """In the payload, in a rejected key and in a key that is not unique."""
    armed.analyst.execute("CREATE TYPE mood AS ENUM ('sad', 'glad', 'odd')")
    armed.analyst.execute("CREATE FUNCTION mood_json(mood) RETURNS json LANGUAGE plpgsql AS"
                          " $$ BEGIN PERFORM public.grab(); RETURN to_json($1::text); END $$")
    armed.analyst.execute("CREATE CAST (mood AS json) WITH FUNCTION mood_json(mood)")
    armed.analyst.execute("CREATE TABLE moods (m mood, all_of mood[], body text)")
    armed.analyst.execute("INSERT INTO moods VALUES ('sad', '{glad,sad}', '1'), ('glad', '{}', 'no JSON'), ('odd', NULL, '1'), ('odd', NULL, '1')")
    run = publish(armed, queue, "moods", key="m", template=None, fields='{"all": "all_of", "m": "m"}')
    assert run.state == "partly_failed", run.error
    assert confessions(armed) == {("analyst", "analyst")}
    assert taken(armed) == []


def test_a_domain_a_composite_and_a_range_of_the_owners_run_nothing_as_another(armed, queue):
    armed.analyst.execute("""
        CREATE DOMAIN checked AS integer CHECK (public.grab_and_agree(VALUE));
        CREATE TYPE pair AS (a checked, b text);
        CREATE FUNCTION diff(double precision, double precision) RETURNS double precision
          LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM public.grab(); RETURN $1 - $2; END $$;
        CREATE TYPE span AS RANGE (subtype = double precision, subtype_diff = diff);
        CREATE TABLE typed (id integer PRIMARY KEY, d checked, p pair, s span, ss span[], ds checked[]);
        INSERT INTO typed SELECT i, i, (i, 'x')::pair, span(i, i + 1), ARRAY[span(i, i + 1)], ARRAY[i]::checked[]
          FROM generate_series(1, 200) i;
        DELETE FROM confession""")
    run = publish(armed, queue, "typed")
    assert run.state == "succeeded", run.error
    for table in tables_of(armed, "attack"):
        armed.admin.execute(f"ANALYZE {table}")
        armed.admin.execute(f"VACUUM FULL ANALYZE {table}")
    assert confessions(armed) <= {("analyst", "analyst"), ("postgres", "analyst")}
    types = [row[0] for row in armed.admin.execute(
        "SELECT DISTINCT t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
        " WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND t.oid >= 16384", (snapshot_of(armed, "attack"),))]
    assert types == [], "a table of ours holds a user's type"
    assert taken(armed) == []


# Creation -------------------------------------------------------------------------------

@pytest.mark.parametrize("constant", ["'{1}'::checked[]", "'(1,x)'::pair", "'{\"(1,x)\"}'::pair[]", "'[1,2)'::checked_span"])
def test_constants_in_a_model_statement_are_read_with_the_callers_rights(armed, queue, constant):
    """A constant is turned into a value when the view is made; a domain's check runs then."""
    armed.analyst.execute("CREATE DOMAIN checked AS integer CHECK (public.grab_and_agree(VALUE))")
    armed.analyst.execute("CREATE TYPE pair AS (a checked, b text)")
    armed.analyst.execute("CREATE TYPE checked_span AS RANGE (subtype = checked)")
    try:
        publish(armed, queue, f"SELECT 1 AS id, {constant} AS trap")
    except psycopg.Error:
        pass
    assert taken(armed) == []
    assert "postgres" not in {current for _, current in confessions(armed)}


def test_a_model_statement_sees_only_what_its_creator_sees(armed, queue):
    """Without USAGE of a schema nothing in it can be named, though its functions are PUBLIC's."""
    armed.admin.execute("CREATE SCHEMA closed")
    armed.admin.execute("CREATE FUNCTION closed.secret() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT 'the secret' $$")
    armed.admin.execute("CREATE TABLE closed.secrets AS SELECT 1 AS id, 'the secret' AS name")
    armed.admin.execute("GRANT SELECT ON closed.secrets TO analyst")
    for model in ("SELECT 1 AS id, closed.secret() AS name", "SELECT id, name FROM closed.secrets"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="closed"):
            armed.create_sync("attack", queue.name, model=model, **BODY)


def test_a_superusers_creation_of_an_analysts_model_runs_it_as_the_analyst(armed, queue):
    armed.analyst.execute("CREATE VIEW trap AS SELECT id, public.grab_and_agree(id) AS t FROM items")
    armed.create_sync("attack", queue.name, model="trap", connection=armed.admin, **BODY)
    assert {current for _, current in confessions(armed)} == {"analyst"}
    assert ("postgres", "INSERT") not in taken(armed)
    assert [how for _, how in taken(armed) if how != "trusting helper"] == []
    assert armed.run("attack").state == "succeeded"


# A superuser's sync ---------------------------------------------------------------------

FOREIGN = {
    "a view": ("CREATE VIEW lower AS SELECT id, grab() AS name FROM items", "SELECT id, name FROM lower"),
    "a table": ("CREATE TABLE lower AS SELECT 1 AS id, 'x' AS name", "SELECT id, name FROM lower"),
    "a function": ("SELECT 1", "SELECT 1 AS id, grab() AS name"),
    "an operator": ("CREATE FUNCTION op(integer, integer) RETURNS text LANGUAGE sql AS 'SELECT public.grab()';"
                    "CREATE OPERATOR public.### (leftarg = integer, rightarg = integer, function = op)",
                    "SELECT 1 AS id, 1 OPERATOR(public.###) 2 AS name"),
    "an aggregate": ("CREATE FUNCTION step(text, integer) RETURNS text LANGUAGE sql AS 'SELECT public.grab()';"
                     "CREATE AGGREGATE agg(integer) (sfunc = step, stype = text)",
                     "SELECT 1 AS id, agg(i) AS name FROM generate_series(1, 2) i"),
    "a domain": ("CREATE DOMAIN checked AS integer CHECK (public.grab_and_agree(VALUE))",
                 "SELECT i AS id, i::checked::text AS name FROM generate_series(1, 2) i"),
    "a cast": ("CREATE TYPE mood AS ENUM ('sad'); CREATE FUNCTION mood_json(mood) RETURNS json LANGUAGE plpgsql AS"
               " $$ BEGIN PERFORM public.grab(); RETURN '1'; END $$; CREATE CAST (mood AS json) WITH FUNCTION mood_json(mood)",
               "SELECT i AS id, 'x' AS name, enum_range(NULL::mood) AS moods FROM generate_series(1, 2) i"),
    "a policy": ("CREATE TABLE lower AS SELECT 1 AS id, 'x' AS name; ALTER TABLE lower ENABLE ROW LEVEL SECURITY",
                 "SELECT id, name FROM lower"),
}


@pytest.mark.parametrize("prepare, model", FOREIGN.values(), ids=FOREIGN.keys())
@pytest.mark.parametrize("given_as", ["view", "statement"])
def test_a_superusers_model_may_stand_on_nothing_of_an_analysts(armed, queue, prepare, model, given_as):
    armed.analyst.execute(prepare)
    if given_as == "view":
        armed.admin.execute(f"CREATE VIEW trusting AS {model}")
        model = "trusting"
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="superuser"):
        armed.create_sync("attack", queue.name, model=model, connection=armed.admin, **BODY)
    assert [how for _, how in taken(armed) if how != "trusting helper"] == []


def test_a_superusers_table_with_an_analysts_type_is_refused(armed, queue):
    armed.analyst.execute(FOREIGN["a cast"][0])
    armed.admin.execute("CREATE TABLE trusting (id integer PRIMARY KEY, moods mood[])")
    armed.admin.execute("INSERT INTO trusting VALUES (1, '{sad}')")
    try:
        armed.create_sync("attack", queue.name, model="trusting", connection=armed.admin,
                          template=None, fields='{"moods": "moods"}')
        armed.admin.execute("CALL sqs_sync_run_and_wait('attack')")
    except psycopg.Error:
        pass
    assert taken(armed) == []


def test_an_owner_made_superuser_later_no_longer_runs_what_others_can_change(armed, queue):
    """The check is made at each run, not at creation only."""
    armed.admin.execute("CREATE ROLE rising LOGIN; GRANT CREATE ON SCHEMA public TO rising;"
                        "GRANT USAGE ON FOREIGN SERVER sqs TO rising; GRANT SELECT ON items TO rising;"
                        "CREATE USER MAPPING FOR rising SERVER sqs OPTIONS (access_key_id 'test', secret_access_key 'test')")
    try:
        rising = armed.connection_of("rising")
        rising.execute("CREATE VIEW risen AS SELECT id, grab() AS name FROM items")
        armed.create_sync("attack", queue.name, model="risen", connection=rising, **BODY)
        armed.admin.execute("ALTER ROLE rising SUPERUSER")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="superuser"):
            armed.admin.execute("CALL sqs_sync_run_and_wait('attack')")
        assert [row for row in taken(armed) if row[0] == "rising"] == []
    finally:
        armed.admin.execute("ALTER ROLE rising NOSUPERUSER")
        rising.close()
        armed.admin.execute("SELECT sqs_sync_drop('attack')")
        armed.admin.execute("DROP OWNED BY rising; DROP ROLE rising")


# Model and owner ------------------------------------------------------------------------

def test_a_view_made_again_by_someone_else_holds_the_run(armed, queue):
    armed.admin.execute("CREATE ROLE schema_owner; CREATE SCHEMA shared; GRANT ALL ON SCHEMA shared TO analyst, other")
    try:
        armed.analyst.execute("CREATE VIEW shared.v AS SELECT id, name FROM items")
        armed.create_sync("attack", queue.name, model="shared.v", **BODY)
        armed.analyst.execute("DROP VIEW shared.v")
        other = armed.connection_of("other")
        other.execute("CREATE VIEW shared.v AS SELECT 1 AS id, public.grab() AS name")
        run_id = armed.start_run("attack")
        run = armed.wait_for(run_id)
        assert run.state == "held" and "other" in run.error
        assert confessions(armed) == set()
        other.close()
    finally:
        armed.admin.execute("DROP ROLE schema_owner")
    assert queue.drain() == []


def test_a_view_replaced_while_the_run_waits_for_it_is_not_run_as_its_former_owner(armed, queue):
    """The owner of a schema may drop what others have in it. He does so in a transaction that
    he commits when the run, which has checked the owner, waits for his lock."""
    armed.admin.execute("CREATE SCHEMA theirs AUTHORIZATION analyst")
    armed.admin.execute("CREATE TABLE trusted AS SELECT 1 AS id, 'x' AS name")
    armed.admin.execute("CREATE VIEW theirs.v AS SELECT id, name FROM trusted")
    armed.create_sync("attack", queue.name, model="theirs.v", connection=armed.admin, **BODY)
    with armed.analyst.transaction():
        armed.analyst.execute("DROP VIEW theirs.v")
        armed.analyst.execute("CREATE VIEW theirs.v AS SELECT 1 AS id, public.grab() AS name")
        run_id = armed.admin.execute("SELECT sqs_sync_run('attack')").fetchone()[0]
        wait_until(lambda: armed.admin.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE NOT l.granted AND a.backend_type = 'sqs_sync runner' AND a.datname = current_database()").fetchone()[0]
            or armed.admin.execute("SELECT finished_at IS NOT NULL FROM sqs_sync.runs WHERE run_id = %s", (run_id,)).fetchone()[0],
            "the run waits for the view")
    armed.admin.execute("SELECT sqs_sync_wait(%s, '60 s')", (run_id,))
    assert taken(armed) == []
    assert "postgres" not in {current for _, current in confessions(armed)}


def test_a_view_replaced_while_its_sync_is_being_made_is_not_run_as_its_former_owner(armed, queue):
    """The same at creation, which reads a row of the model."""
    armed.admin.execute("CREATE SCHEMA theirs AUTHORIZATION analyst")
    armed.admin.execute("CREATE TABLE trusted AS SELECT 1 AS id, 'x' AS name")
    armed.admin.execute("CREATE VIEW theirs.v AS SELECT id, name FROM trusted")
    creator = armed.connection_of("postgres")
    pid = creator.execute("SELECT pg_backend_pid()").fetchone()[0]
    creation = threading.Thread(target=lambda: create_whatever_comes(armed, queue, creator), daemon=True)
    with armed.analyst.transaction():
        armed.analyst.execute("DROP VIEW theirs.v")
        armed.analyst.execute("CREATE VIEW theirs.v AS SELECT 1 AS id, public.grab() AS name")
        creation.start()
        wait_until(lambda: not creation.is_alive() or armed.admin.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s", (pid,)).fetchone()[0], "the creation waits for the view")
    creation.join(60)
    creator.close()
    assert "postgres" not in {current for _, current in confessions(armed)}
    assert taken(armed) == []


def create_whatever_comes(database, queue, connection):
    try:
        database.create_sync("attack", queue.name, model="theirs.v", connection=connection, **{"template": '"{{row.name}}"'})
    except psycopg.Error:
        pass


def test_row_level_security_is_in_force_for_the_owner(armed, queue):
    armed.admin.execute("CREATE TABLE ledger (id integer PRIMARY KEY, belongs_to text); GRANT SELECT ON ledger TO analyst;"
                        "ALTER TABLE ledger ENABLE ROW LEVEL SECURITY;"
                        "CREATE POLICY own ON ledger USING (belongs_to = current_user AND belongs_to = session_user);"
                        "INSERT INTO ledger VALUES (1, 'analyst'), (2, 'other'), (3, 'postgres')")
    armed.admin.execute(f'ALTER DATABASE "{armed.name}" SET row_security = off')
    run = publish(armed, queue, "SELECT id, belongs_to AS name FROM ledger")
    assert run.state == "succeeded", run.error
    assert [message.body for message in queue.drain()] == ['{"id": 1}']


def test_forced_row_level_security_of_the_owners_own_table_is_in_force(armed, queue):
    armed.analyst.execute("CREATE TABLE ledger (id integer PRIMARY KEY); INSERT INTO ledger VALUES (1), (2);"
                          "ALTER TABLE ledger ENABLE ROW LEVEL SECURITY; ALTER TABLE ledger FORCE ROW LEVEL SECURITY;"
                          "CREATE POLICY one ON ledger USING (id = 1)")
    run = publish(armed, queue, "ledger")
    assert run.published == 1, run.error


# A model that calls our own functions ---------------------------------------------------

OWN_CALLS = ["sqs_sync_run('attack')", "sqs_sync_run('second')", "sqs_sync_drop('attack')", "sqs_sync_drop('second')",
             "sqs_sync_pause('attack')", "sqs_sync_cancel(1)", "sqs_sync_wait(1, '1 s')", "sqs_sync.watch(1)",
             "sqs_sync_alter('attack', queue => 'elsewhere')",
             "sqs_sync_create('third', model => 'SELECT 1 AS id', key => 'id', server => 'sqs', queue => 'q', template => '1')"]


@pytest.mark.parametrize("statement", OWN_CALLS)
def test_a_model_that_calls_our_functions_gains_nothing_and_breaks_nobody(armed, queue, statement):
    armed.create_sync("second", queue.name, model="items", **BODY)
    armed.analyst.execute(f"""
        CREATE FUNCTION meddle() RETURNS text LANGUAGE plpgsql AS $meddle$
        BEGIN
          IF EXISTS (SELECT 1 FROM sqs_sync.runs WHERE sync = 'attack' AND state = 'diffing') THEN
            BEGIN
              PERFORM pg_catalog.set_config('search_path', 'public', false);
              PERFORM public.{statement.replace('public.sqs_sync.', 'sqs_sync.')};
            EXCEPTION WHEN OTHERS THEN NULL;
            END;
            PERFORM public.grab();
          END IF;
          RETURN 'x';
        END $meddle$""".replace("public.sqs_sync.", "sqs_sync."))
    armed.create_sync("attack", queue.name, model="SELECT id, meddle() AS name FROM items WHERE id = 1", **BODY)
    run = armed.start_run("attack")
    wait_until(lambda: armed.admin.execute("SELECT state NOT IN ('queued', 'diffing', 'publishing') FROM sqs_sync.run"
                                           " WHERE run_id = %s", (run,)).fetchone() in (None, (True,)), "the run has ended")
    assert taken(armed) == []
    assert {current for _, current in confessions(armed)} <= {"analyst"}
    worker = armed.processes("worker")
    armed.create_sync("after", queue.name, model="items", **BODY)
    assert armed.run("after").state == "succeeded"
    assert armed.processes("worker") == worker


def test_pg_advisory_unlock_all_in_a_model_does_not_let_a_second_runner_in(armed, queue, proxy):
    armed.point_at(proxy.endpoint)
    armed.analyst.execute("CREATE FUNCTION unlock(integer) RETURNS text LANGUAGE plpgsql AS $$ BEGIN"
                          " PERFORM pg_advisory_unlock_all(); RETURN 'x'; END $$")
    armed.create_sync("attack", queue.name, model="SELECT id, unlock(id) AS name FROM items", **BODY)
    proxy.delay(2000)
    run_id = armed.start_run("attack")
    wait_until(lambda: armed.run_row(run_id).state == "publishing", "the run publishes")
    held = armed.admin.execute("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'object'"
                               " AND l.granted AND a.backend_type = 'sqs_sync runner' AND l.database = a.datid"
                               " AND a.datname = current_database()").fetchone()[0]
    assert held > 0
    proxy.pass_on()
    assert armed.wait_for(run_id).state == "succeeded"


# The extension's own making -------------------------------------------------------------

@pytest.mark.parametrize("left", ["text", "integer", "name"])
def test_nothing_planted_before_create_extension_is_taken_into_our_views(preloaded, left):
    """In a schema where others may create, an operator that fits better than Postgres's wins."""
    name = fresh_name("db")
    with preloaded.connect() as postgres:
        postgres.execute(f'CREATE DATABASE "{name}"')
        try:
            admin, attacker = preloaded.connect(name), preloaded.connect(name, "analyst")
            admin.execute("GRANT CREATE ON SCHEMA public TO analyst")
            attacker.execute(f"CREATE FUNCTION public.join({left}, integer) RETURNS text LANGUAGE sql AS 'SELECT $1::text'")
            attacker.execute(f"CREATE OPERATOR public.|| (leftarg = {left}, rightarg = integer, function = public.join)")
            for function in ("pg_has_role(oid, text)", "md5(text)", "nextval(text)", "starts_with(text, text)"):
                attacker.execute(f"CREATE FUNCTION public.{function} RETURNS boolean LANGUAGE sql AS 'SELECT true'")
            admin.execute("CREATE EXTENSION sqs_sync")
            captured = admin.execute("""
                SELECT DISTINCT pg_describe_object(d.refclassid, d.refobjid, 0)
                FROM pg_depend d
                LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
                LEFT JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
                WHERE COALESCE(o.oprowner, p.proowner) = 'analyst'::regrole
                  AND d.classid IN ('pg_rewrite'::regclass, 'pg_class'::regclass, 'pg_attrdef'::regclass, 'pg_constraint'::regclass)
                """).fetchall()
            assert captured == []
        finally:
            admin.close()
            attacker.close()
            postgres.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
