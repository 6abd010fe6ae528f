"""What is given to our functions as a model, a name or an option, by someone who means harm."""

import json

import psycopg
import pytest

from support.attacks import arm, taken
from support.database import call
from support.items import Items
from support.replay import parse
from support.running import fresh_name

SECRET = "hush-hush-9876543210"

INJECTIONS = [
    "SELECT 1 AS id; DROP TABLE items",
    "SELECT 1 AS id; ",
    "SELECT 1 AS id) x; DROP TABLE items; --",
    "SELECT 1 AS id) AS m; DROP TABLE items; SELECT * FROM (SELECT 1",
    "SELECT 1 AS id -- ; DROP TABLE items",
    "SELECT 1 AS id /* ",
    "SELECT 1 AS id /* ; */ ; DROP TABLE items",
    "/* SELECT */ DROP TABLE items",
    "SELECT 1 AS id INTO stolen",
    "SELECT 1 AS id INTO stolen UNION SELECT 2",
    "WITH gone AS (DELETE FROM items RETURNING id) SELECT id FROM gone",
    "WITH x AS (SELECT 1) INSERT INTO items SELECT 1, '', 1, '' RETURNING id",
    "SELECT $1 AS id",
    "SELECT $1::integer AS id",
    "SELECT 1 AS id WITH CASCADED CHECK OPTION",
    "SELECT 1 AS id; COMMIT; DROP TABLE items",
    "COPY items TO PROGRAM 'id'",
    "EXPLAIN ANALYZE DELETE FROM items",
    "DO $$ BEGIN DELETE FROM items; END $$",
    "TABLE items; DELETE FROM items",
    "VALUES (1), (2) ; SELECT 1",
    "EXECUTE stolen",
    "DECLARE c CURSOR FOR SELECT 1",
    "SET ROLE postgres; SELECT 1 AS id",
    "(SELECT 1 AS id); DROP TABLE items",
    "SELECT id FROM items FOR UPDATE; DROP TABLE items",
    "items; DROP TABLE items",
    'items"; DROP TABLE items; --',
    '"items', "items)", "", " ", ";", "(", "public.items.id", "a.b.c.d.e", "\"\"", "''",
    "SELECT nextval('sqs_sync.sync_id_seq') AS id",
    "SELECT sync_id AS id FROM sqs_sync.sync",
    "SELECT umoptions AS id FROM pg_user_mapping",
    "SELECT rolpassword AS id FROM pg_authid",
    "SELECT pg_read_file('/etc/passwd') AS id",
    "sqs_sync.sync", "sqs_sync.definition", "sqs_sync.syncs", "pg_authid", "pg_catalog.pg_user_mapping",
]


@pytest.fixture(scope="module")
def armed(lasting_database):
    Items(lasting_database.analyst).create().fill(5)
    arm(lasting_database)
    return lasting_database


@pytest.mark.parametrize("model", INJECTIONS)
def test_a_model_is_one_select_or_a_name_and_nothing_else_happens(armed, queue, model):
    try:
        attack = fresh_name("attack")
        armed.create_sync(attack, queue.name, model=model, template="1")
        armed.run(attack)
    except psycopg.Error as refused:
        assert not isinstance(refused, psycopg.OperationalError) or not armed.analyst.closed
        assert refused.sqlstate != "XX000", refused
    assert armed.value("SELECT count(*) FROM items") == 5
    assert armed.value("SELECT to_regclass('public.stolen')") is None
    assert taken(armed) == []
    assert not any("md5" in m.body or "SCRAM" in m.body for m in queue.drain())


NAMES = ['a"b', "a'b", "a\nb", "a\\b", "; DROP TABLE items; --", "$1", "{{row.id}}", "naïve ☃", "a.b", " ", "%s%n", "\x1b[31m", "select",
         "A", "x" * 63]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_only_a_name(database, items, queue, name):
    """Of a sync, its table, its schema, a column, a key, a server and a role."""
    quoted = '"' + name.replace('"', '""') + '"'
    admin, analyst = database.admin, database.analyst
    admin.execute(f"CREATE SCHEMA {quoted} AUTHORIZATION analyst")
    admin.execute(f"CREATE SERVER {quoted} FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'us-east-1')")
    endpoint = admin.execute("SELECT option_value FROM pg_foreign_server, pg_options_to_table(srvoptions)"
                             " WHERE srvname = 'sqs' AND option_name = 'endpoint_url'").fetchone()[0]
    admin.execute(f"ALTER SERVER {quoted} OPTIONS (ADD endpoint_url '{endpoint}')")
    admin.execute(f"CREATE ROLE {quoted} LOGIN IN ROLE analyst")
    try:
        admin.execute(f"CREATE USER MAPPING FOR {quoted} SERVER {quoted} OPTIONS (access_key_id 'test', secret_access_key 'test')")
        admin.execute(f"GRANT USAGE ON FOREIGN SERVER {quoted} TO {quoted}; GRANT USAGE, CREATE ON SCHEMA {quoted} TO {quoted}")
        table = f"{quoted}.{quoted}"
        admin.execute(f"CREATE TABLE {table} ({quoted} text PRIMARY KEY, value text)")
        admin.execute(f"INSERT INTO {table} VALUES ('k', 'v'), ('l', 'w')")
        admin.execute(f"ALTER TABLE {table} OWNER TO {quoted}")
        person = database.connection_of(name)
        person.row_factory = psycopg.rows.tuple_row
        call(person, "sqs_sync_create", name=name, model=table, key=quoted, server=name, queue=queue.name,
             fields='{"key": %s}' % json.dumps(name), order_by=f"{quoted} desc nulls last")
        person.execute(f"UPDATE {table} SET value = 'x'")
        state = run_of(person, name)
        assert state == ("succeeded", 2), state
        admin.execute(f"ALTER TABLE {table} ADD COLUMN more text")
        admin.execute(f"ALTER TABLE {table} DROP COLUMN value")
        admin.execute(f"INSERT INTO {table} VALUES ('m', NULL)")
        assert run_of(person, name) == ("succeeded", 1)
        person.execute("SELECT sqs_sync_drop(%s)", (name,))
        person.close()
        assert sorted(parse(m.body)["key"] for m in queue.drain()) == ["k", "l", "m"]
        assert items.ids() == []
    finally:
        admin.execute(f"DROP OWNED BY {quoted} CASCADE")
        admin.execute(f"DROP ROLE {quoted}")


def run_of(connection, name):
    run_id = connection.execute("SELECT sqs_sync_run(%s)", (name,)).fetchone()[0]
    connection.execute("SELECT sqs_sync_wait(%s, '60 s')", (run_id,))
    return connection.execute("SELECT state, published FROM sqs_sync.runs WHERE run_id = %s", (run_id,)).fetchone()


@pytest.mark.parametrize("name", ["q'; DROP TABLE items", 'q"', "q\nq", "../../other", "http://169.254.169.254/latest/meta-data/q",
                                  "https://evil.example.com/123456789012/q", "arn:aws:sqs:eu-west-1:999999999999:q", "q?x=y", "q#x", "\x1b[31mq", "q" * 10_000])
def test_any_queue_name_goes_to_the_connections_endpoint_only(database, items, queue, name):
    items.fill(1)
    try:
        database.create_sync("items", name, model="items", template="1", retry_for="1 second")
    except psycopg.Error as refused:
        assert refused.sqlstate == "22023", refused
        return
    run = database.run("items")
    assert run.state == "failed" and run.in_doubt == 0
    assert run.sqlstate != "HV00N", f"somebody else was asked: {run.error}"


def test_a_hint_can_be_pasted_whatever_the_names_in_it(database, items, queue):
    """It is SQL to be run by an administrator."""
    database.admin.execute("""CREATE SERVER "s TO other; --" FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'us-east-1')""")
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
        database.create_sync("items", queue.name, model="items", template="1", server="s TO other; --")
    assert '"s TO other; --"' in refused.value.diag.message_hint


# Sizes ----------------------------------------------------------------------------------

def big_columns(count):
    return "SELECT 1 AS id, " + ", ".join(f"{i} AS c{i}" for i in range(count - 1))


BIG = {
    "a sync's name": {"name": "n" * 1_000_000},
    "a template": {"template": '"' + "x" * 10_000_000 + '"'},
    "a template of tags": {"template": "[" + ", ".join(["{{row.id}}"] * 300_000) + "]"},
    "a template of nested ifs": {"template": "{% if row.id %}" * 100_000 + "1" + "{% endif %}" * 100_000},
    "fields of nested objects": {"template": None, "fields": '{"a": ' * 5000 + '"id"' + "}" * 5000},
    "fields": {"template": None, "fields": "{" + ", ".join(f'"f{i}": "id"' for i in range(200_000)) + "}"},
    "a key": {"key": ", ".join(["id"] * 100_000)},
    "an order": {"order_by": ", ".join(["id"] * 20_000)},
    "a queue's name": {"queue": "q" * 10_000_000},
    "a server's name": {"server": "s" * 1_000_000},
    "events": {"events": "{" + ",".join(["added"] * 1_000_000) + "}"},
    "a model's name": {"model": "m" * 1_000_000},
    "columns": {"model": big_columns(1600)},
    "wide columns": {"model": "SELECT 1 AS id, " + ", ".join(f"NULL::bigint AS c{i}" for i in range(1100))},
    "too many columns": {"model": big_columns(2000)},
    "a nested model": {"model": "SELECT " + "(" * 20_000 + "1" + ")" * 20_000 + " AS id"},
    "a long model": {"model": "SELECT 1 AS id" + " " * 10_000_000},
    "retry_for": {"retry_for": "178000000 years"},
    "retry_for infinite": {"retry_for": "9223372036854775807 microseconds"},
}


@pytest.mark.parametrize("option", BIG.values(), ids=BIG.keys())
def test_what_is_very_large_is_accepted_or_an_error_and_never_a_crash(database, items, queue, option):
    items.fill(3)
    options = {"name": "big", "model": "items", "key": "id", "server": "sqs", "queue": queue.name, "template": "1", **option}
    postmaster = database.admin.execute("SELECT pg_postmaster_start_time(), min(pid) FROM pg_stat_activity WHERE backend_type = 'checkpointer'").fetchone()
    try:
        call(database.analyst, "sqs_sync_create", **options)
        database.run("big")
    except psycopg.Error as refused:
        assert refused.sqlstate and not refused.sqlstate.startswith("XX"), refused
        assert len(str(refused)) < 10_000, "the error repeats what was too large"
    assert database.admin.execute("SELECT pg_postmaster_start_time(), min(pid) FROM pg_stat_activity"
                                  " WHERE backend_type = 'checkpointer'").fetchone() == postmaster


def test_a_model_of_huge_values_ends_with_rejections(database, items, queue):
    items.fill(1)
    database.create_sync("items", queue.name, template='"{{row.name}}"', model="SELECT id, repeat('x', 200000000) AS name FROM items")
    run = database.run("items")
    assert run.state in ("partly_failed", "failed"), run
    assert queue.drain() == []


# Secrets --------------------------------------------------------------------------------

def log_since(database, start):
    return database.cluster.log.read_text(errors="replace")[start:]


@pytest.mark.parametrize("statement", [
    "CREATE USER MAPPING FOR other SERVER sqs OPTIONS (access_key_id 'a', secret_acess_key '{s}')",
    "CREATE USER MAPPING FOR other SERVER sqs OPTIONS (access_key_id '{s}')",
    "CREATE USER MAPPING FOR other SERVER sqs OPTIONS (access_key_id '', secret_access_key '{s}')",
    "ALTER USER MAPPING FOR analyst SERVER sqs OPTIONS (ADD secret '{s}')",
    "CREATE SERVER wrong FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'us-east-1', secret_access_key '{s}')",
    "CREATE SERVER wrong FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'us-east-1', endpoint_url 'https://user:{s}@host')",
    "ALTER FOREIGN DATA WRAPPER sqs_sync OPTIONS (ADD secret_access_key '{s}')",
], ids=lambda statement: statement[:40])
@pytest.mark.parametrize("inside", ["{}", "DO $d$ BEGIN EXECUTE $e${}$e$; END $d$", "DO $d$ BEGIN {}; END $d$"],
                         ids=["plain", "executed in a function", "in a function"])
def test_a_secret_in_a_refused_statement_is_not_in_the_log_or_the_error(lasting_database, statement, inside):
    start = len(lasting_database.cluster.log.read_text(errors="replace"))
    with pytest.raises(psycopg.Error) as refused:
        lasting_database.admin.execute(inside.replace("{}", statement.replace("{s}", SECRET)))
    diagnostics = refused.value.diag
    assert SECRET not in (diagnostics.message_primary or "") + (diagnostics.message_hint or "") + (diagnostics.message_detail or "")
    assert SECRET not in log_since(lasting_database, start)


@pytest.mark.parametrize("option", ["access_key_id", "secret_access_key", "session_token"])
@pytest.mark.parametrize("value", [SECRET + "\n", SECRET + "☃", "\r\nX-Evil: " + SECRET, SECRET + "\x7f"], ids=["newline", "snowman", "header", "delete"])
def test_a_secret_that_cannot_be_sent_is_not_told(database, items, queue, option, value):
    items.fill(1)
    start = len(database.cluster.log.read_text(errors="replace"))
    set_or_add = "ADD" if option == "session_token" else "SET"
    try:
        database.admin.execute(f"ALTER USER MAPPING FOR analyst SERVER sqs OPTIONS ({set_or_add} {option} '{value}')")
    except psycopg.Error as refused:
        assert SECRET not in refused.diag.message_primary
        assert SECRET not in log_since(database, start)
        return
    database.create_sync("items", queue.name, model="items", template="1", retry_for="1 second")
    run = database.run("items")
    worker = database.processes("worker")
    assert worker, "the worker is gone"
    assert SECRET not in str(run) + str(database.rows("SELECT * FROM sqs_sync.rejections")) + log_since(database, start)


def test_only_a_superuser_gives_a_server_an_endpoint_by_whatever_way(database):
    admin = database.admin
    admin.execute("GRANT USAGE ON FOREIGN DATA WRAPPER sqs_sync TO analyst")
    analyst = database.analyst
    analyst.execute("CREATE SERVER mine FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'us-east-1')")
    for statement in ("ALTER SERVER mine OPTIONS (ADD endpoint_url 'http://127.0.0.1:1')",
                      "ALTER SERVER mine OPTIONS (ADD \"endpoint_url\" 'http://127.0.0.1:1', DROP region)",
                      "CREATE SERVER other FOREIGN DATA WRAPPER sqs_sync OPTIONS (endpoint_url 'http://127.0.0.1:1', region 'us-east-1')"):
        with pytest.raises(psycopg.Error):
            analyst.execute(statement)
    # A region makes the host's name: nothing in it leads elsewhere.
    for region in ("evil.example.com/", "x@evil.example.com", "a b", "US-EAST-1", "", "us-east-1.evil.com#", "../x"):
        with pytest.raises(psycopg.Error):
            analyst.execute(f"ALTER SERVER mine OPTIONS (SET region '{region}')")


def test_an_endpoint_set_by_a_superuser_does_not_move_with_anothers_change(database):
    database.admin.execute("GRANT USAGE ON FOREIGN DATA WRAPPER sqs_sync TO analyst; ALTER SERVER sqs OWNER TO analyst")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.analyst.execute("ALTER SERVER sqs OPTIONS (SET endpoint_url 'http://127.0.0.1:1')")
