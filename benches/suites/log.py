"""What the request log costs publishing: backfills at each level, in turn, against the level `off`."""

import json
import statistics

from harness import models
from harness.publishing import check_arrived, measured_sink
from harness.server import database_on, settle_down
from harness.syncs import timed_run

ROUNDS = 3
ROWS = 500_000
QUEUE = "customers"
MODEL = models.CUSTOMERS
LEVELS = {
    "off": "'off'",
    "errors": "'errors'",
    "sample": "'sample', share => 0.01",
    "all": "'all', lasting => '1 day'",
}


def measure(cluster, report, scale):
    rows = scale(ROWS)
    with measured_sink() as sink, database_on(cluster, sink.endpoint) as database:
        MODEL.make(database, rows)
        settle_down(database, MODEL.table)
        sink.create_queue(QUEUE, id_name=MODEL.key)
        report.title(f"The request log, {rows:,} messages")
        report.say(f"Backfills by `fields`, the sink answers at once. Medians of {ROUNDS} rounds after one for warming up.\n")
        rates = {level: [] for level in LEVELS}
        for round_ in range(ROUNDS + 1):
            for level in LEVELS:
                rate = rows / backfill(database, sink, level, rows).publishing_seconds
                if round_:
                    rates[level].append(rate)
        report.table(["messages a second", "median", "least", "most"],
                     [[level, *(f"{rate:,.0f}" for rate in (statistics.median(of), min(of), max(of)))]
                      for level, of in rates.items()])
        for level in ("errors", "sample", "all"):
            report.figure(f"log_{level}_vs_off", statistics.median(rates[level]) / statistics.median(rates["off"]))


def backfill(database, sink, level, rows):
    sink.reset()
    database.create_sync(level, QUEUE, model=MODEL.view, key=MODEL.key, attributes={}, fields=json.dumps(MODEL.columns))
    database.analyst.execute(f"SELECT sqs_sync_log('{level}', {LEVELS[level]})")
    settle_down(database)
    run = timed_run(database, level, found=rows)
    check_arrived(sink, QUEUE, 1, rows)
    database.analyst.execute("SELECT sqs_sync_drop(%s)", (level,))
    return run
