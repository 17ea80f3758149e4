"""An app that never answers: it says why, and gives up."""

import sys

print("reading the session store …", flush=True)
print("Error: connect ENOENT /run/sessions.sock", flush=True)
sys.exit("Session store gave up, exiting")
