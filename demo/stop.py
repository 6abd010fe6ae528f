"""Stops the demo's server and emulator, and removes their files."""

import place

if place.stop_what_runs():
    print("the demo's server and emulator are stopped")
