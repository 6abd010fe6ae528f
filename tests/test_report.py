"""sqs_sync_report(): what is on the page is what its reader may see, and what is so."""

import html
import re

import psycopg
import pytest

from support import shop
from support.database import call
from support.deadline import wait_until

PRIVATE = "private-name"


def words(page):
    """What the page says, without its markup."""
    body = page[page.index("<body>"):]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", body)))


@pytest.fixture
def private(database, items, queue):
    items.fill(3)
    model = "SELECT CASE WHEN id > 1 THEN 'private-key' ELSE id::text END AS id, name FROM items"
    database.create_sync(PRIVATE, queue.name, model=model, template="1")
    assert database.run(PRIVATE).state == "partly_failed"
    return database


@pytest.fixture
def other(database):
    connection = database.connection_of("other")
    yield connection
    connection.close()


@pytest.mark.e2e
def test_the_page_tells_of_each_sync_run_and_rejection(database, queue):
    shop.fill(database, queue)
    said = words(shop.report(database.analyst))
    for text in (shop.NAME, "told", "failing", "paused", "new", "held", "duplicate_key", "null_key", "tried again when the sync runs",
                 f'queue "nowhere-{queue.name}" does not exist', "SELECT sqs_sync_resume('paused');", "SELECT sqs_sync_run('new');"):
        assert text in said
    held = database.row("SELECT run_id FROM sqs_sync.runs WHERE state = 'held'").run_id
    assert f"SELECT sqs_sync_approve({held});" in said and f"SELECT sqs_sync_discard({held});" in said
    for run in database.rows("SELECT * FROM sqs_sync.runs"):
        assert f"#{run.run_id}" in said
    published = database.value("SELECT sum(published) FROM sqs_sync.runs")
    assert f"Messages published {published} in the last 15 minutes" in said
    assert "2 of 6 syncs stand still" in said


def test_the_page_of_one_sync_is_of_it_alone(database, queue):
    shop.fill(database, queue)
    page = shop.report(database.analyst, "told")
    assert "old.name" in words(page) and f"to {queue.name}" not in words(page)
    for other_one in ("failing", "paused", shop.NAME):
        assert other_one not in words(page)
    hostile = shop.report(database.analyst, shop.NAME)
    assert "duplicate_key" in words(hostile) and "failing" not in words(hostile)


def test_a_sync_that_is_not_there_or_not_the_readers_is_an_error(private, other):
    for connection, name in ((private.analyst, "nothing"), (other, PRIVATE), (other, "nothing")):
        with pytest.raises(psycopg.errors.UndefinedObject) as refused:
            shop.report(connection, name)
        assert f'sync "{name}" does not exist' in str(refused.value)


def test_nobody_sees_more_than_the_views_show(private, other):
    page = shop.report(other)
    assert "private" not in page and "There is no sync to see" in page
    private.admin.execute("CREATE ROLE watcher LOGIN IN ROLE pg_monitor")
    try:
        watcher = private.connection_of("watcher")
        said = words(shop.report(watcher))
        assert PRIVATE in said and "1 sync, whose rows are not shown here" in said
        assert "private-key" not in said and "duplicate_key" not in said
        assert PRIVATE in words(shop.report(watcher, PRIVATE))
        watcher.close()
    finally:
        private.admin.execute("DROP ROLE watcher")
    assert "private-key" in words(shop.report(private.analyst))


def test_an_alert_is_shown_to_who_may_see_it(private, other):
    private.admin.execute("CREATE SERVER told FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'notify');"
                          " GRANT USAGE ON FOREIGN SERVER told TO analyst")
    private.analyst.execute("SELECT sqs_sync_alert_create('many rejected', sync => %s, condition => 'rejections', over => '0', channel => 'told')", (PRIVATE,))
    wait_until(lambda: private.value("SELECT last_delivery FROM sqs_sync.alerts") == "delivered", "it is told")
    for name in (None, PRIVATE):
        said = words(shop.report(private.analyst, *filter(None, [name])))
        assert "many rejected firing rejections" in said and 'The alert "many rejected" is firing.' in said
    assert "many rejected" not in shop.report(other)


@pytest.fixture
def logged(private):
    """A log of more calls than the page shows, of two syncs; whose texts are hostile to a page."""
    private.create_sync("second", "anywhere", model="items", template="1")
    private.admin.execute("""
        INSERT INTO sqs_sync.request (sync_id, run_id, at, operation, queue, attempt, latency_ms, status, aws_request_id, error, entries, request_bytes, dropped, bytes)
        SELECT s.sync_id, 7, now(), 'SendMessageBatch', %(hostile)s, 3, 12.4, CASE i %% 2 WHEN 0 THEN 503 END, 'aws-' || i, %(hostile)s || ' failed ' || i,
               '[]', 1, 0, 1
        FROM generate_series(1, 50) i, sqs_sync.sync s ORDER BY i, s.sync_id""", {"hostile": shop.HOSTILE})
    private.admin.execute("""
        INSERT INTO sqs_sync.request (sync_id, run_id, at, operation, queue, attempt, latency_ms, status, entries, request_bytes, dropped, bytes)
        SELECT s.sync_id, 8, now(), 'SendMessageBatch', 'q', 1, 12.4, 200, '[[1, "added", {"id": 1}], [2, "added", {"id": 2}, "rejected", "Bad", "the body is bad"]]', 1, 0, 1
        FROM sqs_sync.sync s WHERE s.name = 'second'""")
    return private


def shown_calls(page):
    section = page[page.index('<section id="calls"'):]
    return section[:section.index("</section>")]


def test_the_last_calls_are_shown_to_who_may_see_them(logged, other):
    page = shop.report(logged.analyst)
    assert shown_calls(page).count("badge") == 20 and "<script>" not in page
    said = words("<body>" + shown_calls(page))
    assert "1 of 2 messages not accepted: the body is bad" in said
    assert "failed 50" in said and "failed 41" in said and "failed 40" not in said
    assert "503" in said and "no answer" in said and "aws-50" in said and "<script>pwned=1</script>" in said and "12 ms" in said
    one = shown_calls(shop.report(logged.analyst, PRIVATE))
    assert one.count("badge") == 20 and "failed 31" in one and "failed 30" not in one and "the body is bad" not in one
    assert "None is kept" in words("<body>" + shown_calls(shop.report(other)))
    logged.admin.execute("CREATE ROLE watcher LOGIN IN ROLE pg_monitor")
    try:
        watcher = logged.connection_of("watcher")
        for name in ((), (PRIVATE,)):
            assert "None is kept" in words("<body>" + shown_calls(shop.report(watcher, *name)))
        watcher.close()
    finally:
        logged.admin.execute("DROP ROLE watcher")


def test_the_last_calls_are_found_without_reading_the_log(logged):
    """By the index of each sync: what a page reads does not grow with the log."""
    logged.admin.execute("""
        INSERT INTO sqs_sync.request (sync_id, run_id, at, operation, queue, attempt, latency_ms, entries, request, request_bytes, dropped, bytes)
        SELECT s.sync_id, 7, now(), 'SendMessageBatch', 'q', 3, 12.4, '[]', repeat('x', 500), 1, 0, 1 FROM generate_series(1, 20000) i, sqs_sync.sync s""")
    logged.admin.execute("ANALYZE sqs_sync.request")
    read = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relid = 'sqs_sync.request'::regclass"
    with logged.admin.transaction():
        before = logged.admin.execute(read).fetchone()[0]
        assert shown_calls(shop.report(logged.admin)).count("badge") == 20
        shop.report(logged.admin, PRIVATE)
        assert logged.admin.execute(read).fetchone()[0] - before <= 200


def test_nothing_of_the_session_changes_what_is_called_or_shown(private, other):
    private.admin.execute("GRANT CREATE ON DATABASE \"%s\" TO other" % private.name)
    other.execute("CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO PUBLIC; CREATE TABLE evil.heard (what text); GRANT ALL ON evil.heard TO PUBLIC")
    for function in ("pg_is_in_recovery() RETURNS boolean", "current_setting(text) RETURNS text", "to_timestamp(double precision) RETURNS timestamptz",
                     "array_to_string(text[], text) RETURNS text", "pg_has_role(oid, text) RETURNS boolean"):
        other.execute(f"CREATE FUNCTION evil.{function} LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.heard VALUES (current_user); RETURN NULL; END $$")
    other.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA evil TO PUBLIC")
    before = words(shop.report(private.admin, PRIVATE))
    private.admin.execute("SET search_path = evil, pg_temp, public, pg_catalog; SET DateStyle = 'SQL, DMY'; SET IntervalStyle = 'iso_8601';"
                          " SET TimeZone = 'Asia/Kolkata'; CREATE TEMP TABLE pg_roles (oid oid, rolname name)")
    after = words(private.admin.execute("SELECT public.sqs_sync_report(%s)", (PRIVATE,)).fetchone()[0])
    assert other.execute("SELECT * FROM evil.heard").fetchall() == []
    moments = re.compile(r"\d+ seconds? ago|just now|seen [^U]* UTC|from [^U]* UTC|\d\d:\d\d|\b[A-Z]\w+(?= Made by)")
    assert moments.sub("", after) == moments.sub("", before)
    assert private.admin.execute("SHOW search_path").fetchone()[0].startswith("evil")


def test_the_page_can_be_made_where_nothing_can_be_written(private):
    with private.analyst.transaction():
        private.analyst.execute("SET TRANSACTION READ ONLY")
        assert PRIVATE in shop.report(private.analyst)


def test_the_page_reads_the_same_in_any_encoding_of_the_client(database, queue):
    shop.fill(database, queue)
    database.analyst.execute("SET client_encoding = 'LATIN1'")
    page = shop.report(database.analyst)
    assert page.isascii() and shop.NAME in words(page)


def test_a_database_that_can_have_no_syncs_says_so(preloaded):
    with preloaded.connect() as postgres:
        postgres.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    try:
        with preloaded.connect("latin") as admin:
            admin.execute("CREATE EXTENSION sqs_sync")
            with pytest.raises(psycopg.errors.FeatureNotSupported):
                shop.report(admin)
    finally:
        with preloaded.connect() as postgres:
            postgres.execute("DROP DATABASE latin WITH (FORCE)")


@pytest.mark.parametrize("every, count, length", [
    ("1 second", 30, "15 minutes"),
    ("1 minute", 40, "hour"),
    ("1 hour", 100, "day"),
    ("6 hours", 60, "7 days"),
    ("3 days", 20, "30 days"),
    ("100 days", 3, "30 days"),
])
def test_the_history_is_as_long_as_runs_are_rare(database, items, queue, every, count, length):
    items.fill(1)
    database.create_sync("items", queue.name, model="items", template="1")
    inserted = database.admin.execute(
        """INSERT INTO sqs_sync.run (sync_id, state, requested_at, started_at, finished_at, published, rows_added)
           SELECT s.sync_id, 'succeeded', t, t, t + interval '1 second', 7, 7
           FROM sqs_sync.sync s, generate_series(1, %(count)s) i, LATERAL (SELECT now() - i * %(every)s::interval AS t) AS at ORDER BY t
           RETURNING requested_at""", {"every": every, "count": count}).fetchall()
    assert len(inserted) == count
    for page in (shop.report(database.analyst), shop.report(database.analyst, "items")):
        said = words(page)
        assert f"in the last {length}" in said or f"No run was asked for in the last {length}" in said
        runs = int(re.search(r"Runs (\d+) in the last", said).group(1))
        published = int(re.search(r"Messages published ([\d,]+) in the last", said).group(1).replace(",", ""))
        assert published == 7 * runs
        seconds = {"15 minutes": 900, "hour": 3600, "day": 86400, "7 days": 604800, "30 days": 2592000}[length]
        within = database.admin.execute("SELECT count(*) FROM sqs_sync.run WHERE requested_at > now() - make_interval(secs => %s)", (seconds,)).fetchone()[0]
        assert 0 <= within - runs <= 1


def test_the_latest_runs_view_has_thirty_of_each_sync(database, items, queue):
    items.fill(1)
    for name in ("one", "two"):
        database.create_sync(name, queue.name, model="items", template="1")
    database.admin.execute("INSERT INTO sqs_sync.run (sync_id, state) SELECT s.sync_id, 'succeeded' FROM sqs_sync.sync s, generate_series(1, 50)")
    rows = database.rows("SELECT sync, count(*) AS runs, min(run_id) AS first, max(run_id) AS last FROM sqs_sync.recent_runs GROUP BY sync ORDER BY sync")
    latest = database.rows("SELECT name AS sync, last_run FROM sqs_sync.syncs ORDER BY name")
    assert [(row.sync, row.runs, row.last) for row in rows] == [(row.sync, 30, row.last_run) for row in latest]


def test_a_paused_sync_that_is_resumed_needs_nothing(private):
    call(private.analyst, "sqs_sync_pause", name=PRIVATE)
    assert "It is paused" in words(shop.report(private.analyst))
    call(private.analyst, "sqs_sync_resume", name=PRIVATE)
    assert "It is paused" not in words(shop.report(private.analyst))
