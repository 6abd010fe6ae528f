"""What the kernel tells of a process."""

import threading


def anonymous_kb(pid):
    """Memory that is the process's own: not the shared buffers. 0 once it has ended."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("RssAnon")), 0)
    except (FileNotFoundError, ProcessLookupError):
        return 0


class Peak:
    """The most memory that any of some processes has had while the block ran: `pids` gives them."""

    def __init__(self, pids):
        self.pids, self.kb, self.over = pids, 0, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.over.wait(0.005):
            self.kb = max([self.kb, *map(anonymous_kb, self.pids())])

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
