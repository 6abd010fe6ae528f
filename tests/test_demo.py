"""`make demo` shows what it promises, `make demo-stop` leaves nothing, and `make report` a page."""

import json
import os
import pathlib
import subprocess
import sys

from support.cluster import ROOT


def demo(program, note, *arguments):
    return subprocess.run([sys.executable, ROOT / "demo" / program, *arguments], check=True, capture_output=True, text=True,
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


def test_make_report_leaves_a_page_of_the_demos_syncs(tmp_path):
    page = tmp_path / "report.html"
    said = demo("report.py", tmp_path / "demo.json", page)
    assert str(page) in said and not (tmp_path / "demo.json").exists()
    shown = page.read_text()
    for words in ("customers", "invoices", "invalid_character", "regoins", "sqs_sync_resume('leads')", "</html>"):
        assert words in shown
