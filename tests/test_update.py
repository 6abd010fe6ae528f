"""ALTER EXTENSION UPDATE: from each version that there is to a made-up next one, of which the catalog is then
that of a new installation; and what is under way goes on."""

import re
from typing import NamedTuple

import psycopg
import pytest

from support.catalog import catalog_of, differences
from support.cluster import MAJOR, ROOT
from support.database import Database, create_database
from support.deadline import wait_until
from support.installation import Installation
from support.items import BODIES, Items
from support.replay import Replay
from support.running import destroy, fresh_name, started_cluster

CONTROL = (ROOT / "sqs_sync.control").read_text()
NEWEST = re.search(r"default_version = '(.*)'", CONTROL)[1]
RELEASED = sorted(script.stem.split("--")[1] for script in (ROOT / "sql").glob("sqs_sync--*.sql") if script.stem.count("--") == 1)
SCRIPT = (ROOT / f"sql/sqs_sync--{NEWEST}.sql").read_text()
NEXT = "99.0"
HEAD = '\\echo Use "ALTER EXTENSION sqs_sync UPDATE" to load this file. \\quit\n\nSELECT sqs_sync.announce();\n'


class Change(NamedTuple):
    """What the next version does to the script, and to a database that has the one before."""
    old: str
    new: str
    update: list


def text_of(pattern):
    """Of the script."""
    return re.search(pattern, SCRIPT, re.DOTALL)[0]


TABLE = text_of(r"CREATE TABLE sqs_sync\.hold \(.*?\n\);\n")
NEXT_TABLE = (TABLE.replace("\n);\n", ",\n  note text NOT NULL DEFAULT '' CHECK (note <> 'none')\n);\n")
              + "CREATE INDEX hold_by_time ON sqs_sync.hold (held_at);\n")
VIEW = text_of(r"CREATE VIEW sqs_sync\.held .*?;\n\n")
NEXT_VIEW = (VIEW.replace("\nFROM", ", h.note\nFROM", 1).rstrip()
             + "\nCOMMENT ON COLUMN sqs_sync.held.note IS 'what somebody noted';\n\n")
RESET = "CREATE FUNCTION @extschema@.sqs_sync_stats_reset(name text DEFAULT NULL) RETURNS void"
NEXT_RESET = "CREATE FUNCTION @extschema@.sqs_sync_stats_reset(why integer, name text DEFAULT NULL) RETURNS void"
RESET_CODE = "LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_stats_reset_wrapper'"
NOTES = ["CREATE SEQUENCE sqs_sync.note_id_seq AS integer",
         "CREATE TABLE sqs_sync.note (note_id integer PRIMARY KEY DEFAULT pg_catalog.nextval('sqs_sync.note_id_seq'), told text NOT NULL)",
         "COMMENT ON TABLE sqs_sync.note IS 'a row a note'", "COMMENT ON COLUMN sqs_sync.note.told IS 'what it says'",
         "SELECT pg_catalog.pg_extension_config_dump('sqs_sync.note', '')",
         "CREATE FUNCTION sqs_sync.forget_notes() RETURNS void LANGUAGE sql AS 'DELETE FROM sqs_sync.note'",
         "REVOKE ALL ON FUNCTION sqs_sync.forget_notes() FROM PUBLIC", "COMMENT ON FUNCTION sqs_sync.forget_notes() IS 'forgets all notes'",
         "COMMENT ON INDEX sqs_sync.run_by_time IS 'finds it'"]

CHANGES = [
    Change(TABLE, NEXT_TABLE, ["ALTER TABLE sqs_sync.hold ADD COLUMN note text NOT NULL DEFAULT '' CHECK (note <> 'none')",
                               "CREATE INDEX hold_by_time ON sqs_sync.hold (held_at)"]),
    Change(VIEW, NEXT_VIEW, ["DROP VIEW sqs_sync.held", *re.split(r";\n+", NEXT_VIEW)[:-1], "GRANT SELECT ON sqs_sync.held TO PUBLIC"]),
    Change(RESET, NEXT_RESET, ["DROP FUNCTION @extschema@.sqs_sync_stats_reset(text)", f"{NEXT_RESET} {RESET_CODE}"]),
    Change("COMMENT ON FUNCTION @extschema@.sqs_sync_stats_reset(text) IS $$sets", "COMMENT ON FUNCTION @extschema@.sqs_sync_stats_reset(integer, text) IS $$sets",
           [text_of(r"COMMENT ON FUNCTION @extschema@\.sqs_sync_stats_reset\(text\) IS \$\$.*?\$\$").replace("(text)", "(integer, text)", 1)]),
    Change("CREATE INDEX alert_by_sync ON sqs_sync.alert (sync_id);\n", "", ["DROP INDEX sqs_sync.alert_by_sync"]),
    Change("-- Worker ----", ";\n".join(NOTES) + ";\n\n-- Worker ----", NOTES),
]
UPDATE = [statement for change in CHANGES for statement in change.update]


def next_script():
    script = SCRIPT
    for change in CHANGES:
        assert script.count(change.old) == 1, f"the made-up next version changes what is there no more: {change.old}"
        script = script.replace(change.old, change.new)
    return script


@pytest.fixture(scope="module")
def installation():
    """Of the next version, beside all that there were, and of it without one statement each."""
    installation = Installation(f"pg{MAJOR}")
    installation.put("sqs_sync.control", CONTROL.replace(f"'{NEWEST}'", f"'{NEXT}'"))
    installation.put(f"sqs_sync--{NEXT}.sql", next_script())
    installation.put(f"sqs_sync--{NEWEST}--{NEXT}.sql", HEAD + "".join(f"{statement};\n" for statement in UPDATE))
    for left_out in range(len(UPDATE)):
        rest = UPDATE[:left_out] + UPDATE[left_out + 1:]
        installation.put(f"sqs_sync--{NEWEST}--98.{left_out}.sql", HEAD + "".join(f"{statement};\n" for statement in rest))
    yield installation
    installation.remove()


@pytest.fixture(scope="module")
def cluster(installation):
    """Its library says to be of the next version, until `older` has a server with the one before."""
    cluster = started_cluster(server=str(installation.server), shared_preload_libraries="sqs_sync", environment={"SQS_SYNC_VERSION": NEXT})
    yield cluster
    destroy(cluster)


def give_library(cluster, version):
    cluster.stop()
    cluster.own_environment["SQS_SYNC_VERSION"] = version
    cluster.start()


def empty_database(cluster, version):
    name = fresh_name("db")
    with cluster.connect() as postgres:
        postgres.execute(f"CREATE DATABASE {name}")
    database = Database(cluster, name)
    database.admin.execute(f"CREATE EXTENSION sqs_sync VERSION '{version}'")
    return database


@pytest.fixture(scope="module")
def fresh_catalog(cluster):
    database = empty_database(cluster, NEXT)
    yield catalog_of(database.admin, "sqs_sync")
    database.close()


@pytest.mark.parametrize("version", RELEASED)
def test_the_catalog_after_an_update_is_that_of_a_new_installation(cluster, fresh_catalog, version):
    database = empty_database(cluster, version)
    assert differences(catalog_of(database.admin, "sqs_sync"), fresh_catalog) != []
    database.admin.execute("ALTER EXTENSION sqs_sync UPDATE")
    updated = catalog_of(database.admin, "sqs_sync")
    assert {name: (updated.get(name), fresh_catalog.get(name)) for name in differences(updated, fresh_catalog)} == {}
    database.close()


def test_a_statement_that_is_forgotten_in_an_update_is_found(cluster, fresh_catalog):
    database = empty_database(cluster, NEWEST)
    for left_out, statement in enumerate(UPDATE):
        database.admin.execute("BEGIN")
        try:
            database.admin.execute(f"ALTER EXTENSION sqs_sync UPDATE TO '98.{left_out}'")
            is_found = differences(catalog_of(database.admin, "sqs_sync"), fresh_catalog) != []
        except psycopg.errors.DatabaseError:
            is_found = True  # what comes later needs it
        database.admin.execute("ROLLBACK")
        assert is_found, statement
    database.close()


def refused(connection, statement, hint):
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="extension \"sqs_sync\" has version") as error:
        connection.execute(statement)
    assert hint in error.value.diag.message_hint, statement


C_FUNCTIONS = """
    SELECT p.oid::regproc::text AS name, ARRAY(SELECT CASE t::regtype::text WHEN 'anyelement' THEN 'text' ELSE t::regtype::text END
                                               FROM unnest(p.proargtypes) t) AS arguments
    FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    WHERE p.probin = '$libdir/sqs_sync'"""


def test_a_library_of_another_version_reads_no_argument_of_any_function(cluster):
    database = empty_database(cluster, NEWEST)
    functions = database.admin.execute(C_FUNCTIONS).fetchall()
    assert len(functions) > 40
    for function in functions:
        # Not constants: of a strict function Postgres knows beforehand what comes of a null.
        columns = ", ".join(f"NULL::{argument} AS a{i}" for i, argument in enumerate(function.arguments)) or "1"
        arguments = ", ".join(f"a{i}" for i in range(len(function.arguments)))
        refused(database.admin, f"SELECT {function.name}({arguments}) FROM (SELECT {columns} OFFSET 0) given", "ALTER EXTENSION sqs_sync UPDATE")
    refused(database.admin, "CREATE SERVER late FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'eu-west-1')", "ALTER EXTENSION sqs_sync UPDATE")
    database.close()


def test_the_call_by_which_a_session_loads_a_library_of_another_version_is_refused(installation):
    """Without shared_preload_libraries each session loads it in the midst of its first call."""
    cluster = started_cluster(server=str(installation.server), environment={"SQS_SYNC_VERSION": NEXT})
    database = empty_database(cluster, NEWEST)
    for statement in ("SELECT sqs_sync_run('items')", "CREATE SERVER late FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'eu-west-1')",
                      "SELECT * FROM sqs_sync.error_codes"):
        session = database.connection_of("postgres")
        refused(session, statement, "ALTER EXTENSION sqs_sync UPDATE")
        refused(session, statement, "ALTER EXTENSION sqs_sync UPDATE")
        session.close()
    session = database.connection_of("postgres")
    session.execute("ALTER EXTENSION sqs_sync UPDATE")
    assert session.execute("SELECT count(*) > 0 AS there FROM sqs_sync.error_codes").fetchone().there
    session.close()
    database.close()
    destroy(cluster)


def test_a_run_goes_on_after_the_update_and_nothing_is_lost_or_told_twice(cluster, emulator, fifo, proxy):
    give_library(cluster, NEWEST)
    database = create_database(cluster, fresh_name("db"), proxy.endpoint, version=NEWEST)
    items = Items(database.analyst).create().fill(100)
    database.create_sync("items", fifo.name, model="item_rows", group_id="all", **BODIES["template"])
    assert database.run("items").published == 100
    items.change_at_random(10)
    proxy.cut()
    run_id = database.start_run("items")
    wait_until(lambda: proxy.cuts > 0, "some of the run was sent, and is not answered")

    refused(database.admin, "ALTER EXTENSION sqs_sync UPDATE", f"Install the library of version {NEXT}, and restart the server.")
    database.close()
    give_library(cluster, NEXT)
    proxy.pass_on()
    requests = proxy.requests
    wait_until(lambda: "sqs_sync is idle in this database" in cluster.log_tail(), "the worker has looked")
    database.connect()
    items.connection = database.analyst
    refused(database.analyst, "SELECT sqs_sync_run('items')", "ALTER EXTENSION sqs_sync UPDATE")
    assert database.admin.execute("SELECT state FROM sqs_sync.run WHERE run_id = %s", (run_id,)).fetchone().state == "publishing"
    cluster.run("pg_dump", "-d", database.name, "-f", cluster.directory / "dump.sql")
    assert (database.processes("worker"), proxy.requests) == ([], requests)

    database.admin.execute("ALTER EXTENSION sqs_sync UPDATE")
    ended = database.wait_for(run_id)
    assert (ended.state, ended.in_doubt) == ("succeeded", 0), ended.error
    items.change_at_random(10)
    assert database.run("items").state == "succeeded"

    told = Replay().apply(fifo.drain())
    assert (told.rows, told.duplicates, told.late, told.needless) == (items.expected(), 0, 0, 0)
    database.close()
