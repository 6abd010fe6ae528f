"""Leaves report.html: the page that sqs_sync_report makes of the demo's data, and of some more syncs."""

import pathlib
import sys
import tempfile

import demo
from support.cluster import ROOT, Cluster
from support.emulator import Emulator

PAGE = ROOT / "report.html"
QUEUES = ("customers", "invoices", "orders.fifo")
CHANGES = """
INSERT INTO customers SELECT 4000 + 10 * {turn} + i, 'Newcomer ' || i, 'east' FROM generate_series(1, {turn}) i;
UPDATE orders SET amount = amount + {turn} WHERE order_id % 97 = {turn};
DELETE FROM invoices WHERE invoice_id % 50 = {turn};
"""


def main(page=PAGE):
    with tempfile.TemporaryDirectory() as directory:
        emulator = Emulator(pathlib.Path(directory) / "emulator.log").start()
        cluster = Cluster(shared_preload_libraries="sqs_sync").init().start()
        try:
            analyst = open_shop(cluster, emulator)
            run_everything(analyst)
            page.write_text(analyst.execute("SELECT sqs_sync_report()").fetchone()[0])
        finally:
            cluster.destroy()
            emulator.stop()
    print(f"the page is {page}")


def open_shop(cluster, emulator):
    for queue in QUEUES:
        emulator.create_queue(queue)
    dba, analyst = demo.open_shop(cluster)
    execute(analyst, "schema.sql")
    execute(dba, "connection.sql", endpoint=emulator.endpoint)
    for file in ("sync.sql", "more.sql"):
        execute(analyst, file)
    return analyst


def execute(connection, file, **values):
    for statement in demo.statements(file, **values)[1]:
        connection.execute(statement)


def run_everything(analyst):
    syncs = ["customers", "invoices", "orders", "regions"]
    for turn in range(1, 8):
        runs = [analyst.execute("SELECT sqs_sync_run(%s)", (name,)).fetchone()[0] for name in syncs]
        for run in runs:
            analyst.execute("SELECT sqs_sync_wait(%s)", (run,))
        if turn == 1:
            execute(analyst, "changes.sql")
        analyst.execute(CHANGES.format(turn=turn))


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:]))
