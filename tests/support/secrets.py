"""Secrets, and where they are found: as they are, and as what is made of them on the way."""

import base64
import json
import subprocess
import tempfile
import urllib.parse


class Secrets(dict):
    """By name."""

    def add_headers(self, headers):
        """Of a request: its session's token, and its signature."""
        for name, value in headers.items():
            if name.lower() in ("authorization", "x-amz-security-token"):
                value = value.rpartition("Signature=")[2]
                self[f"{name} {value[:6]}…"] = value

    def found_in(self, text):
        """Which of them are in a text."""
        return sorted({self.named(match) for match in self.grep("-h", "-", input=text.encode())})

    def found_below(self, *paths, but=()):
        """Which of them are in which file, WAL aside."""
        found = [line.split(b"\0", 1) for line in self.grep("-rHZ", "--exclude-dir=pg_wal", *map(str, paths))]
        return sorted({(path.decode(), self.named(match)) for path, match in found if path.decode() not in but})

    def grep(self, *arguments, input=b""):
        with tempfile.NamedTemporaryFile() as patterns:
            patterns.write(b"\n".join(form for secret in self.values() for form in forms(secret)))
            patterns.flush()
            done = subprocess.run(["grep", "-aoFf", patterns.name, *arguments], input=input, capture_output=True, check=False)
        # A file may be gone meanwhile, and a socket cannot be read.
        assert done.returncode < 2 or b"No such" in done.stderr, done.stderr
        return done.stdout.splitlines()

    def named(self, match):
        return next(name for name, secret in self.items() if match in forms(secret))


def forms(secret):
    plain = secret.encode()
    found = {plain, plain[::-1], plain.hex().encode(), plain.hex().upper().encode(), json.dumps(secret)[1:-1].encode(),
             urllib.parse.quote(secret, safe="").encode(), urllib.parse.quote(secret, safe="").lower().encode()}
    # Wherever it begins in what is encoded: what depends on its neighbours is cut off.
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + plain)
        whole = encoded[-(-before * 8 // 6):(before + len(plain)) * 8 // 6]
        found |= {whole, whole.translate(bytes.maketrans(b"+/", b"-_"))}
    return found
