"""Programs that are measured beside ours, and ours that need no database."""

import json
import subprocess

from support.cluster import ROOT

BASELINES = ROOT / "benches" / "baselines"


def run_program(*command):
    """What a program prints: JSON, a line each."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]
