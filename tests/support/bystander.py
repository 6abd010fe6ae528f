"""Sessions that have nothing to do with what goes on: one that is idle, and one that asks something all the time."""

import threading
import time

import psycopg


class Bystander:
    """`with Bystander(database):` fails if the server, or one of the two, did not get through what went on inside, or if
    one was kept waiting."""

    def __init__(self, database, patience=10):
        self.database, self.patience = database, patience

    def __enter__(self):
        self.idle, self.asking = (self.database.connection_of("other") for _ in range(2))
        self.before = self.database.cluster.postmaster_pid(), self.idle.info.backend_pid
        self.longest, self.over = 0, threading.Event()
        self.thread = threading.Thread(target=self.ask)
        self.thread.start()
        return self

    def ask(self):
        while not self.over.wait(0.02):
            began = time.monotonic()
            try:
                self.asking.execute("SELECT count(*) FROM pg_class")
            except psycopg.OperationalError:
                self.longest = float("inf")
                return
            self.longest = max(self.longest, time.monotonic() - began)

    def __exit__(self, kind, *_):
        self.over.set()
        self.thread.join()
        if kind is None:
            pid = self.idle.execute("SELECT pg_backend_pid()").fetchone()[0]
            assert (self.database.cluster.postmaster_pid(), pid) == self.before
            assert self.longest < self.patience, f"another session waited for {self.longest:.1f} s"
        self.idle.close()
        self.asking.close()
