#!/usr/bin/env bash
# make demo: a platform with the examples on it. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=$(python -c '
import os
from perron import agent
bwrap = os.environ.get("PERRON_BWRAP", "")
print(agent.what_is_missing(bwrap) if agent.tier(bwrap) == "C" else "")')
if [ -n "$missing" ]; then
  echo "No sandbox here, so these apps run as trusted ones: $missing" >&2
  perron up --trusted
else
  perron up
fi
for folder in examples/*/; do
  name=$(basename "$folder")
  echo >&2
  perron deploy "$folder" --app "$name" --create >/dev/null
done
echo >&2
perron apps
port=$(perrond platform settings | python3 -c 'import json,sys; print(json.load(sys.stdin)["http_port"])')
[ "$port" = 80 ] && suffix="" || suffix=":$port"
cat >&2 <<END

Open   http://hello.localhost$suffix/            in a browser, or
       curl -H 'Host: hello.localhost' http://127.0.0.1:$port/
Try    export PATH="$PWD/.venv/bin:\$PATH"
       perron logs -a hello -f
       perron scale -a hello web=3
       perron releases -a hello
       perron doctor
Stop   perron down --apps
END
