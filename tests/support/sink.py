"""The sink: an SQS of the project's own, which counts what it takes and misbehaves as told. It is
benches/sink; its control interface is in src/control.rs there."""

import json
import pathlib
import subprocess
import urllib.request

from support.cluster import MAJOR, ROOT


def program(name, profile="debug"):
    """A Rust program of ours, as make builds it."""
    return ROOT / "target" / f"pg{MAJOR}" / profile / name


class Sink:
    def __init__(self, log, profile="debug", journal=None):
        self.profile = profile
        self.journal = journal
        self.log = pathlib.Path(log)
        self.process = None
        self.endpoint = None

    def start(self, port=0):
        arguments = ["--port", str(port)] + (["--journal", str(self.journal)] if self.journal else [])
        self.process = subprocess.Popen([program("sink", self.profile), *arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.log.open("ab"), text=True)
        greeting = self.process.stdout.readline()
        if not greeting.startswith("listening on "):
            raise AssertionError(f"the sink did not start: {self.log.read_text()}")
        self.endpoint = greeting.split()[-1]
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def start_again(self):
        return self.start(self.endpoint.rsplit(":", 1)[1])

    def queue_url(self, queue):
        return f"{self.endpoint}/000000000000/{queue}"

    def create_queue(self, name, **settings):
        self.ask("POST", "queues", [name])
        self.set(queue=name, **settings)
        return name

    def set(self, queue=None, **settings):
        """Settings of a queue, or of all; None is the default of one."""
        self.ask("POST", "settings" + (f"?queue={queue}" if queue else ""), settings)

    def reset(self):
        """Forgets what it has taken; settings stay."""
        self.ask("POST", "reset")

    def counts(self, queue):
        return self.ask("GET", "counts")["queues"].get(queue)

    def missing(self, queue, first, last):
        """How many of these ids never arrived."""
        return self.ask("GET", f"missing?queue={queue}&from={first}&through={last}")["missing"]

    def ask(self, method, what, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/_sink/{what}", data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
