"""An SQS and STS that answer as a test says, and keep who asked what: with which key, and as whose session."""

import dataclasses
import datetime
import hashlib
import http.server
import itertools
import json
import re
import threading
import urllib.parse

ROLE = "arn:aws:iam::123456789012:role/sqs-sync"


@dataclasses.dataclass(frozen=True)
class Asked:
    operation: str
    key: str | None
    """The access key id that it is signed with; None: it is not signed."""
    token: str | None
    at: datetime.datetime
    """When it was signed, as it says."""
    body: dict
    headers: dict = dataclasses.field(compare=False)


class Scripted:
    def __init__(self):
        self.asked, self.lock, self.sessions = [], threading.Lock(), itertools.count(1)
        self.session_seconds = 3600
        self.refuse_sqs = lambda asked: None
        """Gives (status, code) for a request to SQS that is refused."""
        self.refuse_sts = lambda asked: None
        self.headers = {}
        self.clock_is_ahead = datetime.timedelta(0)
        self.words = lambda asked, code: f"No: the token was token1, says {code}."
        """What SQS says of a request that it refuses."""
        self.secret_of = lambda session: f"hush{session}"
        self.token_of = lambda session: f"token{session}"
        self.caller = "arn:aws:iam::111111111111:user/loader"
        handler = type("Handler", (Handler,), {"scripted": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def of(self, *operations):
        with self.lock:
            return [asked for asked in self.asked if asked.operation in operations]

    def sent(self):
        return self.of("SendMessageBatch", "ListQueues", "GetQueueAttributes")

    def keys(self):
        return {asked.key for asked in self.sent()}

    def now(self):
        return datetime.datetime.now(datetime.UTC) + self.clock_is_ahead

    def answer(self, asked):
        with self.lock:
            self.asked.append(asked)
        if asked.operation in ("AssumeRole", "AssumeRoleWithWebIdentity", "GetCallerIdentity"):
            return self.refused(self.refuse_sts(asked), xml) or self.of_sts(asked)
        return self.refused(self.refuse_sqs(asked), lambda code: coded(code, self.words(asked, code))) or (200, json.dumps(of_sqs(asked, self.endpoint)))

    def refused(self, refusal, write):
        return refusal and (refusal[0], write(refusal[1]))

    def of_sts(self, asked):
        if asked.operation == "GetCallerIdentity":
            return 200, (f"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{self.caller}</Arn>"
                         "<UserId>AIDA</UserId><Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
        end = self.now() + datetime.timedelta(seconds=self.session_seconds)
        number = next(self.sessions)
        return 200, (f"<{asked.operation}Response><{asked.operation}Result><Credentials><AccessKeyId>ASIA{number}</AccessKeyId>"
                     f"<SecretAccessKey>{self.secret_of(number)}</SecretAccessKey><SessionToken>{self.token_of(number)}</SessionToken>"
                     f"<Expiration>{end:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>"
                     f"</{asked.operation}Result></{asked.operation}Response>")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        target = self.headers["X-Amz-Target"]
        parsed = json.loads(body) if target else dict(urllib.parse.parse_qsl(body))
        signed_by = re.search(r"Credential=([^/]+)/", self.headers["Authorization"] or "")
        signed_at = self.headers["X-Amz-Date"]
        operation = target.partition(".")[2] if target else parsed["Action"]
        status, answer = self.scripted.answer(Asked(
            operation, signed_by and signed_by[1], self.headers["X-Amz-Security-Token"],
            signed_at and datetime.datetime.strptime(signed_at, "%Y%m%dT%H%M%S%z"), parsed, dict(self.headers)))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(answer.encode())), **self.scripted.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.encode())

    def date_time_string(self, timestamp=None):
        return super().date_time_string(self.scripted.now().timestamp())

    def log_message(self, *_):
        pass


def of_sqs(asked, endpoint):
    if asked.operation == "ListQueues":
        return {"QueueUrls": [f"{endpoint}/123456789012/{asked.body.get('QueueNamePrefix', 'orders')}"]}
    if asked.operation == "GetQueueAttributes":
        return {"Attributes": {"MaximumMessageSize": "262144"}}
    return {"Failed": [], "Successful": [
        {"Id": entry["Id"], "MessageId": entry["Id"], "MD5OfMessageBody": hashlib.md5(entry["MessageBody"].encode()).hexdigest()}
        for entry in asked.body["Entries"]]}


def coded(code, words):
    return json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": words})


def xml(code):
    return f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>No: not by this user.</Message></Error></ErrorResponse>"
