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


# What takes longest comes first, so that at the end no worker is left alone with it: make test-server keeps
# xdist from its own order, in which a file of one test of two minutes comes last.
LONGEST = ["test_sink.py", "test_kill.py", "test_attacks_settings.py", "test_attacks_tables.py", "test_demo.py", "test_abuse.py",
           "test_soak.py", "test_memory.py", "test_cron.py", "test_standby.py", "test_attacks_input.py", "test_crash_points.py"]


def pytest_collection_modifyitems(items):
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


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


@pytest.fixture(scope="module")
def lasting_database(preloaded, emulator):
    """One for those tests of a file that leave it as it was, as they do where all is refused."""
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
