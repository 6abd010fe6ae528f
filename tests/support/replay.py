"""A consumer that ends with the model's rows, whatever the order and number of deliveries."""

import json
import random
from decimal import Decimal


class Replay:
    """Applies a message only when its change id is above the last one of its key. `needless` counts those
    that told, as a change of its own, what had been told, and `late` those that came after a later one."""

    def __init__(self):
        self.rows = {}
        self.last = {}
        self.received = 0
        self.needless = 0
        self.late = 0
        self.seen = set()

    def apply(self, messages):
        for message in messages:
            key = message.attributes["key"]
            change_id = int(message.attributes["change_id"])
            self.received += 1
            is_new = change_id not in self.seen
            self.seen.add(change_id)
            if change_id <= self.last.get(key, 0):
                self.late += is_new
                continue
            self.last[key] = change_id
            before = self.rows.pop(key, None)
            if message.attributes["event"] != "removed":
                self.rows[key] = parse(message.body)
            self.needless += self.rows.get(key) == before
        return self

    @property
    def duplicates(self):
        return self.received - len(self.seen)


def parse(text):
    """JSON with numbers kept digit by digit."""
    return json.loads(text, parse_float=Decimal)


def shuffled_and_partly_doubled(messages, seed):
    """As a standard queue may deliver."""
    chance = random.Random(seed)
    delivered = messages + chance.sample(messages, len(messages) // 3)
    chance.shuffle(delivered)
    return delivered
