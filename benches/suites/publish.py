"""Publishing: a backfill against the bare SDK and against scripts that one would write instead."""

import functools
import json
import statistics

from harness import models
from harness.processes import Watch
from harness.publishing import bare_loop, boto3_script, check_arrived, measured_sink, node_script
from harness.report import short
from harness.server import database_on, settle_down
from harness.syncs import timed_run

ROUNDS = 3
LATENCIES_MS = (0, 10)
ROWS = 1_000_000
# Scripts are slow, and a rate is a rate.
SCRIPT_ROWS = 100_000
# As many requests as a run has in flight.
IN_FLIGHT = 128
# More were not faster here, at either latency.
BOTO3_THREADS = 32

QUEUE = "customers"
MODEL = models.CUSTOMERS
MESSAGES_VIEW = "CREATE VIEW customer_messages AS SELECT customer_id, to_jsonb(r)::text AS message FROM customer_rows r"
QUOTED = ("full_name", "email", "address", "status", "last_order_at", "birthday")
TEMPLATE = "{%s}" % ", ".join(
    '"{0}": "{{{{row.{0}}}}}"'.format(column) if column in QUOTED else '"{0}": {{{{row.{0}}}}}'.format(column)
    for column in MODEL.columns)
BODIES = {
    "fields": {"model": MODEL.view, "fields": json.dumps(MODEL.columns)},
    "body_column": {"model": "customer_messages", "body_column": "message"},
    "template": {"model": MODEL.view, "template": TEMPLATE},
}
LOOPS = {"bare loop, one thread": 1, "bare loop, two threads": 2}
BOTO3, NODE = "psycopg and boto3", "pg and the AWS SDK for Node"

ITSELF = "the program itself"
DIFF = "the run's diff, all processes"


class Results:
    """Of each contestant: messages a second while publishing and in all, and microseconds of CPU a
    message by process; a value a round."""

    def __init__(self):
        self.publishing, self.whole, self.cpu = {}, {}, {}

    def add(self, who, messages, publishing_seconds, seconds, cpu):
        self.publishing.setdefault(who, []).append(messages / publishing_seconds)
        self.whole.setdefault(who, []).append(messages / seconds)
        self.cpu.setdefault(who, []).append({role: 1e6 * used / messages for role, used in cpu.items()})

    def rate(self, who):
        return statistics.median(self.publishing[who])

    def show(self, report):
        report.table(["messages a second", "publishing", "least", "most", "whole run", "rounds"],
                     [[who, *(f"{rate:,.0f}" for rate in (self.rate(who), min(rates), max(rates),
                                                          statistics.median(self.whole[who]))), len(rates)]
                      for who, rates in self.publishing.items()])
        roles = {role: None for rounds in self.cpu.values() for round_ in rounds for role in round_}
        rows = [[role, *(self.microseconds(who, role) for who in self.cpu)] for role in roles]
        report.table(["µs of CPU a message", *self.cpu],
                     [[role, *(f"{used:.2f}" if used else "" for used in row)] for role, *row in rows if any(row)])

    def microseconds(self, who, role):
        return statistics.median(round_.get(role, 0) for round_ in self.cpu[who])


def measure(cluster, report, scale):
    rows, script_rows = scale(ROWS), scale(SCRIPT_ROWS)
    with measured_sink() as sink, database_on(cluster, sink.endpoint) as database:
        MODEL.make(database, rows)
        database.analyst.execute(MESSAGES_VIEW)
        settle_down(database, MODEL.table)
        size = database.value("SELECT avg(octet_length(message))::integer FROM customer_messages")
        report.title(f"Publishing {rows:,} messages of {size} bytes")
        report.say(
            f"Ours are backfills. The scripts send {script_rows:,} of the same rows, the bare loop ready-made bodies"
            f"\nof this size. At most {IN_FLIGHT} requests are in flight; the boto3 script has {BOTO3_THREADS} threads. The"
            "\npublishing phase begins when the diff is committed. All, the sink too, share this machine's CPUs."
            f"\nMedians of {ROUNDS} rounds after one for warming up. Each message must have arrived once.\n")
        for latency in LATENCIES_MS:
            sink.create_queue(QUEUE, id_name=MODEL.key, latency_ms=latency)
            contest = Contest(database, sink, rows, script_rows, size)
            contest.round(Results())
            results = Results()
            for _ in range(ROUNDS):
                contest.round(results)
            report.say(f"The sink answers {'at once' if not latency else f'after {latency} ms'}:")
            results.show(report)
            tell_figures(report, results, latency)


def tell_figures(report, results, latency):
    loop = max(LOOPS, key=results.rate)
    for body in BODIES:
        for baseline, against in ((loop, "loop"), (BOTO3, "boto3"), (NODE, "node")):
            report.figure(f"publish_{body}_{latency}ms_vs_{against}", results.rate(body) / results.rate(baseline))


class Contest:
    def __init__(self, database, sink, rows, script_rows, size):
        self.database, self.sink = database, sink
        self.rows, self.script_rows, self.size = rows, script_rows, size
        query = f"SELECT * FROM {MODEL.view} WHERE {MODEL.key} <= {script_rows}"
        self.scripts = {
            BOTO3: functools.partial(boto3_script, database, sink, QUEUE, query, BOTO3_THREADS),
            NODE: functools.partial(node_script, database, sink, QUEUE, query, IN_FLIGHT),
        }

    def round(self, results):
        for who, threads in LOOPS.items():
            self.measure_program(results, who, self.rows, functools.partial(
                bare_loop, self.sink, QUEUE, self.rows, self.size, IN_FLIGHT, threads))
        for body in BODIES:
            self.backfill(results, body)
        for who, script in self.scripts.items():
            self.measure_program(results, who, self.script_rows, script)

    def measure_program(self, results, who, messages, start):
        self.sink.reset()
        with self.watch() as watch:
            did = start()
        check_arrived(self.sink, QUEUE, 1, messages)
        cpu = {**watch.seconds(), ITSELF: did["cpu_seconds"]}
        results.add(who, messages, did["seconds"], did["seconds"], cpu)

    def backfill(self, results, body):
        database = self.database
        self.sink.reset()
        database.create_sync(body, QUEUE, key=MODEL.key, attributes={}, **BODIES[body])
        settle_down(database)
        with self.watch() as watch:
            run = timed_run(database, body, found=self.rows, on_look=functools.partial(mark_publishing, watch))
        check_arrived(self.sink, QUEUE, 1, self.rows)
        database.analyst.execute("SELECT sqs_sync_drop(%s)", (body,))
        publishing = watch.since_mark()
        diff = sum(watch.seconds().values()) - sum(publishing.values())
        results.add(body, self.rows, run.publishing_seconds, run.seconds, {**publishing, DIFF: diff})

    def watch(self):
        return Watch(self.database.cluster, sink=self.sink.process.pid)


def mark_publishing(watch, run):
    if run.state == "publishing" and not watch.at_mark:
        watch.mark()
