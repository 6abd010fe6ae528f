"""A sync that fails until it is mended, and channels that are told of it."""

from psycopg import sql

from support.database import call
from support.deadline import wait_until
from support.running import fresh_name

SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Watched:
    """A sync whose runs fail until its queue is there, and the channels that are told of it."""

    def __init__(self, database, emulator, items):
        self.database, self.emulator, self.items = database, emulator, items
        items.fill(3)
        self.queue = None
        self.queue_name = fresh_name("queue")
        database.create_sync("items", self.queue_name, model="items", template="1", retry_for="0 seconds")

    def channel(self, name, options, mapping=None, user="PUBLIC"):
        admin = self.database.admin

        def listed(given):
            return sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(k), v) for k, v in given.items())
        admin.execute(sql.SQL("CREATE SERVER {} FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS ({})").format(
            sql.Identifier(name), listed(options)))
        if mapping:
            admin.execute(sql.SQL("CREATE USER MAPPING FOR {} SERVER {} OPTIONS ({})").format(
                sql.SQL(user), sql.Identifier(name), listed(mapping)))
        admin.execute(sql.SQL("GRANT USAGE ON FOREIGN SERVER {} TO analyst").format(sql.Identifier(name)))
        return name

    def webhook(self, receiver, name="hook"):
        return self.channel(name, {"channel": "webhook", "url": receiver.url + "/hook", "internal_network": "true"},
                            {"signing_secret": SIGNING})

    def notify(self):
        return self.channel("here", {"channel": "notify", "name": "told"})

    def alert(self, name, channel, connection=None, **options):
        call(connection or self.database.analyst, "sqs_sync_alert_create", name=name, channel=channel,
             **{"sync": "items", "condition": "run_failed", **options})

    def fail(self):
        run = self.database.run("items")
        assert run.state == "failed", run

    def mend(self):
        self.queue = self.queue or self.emulator.create_queue(self.queue_name)
        run = self.database.run("items")
        assert run.state == "succeeded", run.error

    def state(self, name):
        return self.database.row("SELECT * FROM sqs_sync.alerts WHERE alert = %s", name)

    def deliveries(self, name):
        return self.database.rows("SELECT * FROM sqs_sync.alert_deliveries WHERE alert = %s ORDER BY delivery_id", name)

    def wait_for_delivery(self, name, message, state="delivered", seconds=30):
        return wait_until(lambda: next((d for d in self.deliveries(name) if (d.message, d.state) == (message, state)), None),
                          f"{message} of {name} is {state}: {self.deliveries(name)}", seconds)
