"""Waiting for a condition, never for a fixed time."""

import time


def wait_until(condition, what, seconds=30, every=0.02):
    """Returns the first truthy result of `condition`, or fails after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s still not so: {what}")
        time.sleep(every)
