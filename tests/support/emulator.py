"""An SQS of our own: MiniStack in a process, and its queues as a consumer sees them."""

import dataclasses
import os
import pathlib
import socket
import subprocess
import sys
import urllib.request

import boto3
import botocore.config

from support.deadline import wait_until

REGION = "us-east-1"


@dataclasses.dataclass(frozen=True)
class Message:
    body: str
    attributes: dict
    """Name to value; a Binary one is bytes."""
    types: dict
    group_id: str | None
    dedup_id: str | None
    sequence: str | None
    """A FIFO queue's own number, which rises with each message."""
    digests: tuple
    """The MD5s of body and attributes, as SQS gives them."""


class Emulator:
    health = "/_ministack/health"

    def __init__(self, log, **settings):
        """`settings` are the emulator's own, such as AUTH: it then checks who may do what."""
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.log = pathlib.Path(log)
        self.settings = settings
        self.process = None

    def start(self):
        # In a session of its own, so that the demo's outlives the terminal's Ctrl-C.
        self.process = subprocess.Popen(self.command(), env={**os.environ, **self.environment()},
                                        stdout=self.log.open("ab"), stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL, start_new_session=True)
        wait_until(self.answers, f"the emulator answers (see {self.log})", 60)
        return self

    def command(self):
        return [program_of_package("ministack")]

    def environment(self):
        return {"GATEWAY_PORT": str(self.port), "BIND_HOST": "127.0.0.1", **self.settings}

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def answers(self):
        try:
            return urllib.request.urlopen(self.endpoint + self.health, timeout=5).status == 200
        except OSError:
            return False

    def client(self, region=REGION, service="sqs", key="test", secret="test", **config):
        """As root of an account: its number is the access key, or "test" for the first one."""
        return boto3.client(service, region_name=region, endpoint_url=self.endpoint,
                            aws_access_key_id=key, aws_secret_access_key=secret,
                            config=botocore.config.Config(max_pool_connections=20, **config))

    def create_queue(self, name, region=REGION, client=None, **attributes):
        client = client or self.client(region)
        if name.endswith(".fifo"):
            attributes["FifoQueue"] = "true"
        url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return Queue(name, url, client)


class Queue:
    def __init__(self, name, url, client):
        self.name, self.url, self.client = name, url, client

    def drain(self):
        """All messages that wait, in the order of receipt, taken out of the queue."""
        messages = []
        while batch := self.receive():
            messages += [as_message(m) for m in batch]
            self.client.delete_message_batch(
                QueueUrl=self.url,
                Entries=[{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]}
                         for i, m in enumerate(batch)])
        return messages

    def receive(self):
        answer = self.client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10,
                                             MessageAttributeNames=["All"], AttributeNames=["All"])
        return answer.get("Messages", [])

    def waiting(self):
        answer = self.client.get_queue_attributes(
            QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def delete(self):
        self.client.delete_queue(QueueUrl=self.url)


def as_message(received):
    own, system = received.get("MessageAttributes", {}), received.get("Attributes", {})
    return Message(
        body=received["Body"],
        attributes={name: a.get("StringValue", a.get("BinaryValue")) for name, a in own.items()},
        types={name: a["DataType"] for name, a in own.items()},
        group_id=system.get("MessageGroupId"),
        dedup_id=system.get("MessageDeduplicationId"),
        sequence=system.get("SequenceNumber"),
        digests=(received["MD5OfBody"], received.get("MD5OfMessageAttributes")))


def program_of_package(name):
    """What a Python package has installed beside the interpreter."""
    return pathlib.Path(sys.executable).with_name(name)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
