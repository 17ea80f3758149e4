"""Sends receipts: one line every two seconds."""

import itertools
import sys
import time

for order in itertools.count(88_400, 3):
    sys.stdout.write(f"receipt sent  order={order}  queue={order % 4}\n")
    sys.stdout.flush()
    time.sleep(2)
