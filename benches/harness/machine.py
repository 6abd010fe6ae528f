"""What a figure was measured on: printed above it, since it means little without."""

import os
import pathlib
import platform
import subprocess
from importlib.metadata import version

from support.cluster import ROOT


def memory_gb():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def describe(cluster):
    with cluster.connect() as postgres:
        server = postgres.execute("SELECT version()").fetchone()[0]
    return [
        ("commit", commit()),
        ("machine", f"{os.cpu_count()} CPUs ({cpu()}), {memory_gb():.0f} GB of memory"),
        ("kernel", platform.release()),
        ("load before", " ".join(f"{load:.2f}" for load in os.getloadavg())),
        ("server", server),
        ("compiler", output("rustc", "--version")),
        ("python", f"{platform.python_version()}, psycopg {version('psycopg')}, boto3 {version('boto3')}"),
        ("node", output("node", "--version")),
    ]


def commit():
    changed = output("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no")
    return output("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD") + (" and changes" if changed else "")


def cpu():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def output(*command):
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return f"no {command[0]}"
