"""Memory of the runner besides the shared buffers: bounded by its batches, never by rows, nor by a
group that takes its messages slowly."""

import json
import time

from support.process import anonymous_kb

from harness import models
from harness.publishing import check_arrived, measured_sink
from harness.report import short
from harness.server import database_on, settle_down
from harness.syncs import UNDER_WAY, timed_run

QUEUE = "customers"
FEW, MANY = 100_000, 3_000_000

FIFO = "orders.fifo"
SLOW_ROWS, OTHER_GROUPS, ROWS_A_GROUP = 100_000, 1_000, 100
# What a group takes. All the others together take a thousand times that.
A_SECOND = 10
ORDERS = """
    CREATE TABLE orders AS
    SELECT i AS order_id,
           CASE WHEN i <= %(slow)s::bigint THEN 'slow' ELSE 'customer-' || i %% %(groups)s END AS customer,
           repeat(md5(i::text), 8) AS contents
    FROM generate_series(1, %(slow)s::bigint + %(groups)s::bigint * %(each)s) i"""


def measure(cluster, report, scale):
    report.title("Memory of the runner besides the shared buffers")
    few, many = scale(FEW), scale(MANY)
    with measured_sink() as sink:
        peaks = {rows: peak_of_backfill(cluster, sink, rows) for rows in (few, many)}
        slow_rows = scale(SLOW_ROWS)
        slow, seconds = peak_behind_slow_group(cluster, sink, slow_rows)
    report.table(["the most MB", "while diffing", "while publishing"], [
        *([f"{rows:,} rows", *peak.cells()] for rows, peak in peaks.items()),
        [f"{slow_rows:,} rows of a slow group, before {OTHER_GROUPS:,} other groups", *slow.cells()]])
    report.say(f"The slow group took {A_SECOND} a second; the others, of {ROWS_A_GROUP} rows each,"
               f" were told after {seconds:.1f} s.")
    report.figure(f"memory_{short(many)}_of_{short(few)}", peaks[many].mb / peaks[few].mb)
    report.figure(f"memory_slow_group_of_{short(few)}", slow.mb / peaks[few].mb)


def peak_of_backfill(cluster, sink, rows):
    model, peak = models.CUSTOMERS, Peak()
    sink.create_queue(QUEUE, id_name=model.key)
    sink.reset()
    with database_on(cluster, sink.endpoint) as database:
        model.make(database, rows)
        settle_down(database, model.table)
        database.create_sync("ours", QUEUE, model=model.view, key=model.key, attributes={},
                             fields=json.dumps(model.columns))
        timed_run(database, "ours", found=rows, on_look=peak.look)
    check_arrived(sink, QUEUE, 1, rows)
    return peak


def peak_behind_slow_group(cluster, sink, slow_rows):
    """The run is cancelled when all but the slow group have been told, and its peak returned, and
    the seconds until then."""
    sink.create_queue(FIFO, id_name="order_id", group_messages_per_second=A_SECOND)
    peak, last = Peak(), slow_rows + OTHER_GROUPS * ROWS_A_GROUP
    with database_on(cluster, sink.endpoint) as database:
        database.analyst.execute(ORDERS, {"slow": slow_rows, "groups": OTHER_GROUPS, "each": ROWS_A_GROUP})
        database.analyst.execute("ALTER TABLE orders ADD PRIMARY KEY (order_id)")
        settle_down(database, "orders")
        database.create_sync("orders", FIFO, model="orders", key="order_id", attributes={}, order_by="order_id",
                             group_id="{{row.customer}}", fields='["order_id", "customer", "contents"]')
        begun = time.perf_counter()
        run_id = database.start_run("orders")
        look = "SELECT state, runner_pid, rejected FROM sqs_sync.run WHERE run_id = %s"
        while sink.missing(FIFO, slow_rows + 1, last):
            now = database.admin.execute(look, (run_id,)).fetchone()
            if now.state not in UNDER_WAY or now.rejected:
                break
            peak.look(now)
            time.sleep(0.05)
        seconds = time.perf_counter() - begun
        database.analyst.execute("SELECT sqs_sync_cancel(%s)", (run_id,))
        run = database.wait_for(run_id)
        if run.state != "cancelled" or run.rejected or sink.counts(FIFO)["out_of_order"]:
            raise AssertionError(f"the run with a slow group went wrong: {run}; {sink.counts(FIFO)}")
    return peak, seconds


class Peak:
    """The most that was seen, in each phase of a run."""

    def __init__(self):
        self.phases = {"diffing": 0, "publishing": 0}

    @property
    def mb(self):
        return max(self.phases.values())

    def look(self, run):
        if run.runner_pid and run.state in self.phases:
            self.phases[run.state] = max(self.phases[run.state], anonymous_kb(run.runner_pid) / 1024)

    def cells(self):
        return [f"{mb:.1f}" for mb in self.phases.values()]
