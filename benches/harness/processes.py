"""CPU time of the server's processes, the runner by its threads, and of others."""

import os
import threading

TICKS = os.sysconf("SC_CLK_TCK")
# Seldom enough not to take time from what is measured.
EVERY = 0.1

ROLES = {
    "sqs_sync runner": "runner",
    "parallel worker": "parallel workers",
    "walwriter": "walwriter",
    "checkpointer": "checkpointer and background writer",
    "background writer": "checkpointer and background writer",
    "autovacuum": "autovacuum",
}


class Watch:
    """While it is entered, looks at what each process has used, so that nothing is missed of one
    that ends but the last moment."""

    def __init__(self, cluster, **others):
        """Pids of others, by their names."""
        self.cluster, self.others = cluster, others
        self.used, self.before, self.at_mark = {}, {}, {}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.go_on, daemon=True)

    def __enter__(self):
        self.look()
        self.before = dict(self.used)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.look()

    def mark(self):
        """From here on `since_mark` counts."""
        self.look()
        self.at_mark = dict(self.used)

    def seconds(self):
        return self.by_role(self.before)

    def since_mark(self):
        return self.by_role({**self.before, **self.at_mark})

    def by_role(self, before):
        sums = {}
        for (role, *thread), ticks in self.used.items():
            used = (ticks - before.get((role, *thread), 0)) / TICKS
            sums[role] = sums.get(role, 0) + used
        return sums

    def go_on(self):
        while not self.over.wait(EVERY):
            self.look()

    def look(self):
        for name, pid in self.others.items():
            self.look_at(pid, name)
        for pid in self.cluster.processes():
            if role := role_of(pid):
                self.look_at(pid, role)

    def look_at(self, pid, role):
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                name, ticks = read_thread(pid, thread)
                own = f"{role}, {thread_role(pid, thread, name)}" if role == "runner" else role
                self.used[own, pid, thread] = ticks
        except (FileNotFoundError, ProcessLookupError):
            pass


def read_thread(pid, thread):
    with open(f"/proc/{pid}/task/{thread}/stat") as stat:
        before, _, fields = stat.read().rpartition(")")
    fields = fields.split()
    # User and system time: proc(5), fields 14 and 15; here counting begins at field 3.
    return before.partition("(")[2], int(fields[11]) + int(fields[12])


def thread_role(pid, thread, name):
    if int(thread) == pid:
        return "its own thread"
    return "publisher's thread" if name.startswith("sqs_sync pub") else "other threads"


def role_of(pid):
    """None of a process that is ending, or has ended."""
    try:
        with open(f"/proc/{pid}/cmdline") as cmdline:
            title = cmdline.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return title and next((role for part, role in ROLES.items() if part in title), "other backends")
