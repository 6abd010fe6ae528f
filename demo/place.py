"""Where the demo that was left running is, so that the next one or make demo-stop ends it."""

import json
import os
import pathlib
import signal

from support.cluster import MAJOR, ROOT, Cluster
from support.deadline import wait_until

NOTE = pathlib.Path(os.environ.get("DEMO_NOTE", ROOT / ".tools" / "demo.json"))


def remember(cluster, emulator=None):
    NOTE.write_text(json.dumps({"cluster": str(cluster), "emulator": emulator, "major": MAJOR}))


def stop_what_runs():
    if not NOTE.exists():
        return False
    note = json.loads(NOTE.read_text())
    if note["emulator"] and is_emulator(note["emulator"]):
        os.kill(note["emulator"], signal.SIGTERM)
        wait_until(lambda: not is_emulator(note["emulator"]), "the emulator has ended")
    if pathlib.Path(note["cluster"]).exists():
        Cluster(note["major"], directory=note["cluster"]).destroy()
    NOTE.unlink()
    return True


def is_emulator(pid):
    """The number may long be another process's."""
    try:
        return b"ministack" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False
