"""The MD5s by which SQS says what a message holds: of its body, and of its attributes.

By the Amazon SQS Developer Guide, "Calculating the MD5 message digest for message attributes".
"""

import hashlib
import struct


def of_body(body):
    return hashlib.md5(body.encode()).hexdigest()


def of_attributes(attributes):
    """Of name to (type, value); a value is text or bytes."""
    md5 = hashlib.md5()
    for name, (kind, value) in sorted(attributes.items()):
        is_bytes = isinstance(value, bytes)
        md5.update(with_length(name.encode()) + with_length(kind.encode()))
        md5.update(b"\x02" if is_bytes else b"\x01")
        md5.update(with_length(value if is_bytes else value.encode()))
    return md5.hexdigest()


def with_length(data):
    return struct.pack(">I", len(data)) + data
