"""An HTTP proxy before the emulator that misbehaves as told, while requests go through it."""

import http.client
import http.server
import socket
import threading
import time


class Proxy:
    """Passes requests on until told otherwise: slow, cutting answers, or refusing connections."""

    def __init__(self, upstream_port):
        self.upstream_port = upstream_port
        self.lock = threading.Lock()
        self.requests = 0
        self.delay_seconds = 0.0
        self.seconds_between = 0.0
        self.next_turn = 0.0
        self.cuts_left = 0
        self.cuts = 0
        self.gate = threading.Event()
        self.gate.set()
        self.connections = set()
        self.refusing = threading.Event()
        self.server = None
        self.port = 0
        self.listen()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def pass_on(self):
        with self.lock:
            self.delay_seconds, self.seconds_between, self.next_turn, self.cuts_left = 0.0, 0.0, 0.0, 0
        self.gate.set()
        self.listen()

    def hold(self):
        """What sends messages waits until it is passed on."""
        self.gate.clear()

    def delay(self, milliseconds):
        """Every request waits that long before it is forwarded."""
        self.delay_seconds = milliseconds / 1000

    def throttle(self, requests_a_second):
        """All requests together get through at that rate."""
        self.seconds_between = 1 / requests_a_second

    def cut(self, requests=1_000_000):
        """The next so many SendMessageBatch requests are forwarded and never answered."""
        with self.lock:
            self.cuts_left = requests

    def refuse(self):
        """No one listens any more, what was connected is not, and what waits goes nowhere."""
        self.refusing.set()
        self.gate.set()
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        for connection in list(self.connections):
            connection.close_both_ways()

    def listen(self):
        """On the same port as before, which is what a server option says."""
        if self.server:
            return
        self.refusing = threading.Event()
        self.server = Listener(("127.0.0.1", self.port), Handler)
        self.server.proxy = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.refuse()

    def takes_a_cut(self):
        with self.lock:
            cut = self.cuts_left > 0
            self.cuts_left -= cut
            self.cuts += cut
            return cut

    def gets_its_turn(self):
        """Waits as told, and says whether the request is still to be forwarded."""
        refusing = self.refusing
        with self.lock:
            self.requests += 1
            turn = max(time.monotonic(), self.next_turn)
            self.next_turn = turn + self.seconds_between
        return not refusing.wait(max(0, turn - time.monotonic()) + self.delay_seconds)


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    proxy: Proxy

    def handle_error(self, request, client_address):
        """A client that is killed in the middle of a request is what these tests are about."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.proxy = self.server.proxy
        self.upstream = http.client.HTTPConnection("127.0.0.1", self.proxy.upstream_port)
        self.proxy.connections.add(self)

    def finish(self):
        self.proxy.connections.discard(self)
        self.upstream.close()
        super().finish()

    def close_both_ways(self):
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.proxy.gets_its_turn():
            self.close_connection = True
            return
        sends = self.headers.get("X-Amz-Target", "").endswith(("SendMessageBatch", "SendMessage"))
        if sends:
            self.proxy.gate.wait()
        self.upstream.request("POST", self.path, body, dict(self.headers))
        answer = self.upstream.getresponse()
        content = answer.read()
        if sends and self.proxy.takes_a_cut():
            self.close_connection = True
            self.close_both_ways()
            return
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass
