"""Shows a view's rows, and then their changes, arrive in an SQS queue."""

import json
import pathlib
import re
import sys

import place
from support.cluster import Cluster
from support.emulator import Emulator

HERE = pathlib.Path(__file__).parent
SAMPLE = 5


def main():
    place.stop_what_runs()
    cluster, emulator = start()
    queue = emulator.create_queue("customers")
    dba, analyst = open_shop(cluster)

    show(analyst, "schema.sql")
    show(dba, "connection.sql", endpoint=emulator.endpoint)
    show(analyst, "sync.sql")
    run(analyst, queue, "The first run sends every row.")
    show(analyst, "changes.sql")
    run(analyst, queue, "The second run sends what changed.")
    say_goodbye(cluster)


def start():
    title("Starting a Postgres server and an emulated SQS of the demo's own")
    cluster = Cluster(shared_preload_libraries="sqs_sync")
    place.remember(cluster=cluster.directory)
    cluster.init().start()
    emulator = Emulator(cluster.directory / "emulator.log").start()
    place.remember(cluster=cluster.directory, emulator=emulator.process.pid)
    return cluster, emulator


def open_shop(cluster):
    with cluster.connect() as postgres:
        postgres.execute("CREATE ROLE analyst LOGIN")
        postgres.execute("CREATE DATABASE shop")
    dba = cluster.connect("shop")
    dba.execute("GRANT CREATE ON SCHEMA public TO analyst")
    analyst = cluster.connect("shop", "analyst")
    analyst.add_notice_handler(lambda notice: print(f"{notice.severity}:  {notice.message_primary}"))
    return dba, analyst


def run(analyst, queue, what):
    title(what)
    call = "CALL sqs_sync_run_and_wait('customers');"
    print(call)
    analyst.execute(call)
    show_row(analyst, """
SELECT run_id, state, rows_added, rows_changed, rows_removed, published, finished_at - started_at AS took
FROM sqs_sync.runs ORDER BY run_id DESC LIMIT 1;""")
    show_messages(queue.drain())


def show_messages(messages):
    print(f"\n{len(messages)} messages received from the queue, for example:")
    for message in messages[:SAMPLE]:
        print(f"  {json.dumps(message.attributes)}  {message.body}")


def show(connection, file, **values):
    """Prints a file's statements one by one as they are executed."""
    comment, all_of_it = statements(file, **values)
    title(comment)
    for statement in all_of_it:
        print(statement)
        connection.execute(statement)


def statements(file, **values):
    """The comment at a file's head, and its statements with these values in them."""
    comment, text = re.match(r"-- (.*?)\n(.*)", (HERE / file).read_text(), re.DOTALL).groups()
    for name, value in values.items():
        text = text.replace(f":{name}", value)
    return comment, re.split(r"(?<=;)\n", text.strip())


def show_row(connection, query):
    print(query)
    cursor = connection.execute(query)
    for column, value in zip(cursor.description, cursor.fetchone()):
        print(f"  {column.name:13} {value}")


def title(text):
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def say_goodbye(cluster):
    title("The server and the emulator are left running. Go on playing:")
    print(f"  {cluster.psql_line('shop', 'analyst')}")
    print("Stop them and remove their files by:\n  make demo-stop")


if __name__ == "__main__":
    main()
