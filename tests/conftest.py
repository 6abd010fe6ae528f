import pytest

from support.cluster import MAJOR
from support.database import create_database, drop_database
from support.emulator import Emulator
from support.items import Items
from support.proxy import Proxy
from support.receiver import MailServer, Receiver
from support.running import clusters, destroy, fresh_name, started_cluster
from support.watched import Watched

# pg_cron comes from Debian, for its own major only.
collect_ignore = [] if MAJOR == "15" else ["test_cron.py"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for cluster in clusters:
            if cluster.log.exists():
                report.sections.append((f"log of {cluster.directory}", cluster.log_tail()))
    return report


@pytest.fixture(scope="session")
def emulator(tmp_path_factory):
    emulator = Emulator(tmp_path_factory.mktemp("emulator") / "log").start()
    yield emulator
    emulator.stop()


@pytest.fixture(scope="session")
def preloaded():
    cluster = started_cluster(shared_preload_libraries="sqs_sync")
    yield cluster
    destroy(cluster)


@pytest.fixture(scope="session")
def durable():
    """For crashes: here an acknowledged commit is on the disk."""
    cluster = started_cluster(shared_preload_libraries="sqs_sync", fsync="on")
    yield cluster
    destroy(cluster)


@pytest.fixture
def database(preloaded, emulator):
    database = create_database(preloaded, fresh_name("db"), emulator.endpoint)
    yield database
    drop_database(database)


@pytest.fixture
def durable_database(durable, emulator):
    database = create_database(durable, fresh_name("db"), emulator.endpoint)
    yield database
    drop_database(database)


@pytest.fixture
def queue(emulator):
    queue = emulator.create_queue(fresh_name("queue"))
    yield queue
    queue.delete()


@pytest.fixture
def fifo(emulator):
    queue = emulator.create_queue(fresh_name("queue") + ".fifo")
    yield queue
    queue.delete()


@pytest.fixture
def proxy(emulator):
    proxy = Proxy(emulator.port)
    yield proxy
    proxy.stop()


@pytest.fixture
def items(database):
    return Items(database.analyst).create()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def mail():
    mail = MailServer()
    yield mail
    mail.stop()


@pytest.fixture
def watched(database, emulator, items):
    return Watched(database, emulator, items)
