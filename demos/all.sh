#!/usr/bin/env bash
# All demos, each on a platform of its own; DEMO=short makes each of them brief.
set -euo pipefail
cd "$(dirname "$0")/.."
for demo in demos/demo_*.py; do
  echo "== ${demo#demos/}"
  python "$demo"
done
