"""A run that leaves a million rejected rows alone, against one that finds all rows told."""

import time

from harness import models
from harness.report import Times, short
from harness.server import database_on, settle_down
from harness.syncs import QUEUE, timed_run, told_sync

ROUNDS = 5
ROWS = 1_000_000
MODEL = models.CUSTOMERS

TOLD = "a run in which all rows are told"
REJECTED = "a run in which all rows are rejected, and left alone"
KEY = '{"customer_id": 1}'
# What is done about them, each taken back.
CALLS = {
    "retry of one": f"SELECT sqs_sync_retry('rejected', '{KEY}')",
    "retry of all": "SELECT sqs_sync_retry('rejected')",
    "dismissal of one": f"SELECT sqs_sync_dismiss('rejected', '{KEY}')",
    "dismissal of all": "SELECT sqs_sync_dismiss('rejected')",
    "sqs_sync.rejections, one by its key": f"SELECT * FROM sqs_sync.rejections WHERE sync = 'rejected' AND key = '{KEY}'",
    "sqs_sync.rejections, counted by code":
        "SELECT code, count(*) FROM sqs_sync.rejections WHERE sync = 'rejected' GROUP BY code",
}


def measure(cluster, report, scale):
    rows = scale(ROWS)
    report.title(f"Runs that leave {rows:,} rejected rows alone")
    runs, calls = Times(), Times()
    with database_on(cluster) as database:
        MODEL.make(database, rows)
        settle_down(database, MODEL.table)
        told_sync(database, MODEL, rows)
        rejected_sync(database, rows)
        for turn in range(ROUNDS + 1):
            taken = runs if turn else Times()
            taken.add(TOLD, timed_run(database, "ours", found=0).seconds)
            run = timed_run(database, "rejected", found=0, ends="partly_failed")
            if run.row.still_rejected != rows:
                raise AssertionError(f"{run.row.still_rejected} rows were left alone, not {rows}")
            taken.add(REJECTED, run.seconds)
        for what, statement in CALLS.items():
            taken_back(database, calls, what, statement)
    report.say("From the call of sqs_sync_run until the run has ended.")
    runs.show(report)
    report.say("What is done about them, once each:")
    calls.show(report)
    report.figure(f"rejections_{short(rows)}_vs_told", runs.times_as_fast(REJECTED, TOLD))


def rejected_sync(database, rows):
    """Made as anyone makes it; what a run leaves behind that has rejected all rows is written in its place."""
    database.create_sync("rejected", QUEUE, model=MODEL.view, key=MODEL.key, body_column="full_name")
    hashes = ", ".join(f"sqs_sync.value_hash({column})" for column in MODEL.columns)
    database.admin.execute(f"""
        INSERT INTO sqs_sync.rejection (sync_id, key, event, key_hash, content_hash, version, left_alone, size, code, reason, hint, run_id)
        SELECT s.sync_id, jsonb_build_object('{MODEL.key}', {MODEL.key})::text, 'added',
               sqs_sync.row_hash(ROW({MODEL.key})), sqs_sync.row_hash(ROW({hashes})), s.version, true, 300,
               'invalid_character', 'the body holds U+000B, which SQS does not take', 'Remove it in the model.', 0
        FROM sqs_sync.sync s, {MODEL.view} WHERE s.name = 'rejected'""")
    settle_down(database, "sqs_sync.rejection")


def taken_back(database, times, what, statement):
    with database.analyst.transaction(force_rollback=True):
        begun = time.perf_counter()
        database.analyst.execute(statement).fetchall()
        times.add(what, time.perf_counter() - begun)
