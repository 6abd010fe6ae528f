"""The SQL surface as DBA and analyst meet it in psql: sessions that Postgres's own pg_regress runs, and what they must show."""

import pathlib
import subprocess

import pytest

from support.cluster import ROOT

SUITE = ROOT / "tests" / "regress"
# In their order: what one has made, the next ones use.
SESSIONS = ["server", "create", "alter", "look", "run", "alerts", "settings", "views", "rights"]
QUEUES = ["book-orders", "book-gone", "kept.fifo"]
DATABASE = "regression"


@pytest.fixture
def an_empty_database(preloaded):
    with preloaded.connect() as postgres:
        postgres.execute(f"CREATE DATABASE {DATABASE}")
        yield
        postgres.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest.fixture
def queues(emulator):
    queues = [emulator.create_queue(name) for name in QUEUES]
    yield
    for queue in queues:
        queue.delete()


def pg_regress(cluster):
    """It comes with what extensions are built with, beside the makefile."""
    makefile = pathlib.Path(cluster.run("pg_config", "--pgxs").stdout.strip())
    return makefile.parents[1] / "test" / "regress" / "pg_regress"


@pytest.mark.e2e
@pytest.mark.usefixtures("an_empty_database", "queues")
def test_sessions_in_psql_show_what_is_expected(preloaded, emulator):
    differences = SUITE / "regression.diffs"
    differences.unlink(missing_ok=True)
    done = subprocess.run(
        [pg_regress(preloaded), "--use-existing", f"--dbname={DATABASE}", f"--host={preloaded.directory}", "--user=postgres",
         f"--bindir={preloaded.bin}", f"--inputdir={SUITE}", f"--outputdir={SUITE}", *SESSIONS],
        env={**preloaded.environment(), "SQS_ENDPOINT": emulator.endpoint}, text=True, capture_output=True)
    what_differs = differences.read_text() if differences.exists() else ""
    assert done.returncode == 0, done.stdout + done.stderr + what_differs


def test_every_session_is_run():
    assert sorted(SESSIONS) == sorted(file.stem for file in (SUITE / "sql").glob("*.sql"))
