"""A private Postgres cluster: its own directory, reached by its own socket only."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import psycopg

from support.deadline import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAJOR = os.environ.get("PG", "15")

DEFAULTS = {
    "listen_addresses": "",
    "max_worker_processes": "20",
    "max_connections": "60",
    "max_prepared_transactions": "5",
    "shared_buffers": "64MB",
    "fsync": "off",
    "log_line_prefix": "%m [%p] %b %d ",
    "timezone": "UTC",
}


def bin_directory(server):
    """Behind the link if there is one: who runs the server may not be able to follow it."""
    return (ROOT / ".tools" / server / "bin").resolve()


def as_server_user(command):
    """A server refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.getuid() == 0 else command


class Cluster:
    def __init__(self, major=MAJOR, directory=None, server=None, environment=None, **settings):
        """`environment`: what the server's own has beside what all have."""
        self.major = major
        self.bin = bin_directory(server or f"pg{major}")
        # Short, since the path of a Unix socket is, and where any user can reach it.
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="sqs_", dir="/tmp"))
        self.data = self.directory / "data"
        self.log = self.directory / "log"
        self.own_environment = environment or {}
        self.settings = {**DEFAULTS, "unix_socket_directories": str(self.directory), **settings}

    def init(self, *options):
        self.own_directory()
        self.run("initdb", "--no-sync", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                 "--locale=C", "-D", self.data, *options)
        self.configure(**self.settings)
        return self

    def init_by_backup(self, primary, *options):
        """As it is, a primary of its own."""
        self.own_directory()
        self.run("pg_basebackup", "--no-sync", "-c", "fast", "-h", primary.directory, "-U", "postgres",
                 "-D", self.data, *options)
        self.configure(**self.settings)
        return self

    def init_by_copy(self, stopped):
        self.own_directory()
        subprocess.run(as_server_user(["cp", "-a", str(stopped.data), str(self.data)]), check=True)
        self.configure(**self.settings)
        return self

    def init_by_upgrade(self, stopped):
        """By pg_upgrade, of a server of an older major."""
        # Which servers from 18 on have by default, and the older one has not.
        self.init(*(["--no-data-checksums"] if int(self.major) >= 18 else []))
        self.run("pg_upgrade", "-U", "postgres", "-b", stopped.bin, "-B", self.bin, "-d", stopped.data, "-D", self.data, cwd=self.directory)
        return self

    def own_directory(self):
        if os.getuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")

    def configure(self, **settings):
        """From the next start on; a later setting wins."""
        with open(self.data / "postgresql.auto.conf", "a") as conf:
            for name, value in settings.items():
                conf.write(f"{name} = '{value}'\n")

    def start(self):
        self.run("pg_ctl", "start", "-w", "-t", "60", "-D", self.data, "-l", self.log,
                 stdout=subprocess.DEVNULL)
        return self

    def stop(self, mode="fast", timeout=60):
        self.run("pg_ctl", "stop", "-w", "-t", str(timeout), "-m", mode, "-D", self.data)

    def restart(self):
        self.stop()
        self.start()

    def kill_postmaster(self):
        """As a crash of the machine would: kill -9, and wait until no child is left, because a
        new server refuses the shared memory that an old one's child still holds."""
        postmaster = self.postmaster_pid()
        os.kill(postmaster, signal.SIGKILL)
        wait_until(lambda: not self.processes() and not os.path.exists(f"/proc/{postmaster}"),
                   "all processes of the killed server are gone", 60)

    def kill_and_await_recovery(self, pid):
        """kill -9 of one process of the server, which then ends all others and recovers."""
        witness = self.connect()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not alive(witness), "the server noticed the killed process", 60)
        wait_until(self.accepts_connections, "the server has recovered", 60)

    def destroy(self):
        if self.processes():
            self.stop("immediate")
        shutil.rmtree(self.directory)

    def postmaster_pid(self):
        try:
            return int((self.data / "postmaster.pid").read_text().split()[0])
        except FileNotFoundError:
            return None

    def processes(self):
        """Every process of this server works in its data directory."""
        found = []
        for process in pathlib.Path("/proc").iterdir():
            try:
                if process.name.isdigit() and os.readlink(process / "cwd") == str(self.data):
                    found.append(int(process.name))
            except OSError:
                continue
        return found

    def accepts_connections(self):
        try:
            self.connect().close()
            return True
        except psycopg.OperationalError:
            return False

    def connect(self, dbname="postgres", user="postgres", **options):
        # psycopg reads dates of its own style only, whatever the server's is.
        return psycopg.connect(host=str(self.directory), dbname=dbname, user=user,
                               autocommit=True, connect_timeout=10,
                               options="-c DateStyle=ISO -c IntervalStyle=postgres", **options)

    def log_tail(self, lines=60):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def psql_line(self, dbname, user):
        return f"{self.bin / 'psql'} -h {self.directory} -U {user} {dbname}"

    def run(self, program, *arguments, check=True, **options):
        """One of Postgres's own programs, as the server's user."""
        command = as_server_user([str(self.bin / program), *map(str, arguments)])
        options = {"stdout": subprocess.PIPE, "cwd": "/", **options}
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, env=self.environment(), **options)
        if check and done.returncode != 0:
            log = self.log_tail() if self.log.exists() else ""
            raise AssertionError(f"{program} failed:\n{done.stdout or ''}{done.stderr}\n{log}")
        return done

    def environment(self):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "AWS_"))}
        return {
            **kept,
            "PGHOST": str(self.directory),
            "PGUSER": "postgres",
            # Without credentials the SDK would ask the address of a cloud's metadata service.
            "AWS_EC2_METADATA_DISABLED": "true",
            # A backtrace in every error's detail drowns the error.
            "RUST_BACKTRACE": "0",
            **self.own_environment,
        }


def alive(connection):
    try:
        connection.execute("SELECT 1")
        return True
    except psycopg.OperationalError:
        return False
