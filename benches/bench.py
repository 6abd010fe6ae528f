"""Measures sqs_sync against its baselines: `make bench`, or some suites by `make bench ONLY=diff`."""

import functools
import importlib
import os
import signal
import sys

from harness import machine
from harness.report import Report
from harness.server import SETTINGS, measured_server

SUITES = ("diff", "small", "memory", "publish", "log", "rejections", "render", "report")


def main():
    chosen = sys.argv[1:] or SUITES
    if unknown := set(chosen) - set(SUITES):
        sys.exit(f"no such suite: {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    # For work on the benchmarks themselves: every count of rows and messages times this.
    factor = float(os.environ.get("SCALE", "1"))
    scale = functools.partial(scaled, factor)
    # As an error does, so that no server is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    report = Report()
    with measured_server() as cluster:
        report.title("Measured on")
        for what, is_ in machine.describe(cluster):
            report.say(f"{what:<12} {is_}")
        for name, (value, reason) in SETTINGS.items():
            report.say(f"{'setting':<12} {name} = {value}: {reason}")
        if factor != 1:
            report.say(f"SCALE={factor:g}: sizes are not the usual ones")
        for suite in chosen:
            importlib.import_module(f"suites.{suite}").measure(cluster, report, scale)
    report.finish()


def scaled(factor, count):
    return max(1, int(count * factor))


if __name__ == "__main__":
    main()
