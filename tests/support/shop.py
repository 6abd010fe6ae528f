"""A database with a sync of each state, whose names, rows and errors are hostile to a page."""

from support.database import Database, call

# What a page that is not careful would run, load, or let out of its place.
HOSTILE = """<script>pwned=1</script><img src=x onerror="pwned=1">' onfocus='pwned=1' ‮evil⁦ &lt;"""
NAME = '<b onclick="pwned=1">o\'clock</b> ☃'

ROWS = """
CREATE TABLE odd (id text, name text);
INSERT INTO odd SELECT 'row ' || i, 'name ' || i FROM generate_series(1, 40) i;
CREATE VIEW "<i>odd</i> rows" AS SELECT id, name FROM odd;
"""


def fill(database: Database, queue):
    """A sync that is told, one with rejections, one that fails, one that is paused, one that is new, one held."""
    analyst = database.analyst
    analyst.execute(ROWS)
    analyst.execute("INSERT INTO odd VALUES (%(hostile)s, 'one'), (%(hostile)s, 'two'), (NULL, 'none')", {"hostile": HOSTILE})
    model = 'public."<i>odd</i> rows"'
    database.create_sync(NAME, queue.name, model=model, template='{"name": "{{row.name}}"}')
    database.create_sync("told", queue.name, model="SELECT id, name FROM odd WHERE id LIKE 'row %'", template="1")
    call(analyst, "sqs_sync_on", name="told", event="removed", condition="old.name <> '</code><script>pwned=1</script>'")
    database.create_sync("failing", "nowhere-" + queue.name, model=model, template="1", retry_for="1 second")
    database.create_sync("paused", queue.name, model=model, template="1")
    analyst.execute("SELECT sqs_sync_pause('paused')")
    database.create_sync("new", queue.name, model=model, template="1")
    analyst.execute("CREATE TABLE changing AS SELECT 1 AS id, 'x'::text AS name")
    database.create_sync("held", queue.name, model="changing", template="1")
    states = [database.run(name).state for name in (NAME, "told", "failing", "held")]
    assert states == ["partly_failed", "succeeded", "failed", "succeeded"]
    analyst.execute("ALTER TABLE changing ALTER name TYPE varchar")
    assert database.run("held").state == "held"
    return database


def report(connection, *name):
    return connection.execute(f"SELECT sqs_sync_report({', '.join(['%s'] * len(name))})", name).fetchone()[0]
