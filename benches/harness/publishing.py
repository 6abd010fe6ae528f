"""Messages to the sink: that each has arrived once, and what the programs measured beside ours do."""

import contextlib
import tempfile

from support.cluster import ROOT
from support.sink import Sink, program

from harness.programs import BASELINES, run_program


@contextlib.contextmanager
def measured_sink():
    with tempfile.NamedTemporaryFile(prefix="sink_", suffix=".log") as log:
        sink = Sink(log.name, "release").start()
        try:
            yield sink
        finally:
            sink.stop()


def check_arrived(sink, queue, first, last):
    """Each of these ids once, and nothing else."""
    counts, count = sink.counts(queue), last - first + 1
    wrong = {"delivered": count, "distinct": count, "duplicates": 0, "without_id": 0}
    wrong = {what: (counts[what], expected) for what, expected in wrong.items() if counts[what] != expected}
    if wrong or sink.missing(queue, first, last):
        raise AssertionError(f"of ids {first} to {last} not each has arrived once: (is, should be) {wrong}")


def send_all(*command):
    """A program that sends messages and prints what it did."""
    return run_program(*command)[0]


def bare_loop(sink, queue, messages, size, in_flight, threads):
    return send_all(program("bare-loop", "release"), "--endpoint", sink.endpoint,
                    "--queue-url", sink.queue_url(queue), "--messages", messages, "--bytes", size,
                    "--in-flight", in_flight, "--threads", threads)


def boto3_script(database, sink, queue, query, threads):
    return send_all(ROOT / ".tools" / "venv" / "bin" / "python", BASELINES / "psycopg_boto3.py",
                    "--dsn", f"host={database.cluster.directory} dbname={database.name} user=analyst",
                    "--query", query, "--endpoint", sink.endpoint, "--queue-url", sink.queue_url(queue),
                    "--threads", threads)


def node_script(database, sink, queue, query, in_flight):
    return send_all("node", "--no-warnings", BASELINES / "node_sqs.mjs", "--host", database.cluster.directory,
                    "--database", database.name, "--user", "analyst", "--query", query,
                    "--endpoint", sink.endpoint, "--queue-url", sink.queue_url(queue),
                    "--in-flight", in_flight)
