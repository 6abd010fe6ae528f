"""What a user would write in Python instead: rows from a server-side cursor, sent in batches of ten
by boto3 from a pool of threads over connections that are kept. Prints one JSON line."""

import argparse
import concurrent.futures
import itertools
import json
import resource
import threading
import time

import boto3
import botocore.config
import psycopg
from psycopg.rows import dict_row

READ_AT_ONCE = 2000
BATCH = 10


def main():
    options = parsed()
    sender = Sender(options.endpoint, options.queue_url, options.threads)
    begun, used_before = time.perf_counter(), cpu_seconds()
    with psycopg.connect(options.dsn) as connection, connection.cursor("rows", row_factory=dict_row) as rows:
        rows.itersize = READ_AT_ONCE
        rows.execute(options.query)
        for batch in in_batches(rows):
            sender.submit(batch)
        sent = sender.finish()
    seconds = time.perf_counter() - begun
    print(json.dumps({"messages": sent, "seconds": seconds, "cpu_seconds": cpu_seconds() - used_before}))


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Sender:
    def __init__(self, endpoint, queue_url, threads):
        self.queue_url = queue_url
        # Signing is needed; checking its own requests is not, and costs a tenth.
        config = botocore.config.Config(max_pool_connections=threads, tcp_keepalive=True,
                                        parameter_validation=False)
        self.sqs = boto3.client("sqs", region_name="us-east-1", endpoint_url=endpoint, config=config,
                                aws_access_key_id="test", aws_secret_access_key="test")
        self.pool = concurrent.futures.ThreadPoolExecutor(threads)
        # What is read and not sent is bounded: a batch for each thread, and as many that wait.
        self.room = threading.Semaphore(2 * threads)
        self.sent = []

    def submit(self, rows):
        self.room.acquire()
        self.sent.append(self.pool.submit(self.send, rows))

    def send(self, rows):
        try:
            entries = [{"Id": str(i), "MessageBody": json.dumps(row, default=str)} for i, row in enumerate(rows)]
            while entries:
                answer = self.sqs.send_message_batch(QueueUrl=self.queue_url, Entries=entries)
                failed = {entry["Id"] for entry in answer.get("Failed", ())}
                entries = [entry for entry in entries if entry["Id"] in failed]
            return len(rows)
        finally:
            self.room.release()

    def finish(self):
        return sum(future.result() for future in self.sent)


def in_batches(rows):
    rows = iter(rows)
    while batch := list(itertools.islice(rows, BATCH)):
        yield batch


def parsed():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--query", required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--queue-url", required=True)
    parser.add_argument("--threads", type=int, default=16)
    return parser.parse_args()


if __name__ == "__main__":
    main()
