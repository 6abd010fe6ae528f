"""The page of sqs_sync_report over many syncs that have run often."""

import time

from harness.report import Times, short
from harness.server import database_on, settle_down

ROUNDS = 7
SYNCS = 1000
# As of syncs that run every five minutes, for a day.
RUNS_EACH = 288
REJECTIONS_EACH = 10
# What the page of so many syncs may take.
GOAL_SECONDS = 1.0

ALL = "the page of all syncs"
ONE = "the page of one of them"


def measure(cluster, report, scale):
    syncs = scale(SYNCS)
    report.title(f"The page of {syncs:,} syncs with {RUNS_EACH} runs and {REJECTIONS_EACH} rejections each")
    times = Times()
    with database_on(cluster) as database:
        fill(database, syncs)
        for turn in range(ROUNDS + 1):
            taken = times if turn else Times()
            page = timed_page(database, taken, ALL, "SELECT sqs_sync_report()")
            timed_page(database, taken, ONE, "SELECT sqs_sync_report('sync 1')")
    if page.count('class="strip"') != syncs:
        raise AssertionError(f"the page does not show {syncs} syncs")
    report.say(f"As the syncs' owner, from the call to the whole page at the client: {len(page) / 1e6:.1f} MB of all.")
    times.show(report)
    report.figure(f"report_{short(syncs)}_vs_goal", GOAL_SECONDS / times.median(ALL))


def timed_page(database, times, contestant, statement):
    begun = time.perf_counter()
    page = database.value(statement)
    times.add(contestant, time.perf_counter() - begun)
    return page


def fill(database, syncs):
    """The syncs are made as anyone makes them; what runs leave behind is written in their place."""
    database.analyst.execute("CREATE TABLE item (id integer PRIMARY KEY, name text)")
    for number in range(1, syncs + 1):
        database.create_sync(f"sync {number}", "items", model="item", template="1")
    database.admin.execute(f"""
        INSERT INTO sqs_sync.run (sync_id, state, version, requested_at, started_at, finished_at, rows_added, rows_changed,
                                  rows_removed, published, rejected, sqlstate, error, hint)
        SELECT s.sync_id, CASE WHEN bad THEN 'failed' ELSE 'partly_failed' END, 1, at, at + interval '0.1 s', at + interval '2 s',
               10, i, 5, CASE WHEN bad THEN 0 ELSE i + 5 END, {REJECTIONS_EACH}, CASE WHEN bad THEN 'HV00N' END,
               CASE WHEN bad THEN 'SQS cannot be reached for sync ' || s.sync_id END, CASE WHEN bad THEN 'Look at the network.' END
        FROM generate_series({RUNS_EACH}, 1, -1) i, sqs_sync.sync s,
             LATERAL (SELECT now() - i * interval '5 min' AS at, (i + s.sync_id) % 20 = 0 AS bad) l""")
    database.admin.execute(f"""
        INSERT INTO sqs_sync.rejection (sync_id, key, event, code, reason, hint, run_id)
        SELECT s.sync_id, '{{"id": ' || i || '}}', 'added', 'reason_' || i % 5, 'the body holds U+000B, which SQS does not take',
               'Remove it in the model.', 1
        FROM sqs_sync.sync s, generate_series(1, {REJECTIONS_EACH}) i""")
    database.admin.execute("UPDATE sqs_sync.position SET initial_done = true")
    settle_down(database, "sqs_sync.run", "sqs_sync.rejection", "sqs_sync.sync", "sqs_sync.definition", "sqs_sync.position")
