"""`make demo` shows what it promises, and `make demo-stop` leaves nothing."""

import json
import os
import pathlib
import subprocess
import sys

from support.cluster import ROOT


def demo(program, note):
    return subprocess.run([sys.executable, ROOT / "demo" / program], check=True, capture_output=True, text=True,
                          env={**os.environ, "DEMO_NOTE": str(note), "PYTHONPATH": str(ROOT / "tests")}).stdout


def test_the_demo_shows_both_runs_and_can_be_stopped(tmp_path):
    note = tmp_path / "demo.json"
    shown = demo("demo.py", note)
    cluster = pathlib.Path(json.loads(note.read_text())["cluster"])
    left_running = cluster.exists()
    demo("stop.py", note)

    assert "3000 messages received" in shown
    assert "4 messages received" in shown
    for words in ("Customer 42, renamed", r"Nora \"The New\" Newton", '"event": "removed"', "succeeded", "psql -h"):
        assert words in shown
    assert left_running and not cluster.exists() and not note.exists()
