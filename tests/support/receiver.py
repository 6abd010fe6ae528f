"""The peers that alerts are told to: an HTTP receiver that answers as it is told, and a mail server."""

import base64
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import threading

from aiosmtpd.controller import Controller

from support.emulator import free_port


class Receiver:
    """Keeps what is posted to it. `answers` are (status, body) for the next posts, after which it is 200 and ok, or what
    `otherwise` gives for the post; while `held`, a post is not answered."""

    def __init__(self):
        self.posts, self.answers, self.held = [], [], threading.Event()
        self.otherwise = lambda post: (200, "ok")
        self.go_on = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                post = Post(self.path, dict(self.headers), body)
                receiver.posts.append(post)
                if receiver.held.is_set():
                    receiver.go_on.wait(60)
                status, text = receiver.answers.pop(0) if receiver.answers else receiver.otherwise(post)
                try:
                    self.send_response(status)
                    self.end_headers()
                    self.wfile.write(text.encode())
                except OSError:
                    pass  # it was not awaited

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def hold(self):
        self.go_on.clear()
        self.held.set()

    def release(self):
        self.held.clear()
        self.go_on.set()

    def stop(self):
        self.release()
        self.server.shutdown()
        self.server.server_close()

    def types(self):
        return [post.json["type"].removeprefix("alert.") for post in self.posts]


class Post:
    def __init__(self, path, headers, body):
        self.path, self.body = path, body
        self.headers = {name.lower(): value for name, value in headers.items()}

    @property
    def json(self):
        return json.loads(self.body)

    def is_signed_by(self, secret):
        """As Standard Webhooks has it."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = b".".join([self.headers["webhook-id"].encode(), self.headers["webhook-timestamp"].encode(), self.body])
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return hmac.compare_digest(expected, self.headers["webhook-signature"])


class MailServer:
    def __init__(self):
        self.mails = []
        self.port = free_port()
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    async def handle_DATA(self, _server, _session, envelope):
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 taken"

    def stop(self):
        self.controller.stop()
