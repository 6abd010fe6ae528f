"""Databases whose syncs come to SQS by keys, in a role, or as the server itself. A file of tests imports the
fixtures, of which `database` stands for the one that others have."""

import pathlib
import shutil

import pytest
from psycopg import sql

from support.database import create_database, drop_database
from support.emulator import Emulator
from support.running import destroy, fresh_name, started_cluster
from support.scripted import ROLE, Scripted

KEYS = {"access_key_id": "AKIAMAPPING", "secret_access_key": "hush-mapping"}
EXTERNAL_ID = "x7Qm-3kT9"
IN_ROLE = {**KEYS, "role_arn": ROLE, "external_id": EXTERNAL_ID}
LENT = {"ambient_credentials": {"ambient_credentials": "true"}, "profile": {"profile": "reporting"},
        "web_identity_token_file": {"web_identity_token_file": "/nowhere/token", "role_arn": ROLE}}


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    """Checks signatures, session tokens, policies and external ids."""
    emulator = Emulator(tmp_path_factory.mktemp("guarded") / "log", AUTH="true").start()
    yield emulator
    emulator.stop()


@pytest.fixture
def peer():
    peer = Scripted()
    yield peer
    peer.stop()


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A server whose machine has credentials of its own, in its environment and its user's files."""
    home = pathlib.Path("/tmp") / fresh_name("sqs_home")
    (home / ".aws").mkdir(parents=True)
    (home / ".aws/credentials").write_text(
        "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = hush-default\n"
        "[reporting]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = hush-profile\n")
    (home / "token").write_text("the.web.token\n")
    cluster = started_cluster(shared_preload_libraries="sqs_sync", environment={
        "AWS_SHARED_CREDENTIALS_FILE": str(home / ".aws/credentials"), "AWS_ACCESS_KEY_ID": "AKIASERVER", "AWS_SECRET_ACCESS_KEY": "hush-server",
        "AWS_SESSION_TOKEN": "token-server", "AWS_PROFILE": "reporting", "AWS_REGION": "eu-north-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9", "AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": str(home / "token")})
    cluster.home = home
    yield cluster
    destroy(cluster)
    shutil.rmtree(home)


@pytest.fixture
def database(preloaded, peer):
    yield from reaching(preloaded, peer)


@pytest.fixture
def on_own(own, peer):
    yield from reaching(own, peer)


def reaching(cluster, peer):
    database = create_database(cluster, fresh_name("db"), peer.endpoint)
    database.admin.execute(sql.SQL("ALTER SERVER sqs OPTIONS (ADD sts_endpoint_url {})").format(peer.endpoint))
    database.analyst.execute("CREATE TABLE orders AS SELECT i AS id FROM generate_series(1, 300) i")
    yield database
    drop_database(database)


def options_of(options):
    return sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(name), value) for name, value in options.items())


def come_as(database, options, connection=None):
    connection = connection or database.admin
    connection.execute("DROP USER MAPPING IF EXISTS FOR analyst SERVER sqs")
    connection.execute(sql.SQL("CREATE USER MAPPING FOR analyst SERVER sqs OPTIONS ({})").format(options_of(options)))


def create(database, name="orders", queue="orders", **options):
    database.create_sync(name, queue, model="SELECT * FROM orders", attributes={}, fields='["id"]', **{"retry_for": "20 seconds", **options})
    return name
