"""A copy of a server, for what would disturb other tests if it were installed where they all are."""

import pathlib
import shutil
import subprocess
import tempfile

from support.cluster import ROOT


class Installation:
    def __init__(self, server):
        """A cluster with this `server` runs by it."""
        self.server = pathlib.Path(tempfile.mkdtemp(prefix="sqs_server_", dir="/tmp"))
        self.server.chmod(0o755)
        subprocess.run(["cp", "-a", f"{(ROOT / '.tools' / server).resolve()}/.", str(self.server)], check=True)
        share = subprocess.run([self.server / "bin/pg_config", "--sharedir"], check=True, text=True, stdout=subprocess.PIPE).stdout
        self.extensions = pathlib.Path(share.strip()) / "extension"
        assert self.extensions.is_relative_to(self.server)

    def put(self, name, text):
        """A script or control file."""
        (self.extensions / name).write_text(text)

    def remove(self):
        shutil.rmtree(self.server)
