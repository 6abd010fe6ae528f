"""A database with the extension, a connection to SQS, and the analyst whose syncs are tested."""

import json

from psycopg import sql
from psycopg.rows import namedtuple_row

from support.emulator import REGION

# Every message says what it is about, so that a consumer can replay them.
TRACKED = {"event": "{{event}}", "key": "{{key}}", "change_id": "{{change.id}}"}


class Database:
    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name
        self.connect()

    def connect(self):
        """Anew, after the server has crashed or was stopped, too."""
        self.admin = self.connection_of("postgres")
        self.analyst = self.connection_of("analyst")

    def connection_of(self, user):
        return self.cluster.connect(self.name, user, row_factory=namedtuple_row)

    def close(self):
        self.admin.close()
        self.analyst.close()

    def prepare(self, endpoint, version=None):
        """What a DBA does once: the extension, and a connection that the analyst may use."""
        self.endpoint = endpoint
        self.admin.execute("CREATE EXTENSION sqs_sync" + (f" VERSION '{version}'" if version else ""))
        self.admin.execute("GRANT CREATE ON SCHEMA public TO analyst")
        self.admin.execute(sql.SQL(
            "CREATE SERVER sqs FOREIGN DATA WRAPPER sqs_sync OPTIONS (region {}, endpoint_url {})"
        ).format(REGION, endpoint))
        self.admin.execute("CREATE USER MAPPING FOR analyst SERVER sqs"
                           " OPTIONS (access_key_id 'test', secret_access_key 'test')")
        self.admin.execute("GRANT USAGE ON FOREIGN SERVER sqs TO analyst")
        return self

    def prepare_again(self):
        return self.prepare(self.endpoint)

    def point_at(self, endpoint):
        self.admin.execute(
            sql.SQL("ALTER SERVER sqs OPTIONS (SET endpoint_url {})").format(endpoint))

    def create_sync(self, name, queue, attributes=TRACKED, connection=None, **options):
        # Most tests change rows wholesale; test_guard.py is about what holds such runs.
        options = {"key": "id", "server": "sqs", "guard_share": "off", **options, "name": name, "queue": queue,
                   "attributes": json.dumps(attributes)}
        call(connection or self.analyst, "sqs_sync_create", **options)

    def alter_sync(self, name, **options):
        call(self.analyst, "sqs_sync_alter", name=name, **options)

    def start_run(self, name):
        return self.value("SELECT sqs_sync_run(%s)", name)

    def wait_for(self, run_id, timeout="120 seconds"):
        self.analyst.execute("SELECT sqs_sync_wait(%s, %s)", (run_id, timeout))
        return self.run_row(run_id)

    def run(self, name):
        """A run from its request to its end, as sqs_sync.runs tells of it."""
        return self.wait_for(self.start_run(name))

    def run_row(self, run_id):
        return self.row("SELECT * FROM sqs_sync.runs WHERE run_id = %s", run_id)

    def rejections(self, name):
        return self.rows("SELECT * FROM sqs_sync.rejections WHERE sync = %s ORDER BY key", name)

    def rows(self, query, *parameters):
        return self.analyst.execute(query, parameters).fetchall()

    def row(self, query, *parameters):
        return self.analyst.execute(query, parameters).fetchone()

    def value(self, query, *parameters):
        return self.row(query, *parameters)[0]

    def processes(self, kind):
        """Pids of the extension's 'launcher', 'worker' or 'runner' for this database."""
        return [row.pid for row in self.admin.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'sqs_sync ' || %s"
            " AND (datname = current_database() OR datname IS NULL)", (kind,))]

    def leftovers(self):
        """What exists of syncs: rows of the catalog, and relations of ours and of users."""
        counts = """
            SELECT (SELECT count(*) FROM sqs_sync.sync) AS syncs,
                   (SELECT count(*) FROM sqs_sync.definition) AS definitions"""
        relations = """
            SELECT c.oid::regclass::text AS relation FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
            WHERE nspname = 'sqs_sync_data' OR (relowner = 'analyst'::regrole AND relkind IN ('r', 'v'))
            ORDER BY 1"""
        return (self.admin.execute(counts).fetchone(),
                [row.relation for row in self.admin.execute(relations)])


def call(connection, function, **options):
    """SELECT function(name => value, …), with the values as untyped literals."""
    arguments = sql.SQL(", ").join(
        sql.SQL("{} => {}").format(sql.Identifier(name), sql.Literal(value))
        for name, value in options.items())
    return connection.execute(
        sql.SQL("SELECT {}({})").format(sql.Identifier(function), arguments)).fetchone()[0]


def create_database(cluster, name, endpoint, version=None):
    with cluster.connect() as postgres:
        postgres.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return Database(cluster, name).prepare(endpoint, version)


def drop_database(database):
    database.close()
    with database.cluster.connect() as postgres:
        postgres.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
            sql.Identifier(database.name)))
