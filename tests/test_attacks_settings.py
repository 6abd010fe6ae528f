"""Settings of a database, a role or a session change nothing of what a run does. Our processes
take a database's settings over, and whoever owns the database sets them."""

import pytest

from support.cluster import MAJOR
from support.items import Items

WEIRD = {
    "default_transaction_read_only": "on", "default_transaction_isolation": "serializable", "default_transaction_deferrable": "on",
    "statement_timeout": "1ms", "lock_timeout": "1ms", "idle_in_transaction_session_timeout": "1ms", "idle_session_timeout": "1ms",
    "search_path": "nowhere", "row_security": "off", "role": "other",
    "DateStyle": "German, DMY", "IntervalStyle": "sql_standard", "TimeZone": "Asia/Kathmandu", "extra_float_digits": "-15",
    "bytea_output": "escape", "lc_monetary": "C", "lc_numeric": "C", "xmlbinary": "hex", "xmloption": "document",
    "standard_conforming_strings": "off", "escape_string_warning": "on", "backslash_quote": "off", "quote_all_identifiers": "on",
    "transform_null_equals": "on", "array_nulls": "off", "default_text_search_config": "pg_catalog.german",
    "default_table_access_method": "heap2", "default_tablespace": "nowhere", "temp_tablespaces": "nowhere", "default_toast_compression": "pglz",
    "client_min_messages": "error", "log_statement": "all", "log_min_duration_statement": "0", "log_duration": "on", "debug_print_plan": "on",
    "session_replication_role": "replica", "check_function_bodies": "off", "allow_system_table_mods": "on", "synchronous_commit": "off",
    "jit": "on", "jit_above_cost": "0", "plan_cache_mode": "force_generic_plan", "work_mem": "64kB", "temp_file_limit": "10GB",
    "enable_mergejoin": "off", "enable_sort": "off", "enable_hashjoin": "off", "enable_indexscan": "off", "enable_nestloop": "off",
    "enable_indexonlyscan": "off", "enable_bitmapscan": "off", "enable_seqscan": "off", "force_parallel_mode": "regress",
    "join_collapse_limit": "1", "from_collapse_limit": "1", "geqo_threshold": "2", "cursor_tuple_fraction": "0.000001", "constraint_exclusion": "on",
    "parallel_leader_participation": "off", "parallel_setup_cost": "0", "min_parallel_table_scan_size": "0", "track_activities": "off",
    "vacuum_cost_delay": "100", "zero_damaged_pages": "on", "session_preload_libraries": "", "commit_delay": "1000",
}
MODEL = """
CREATE VIEW typed AS SELECT id, name, id * 0.1::float8 / 3 AS f, '2020-02-29 12:00+00'::timestamptz + id * interval '1 day' AS t,
  make_interval(days => id, secs => 1.5) AS i, decode('00ff5c', 'hex') AS b, (id * 1000)::money AS m, ARRAY[NULL, 'NULL', 'a\\b'] AS a,
  date '2020-02-03' AS d FROM items"""


# Postgres 17 brought it.
ABSENT = {"transaction_timeout"} if int(MAJOR) < 17 else set()


def gucs(names):
    return pytest.mark.parametrize("setting", [name for name in names if name not in ABSENT])


@pytest.fixture
def synced(database, items, queue):
    items.fill(8)
    database.analyst.execute(MODEL)
    columns = ["id", "name", "f", "t", "i", "b", "m", "a", "d"]
    database.create_sync("items", queue.name, model="typed", template=None,
                         fields="{" + ", ".join(f'"{c}": "{c}"' for c in columns) + "}")
    assert database.run("items").published == 8
    return database


@pytest.fixture(scope="module")
def modelled(lasting_database):
    """Whoever makes a sync drops it."""
    Items(lasting_database.analyst).create().fill(8)
    lasting_database.analyst.execute(MODEL)
    return lasting_database


def bodies(queue):
    return sorted(message.body for message in queue.drain())


@gucs(WEIRD)
def test_a_setting_of_the_database_changes_no_run(synced, queue, setting):
    before = bodies(queue)
    synced.admin.execute(f'ALTER DATABASE "{synced.name}" SET {setting} = \'{WEIRD[setting]}\'')
    # The worker takes it over as well.
    for pid in synced.processes("worker"):
        synced.admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    run = synced.run("items")
    assert (run.state, run.published) == ("succeeded", 0), run.error
    synced.analyst.execute("UPDATE items SET name = name || '!'")
    run = synced.run("items")
    assert (run.state, run.published) == ("succeeded", 8), run.error
    assert [body.replace("!", "") for body in bodies(queue)] == before
    synced.analyst.execute("DELETE FROM items WHERE id > 6")
    synced.analyst.execute("INSERT INTO items VALUES (9, 'new', 1, '')")
    run = synced.run("items")
    assert (run.state, run.published) == ("succeeded", 3), run.error


@gucs(sorted(set(WEIRD) - {"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout", "role",
                           "default_transaction_read_only", "default_table_access_method", "default_tablespace", "search_path",
                           "temp_tablespaces"}))
def test_a_setting_of_the_session_changes_no_sync_made_in_it(modelled, queue, setting):
    connection = modelled.connection_of("postgres")
    connection.execute(f"SET {setting} = '{WEIRD[setting]}'")
    connection.execute("SET SESSION AUTHORIZATION analyst")
    modelled.create_sync("items", queue.name, connection=connection, model="typed", template='{"name": "{{row.name}}"}')
    connection.execute("SELECT sqs_sync_alter('items', retry_for => '1 minute', template => '{\"t\": \"{{row.t}}\"}')")
    connection.execute("SELECT sqs_sync_pause('items')")
    connection.execute("SELECT sqs_sync_resume('items')")
    assert modelled.run("items").published == 8
    assert modelled.run("items").published == 0
    assert '{"t": "2020-03-01T12:00:00Z"}' in bodies(queue)
    connection.execute("SELECT sqs_sync_drop('items')")
    assert modelled.admin.execute("SELECT (SELECT count(*) FROM sqs_sync.sync) + (SELECT count(*) FROM sqs_sync.run)"
                                  " + (SELECT count(*) FROM sqs_sync.definition) + (SELECT count(*) FROM sqs_sync.position)").fetchone()[0] == 0
    connection.close()


@pytest.mark.parametrize("setting, value", [("default_tablespace", "''"), ("default_table_access_method", "heap")])
def test_defaults_for_new_tables_are_the_callers(database, items, queue, setting, value):
    items.fill(1)
    database.analyst.execute(f"SET {setting} = {value}")
    database.create_sync("items", queue.name, model="items", template="1")
    assert database.run("items").state == "succeeded"


def test_a_superusers_drop_under_replica_role_leaves_nothing(database, items, queue):
    items.fill(1)
    database.create_sync("items", queue.name, model="items", template="1")
    database.run("items")
    database.admin.execute("SET session_replication_role = replica")
    database.admin.execute("SELECT sqs_sync_drop('items')")
    database.admin.execute("RESET session_replication_role")
    left = database.admin.execute("SELECT (SELECT count(*) FROM sqs_sync.run) + (SELECT count(*) FROM sqs_sync.definition)"
                                  " + (SELECT count(*) FROM sqs_sync.position)").fetchone()[0]
    assert left == 0


def test_a_run_is_not_made_serializable_by_the_database(synced, queue):
    """A serialization failure after the send would send again: the runner's transactions leave
    no predicate locks."""
    synced.admin.execute(f"ALTER DATABASE \"{synced.name}\" SET default_transaction_isolation = 'serializable'")
    synced.analyst.execute("CREATE FUNCTION how(integer) RETURNS text LANGUAGE plpgsql AS"
                           " $$ BEGIN RETURN current_setting('transaction_isolation'); END $$")
    synced.create_sync("how", queue.name, model="SELECT id, how(id) AS name FROM items WHERE id = 1", template='"{{row.name}}"')
    queue.drain()
    assert synced.run("how").state == "succeeded"
    assert bodies(queue) == ['"repeatable read"']


def test_an_event_trigger_sees_our_statements_and_breaks_nothing(database, items, queue):
    items.fill(3)
    database.admin.execute("""CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
      PERFORM count(*) FROM pg_event_trigger_ddl_commands(); END $$;
      CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION note()""")
    database.create_sync("items", queue.name, model="SELECT id, name FROM items", template="1")
    assert database.run("items").published == 3
    database.admin.execute("DROP EVENT TRIGGER note")
