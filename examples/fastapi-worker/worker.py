"""Beats once every ten seconds, and ends at once when the platform says so."""

import os
import signal
import threading

stopped = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stopped.set())
beats = 0
while True:
    beats += 1
    print(f"beat {beats} of {os.environ.get('PERRON_INSTANCE', 'worker')}", flush=True)
    if stopped.wait(10):
        break
print("goodbye", flush=True)
