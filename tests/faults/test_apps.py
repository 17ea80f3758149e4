"""Apps that behave badly: they end with a reason in words, and nobody beside them notices."""

import os
import re
import signal

import pytest

from tools.rig.audit import settle
from tools.rig.moments import rows
from tools.rig.platform import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]
SERVE = (
    "import http.server, os\n"
    "class Answer(http.server.BaseHTTPRequestHandler):\n"
    "    def do_GET(self):\n"
    "        self.send_response(STATUS); self.send_header('Content-Length', '0')\n"
    "        self.end_headers()\n"
    "    def log_message(self, *_): pass\n"
    "http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), Answer)"
    ".serve_forever()\n"
)
STUBBORN = (
    "import os, signal\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "for _ in range(2):\n"
    "    if os.fork() == 0:\n"
    "        os.setsid()\n"
    "        if os.fork() == 0:\n"
    "            os.execvp('sleep', ['sleep', '4242'])\n"
    "        os._exit(0)\n" + SERVE.replace("STATUS", "200")
)
COUNTING = "n = 0\nwhile True:\n    print('line', n, flush=True)\n    n += 1\n"


@pytest.fixture(scope="module")
def neighbour(here):
    here.perron("deploy", str(here.app("hello")), "-a", "hello", "--create")
    settle(here)


@pytest.fixture
def made(here):
    """Write an app down: a Procfile, a program, and what perron.toml says."""

    def make(name, program, *, process="web", toml="", command="python3 -u main.py"):
        folder = here.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "Procfile").write_text(f"{process}: {command}\n")
        (folder / "main.py").write_text(program)
        (folder / "perron.toml").write_text(toml)
        return str(folder)

    return make


def instance(here, app):
    return here.json("ps", "-a", app)[0]


def exit_of(here, app):
    return instance(here, app)["last_exit"] or ""


def processes(here):
    return {pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _is(pid, b"4242")}


def _is(pid, words):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return words in file.read()
    except OSError:
        return False


def test_an_app_that_ignores_term_and_daemonises_leaves_nothing(here, neighbour, made):
    before = processes(here)
    folder = made("stubborn", STUBBORN, toml="[process.web]\nstop_timeout = 1\n")
    here.perron("deploy", folder, "-a", "stubborn", "--create")
    assert len(processes(here) - before) == 2
    here.perron("stop", "-a", "stubborn")
    wait_until(lambda: not processes(here) - before, 20, "its daemons are gone too")
    here.perron("apps", "destroy", "stubborn", "--yes", "stubborn")
    settle(here)


@pytest.mark.parametrize(
    ("name", "program", "why"),
    [
        ("mute", "import time\nprint('I never listen')\ntime.sleep(600)\n", "never listen"),
        ("ill", SERVE.replace("STATUS", "500"), "500"),
        ("brief", "print('I end at once')\nraise SystemExit(3)\n", "I end at once"),
    ],
)
def test_an_app_that_never_becomes_well_is_refused_with_the_reason(
    here, neighbour, made, name, program, why
):
    folder = made(name, program, toml="[process.web.health]\ndeadline = 4\n")
    refused = here.perron("deploy", folder, "-a", name, "--create", check=False)
    assert refused.returncode == 1
    assert why in refused.stderr, refused.stderr
    assert here.status("hello.localhost") == 200
    here.perron("apps", "destroy", name, "--yes", name)
    settle(here)


def test_a_memory_hog_is_ended_and_ps_says_why(here, neighbour, made):
    hog = (
        "held = []\nimport time\ntime.sleep(4)\nwhile True:\n    held.append(bytearray(8 << 20))\n"
    )
    folder = made("hog", hog, process="worker", toml='[process.worker]\nmemory = "64M"\n')
    here.perron("deploy", folder, "-a", "hog", "--create")
    wait_until(lambda: "memory" in exit_of(here, "hog"), 40, "ps says that memory ran out")
    assert "memory" in here.perron("ps", "-a", "hog").stdout
    assert here.status("hello.localhost") == 200
    here.perron("apps", "destroy", "hog", "--yes", "hog")
    settle(here)


def test_a_fork_bomb_is_bounded_and_the_neighbour_serves(here, neighbour, made):
    bomb = (
        "import os, time\ntime.sleep(4)\n"
        "while True:\n"
        "    try:\n        os.fork()\n"
        "    except OSError:\n        time.sleep(0.2)\n"
    )
    folder = made("bomb", bomb, process="worker")
    here.perron("deploy", folder, "-a", "bomb", "--create")
    (uid,) = rows(here, "node", "SELECT uid FROM uid WHERE environment = ?", place(here, "bomb"))[0]
    wait_until(lambda: owned(uid) > 100, 60, "it forks")
    for _ in range(30):
        assert here.status("hello.localhost") == 200
        assert owned(uid) <= 260
    here.perron("apps", "destroy", "bomb", "--yes", "bomb")
    wait_until(lambda: owned(uid) == 0, 20)
    settle(here)


def place(here, app):
    query = "SELECT e.id FROM environment e JOIN app a ON a.id = e.app WHERE a.name = ?"
    return rows(here, "perron", query, app)[0][0]


def owned(uid):
    count = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                count += entry.stat().st_uid == uid
            except OSError:
                continue
    return count


def test_every_line_of_a_killed_instance_is_kept(here, neighbour, made):
    folder = made("counting", COUNTING.replace("    n +=", "    time.sleep(0.0005)\n    n +=")
                  .replace("n = 0", "import time\nn = 0"), process="worker")  # fmt: skip
    here.perron("deploy", folder, "-a", "counting", "--create")
    for _ in range(2):
        here.kill("agent")  # lines are written whether somebody reads them or not
        (victim,) = wait_until(lambda: here.instance_pids("main.py"), 20)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda gone=victim: here.instance_pids("main.py") not in ([], [gone]), 30)
    here.perron("stop", "-a", "counting")
    page = here.perron("logs", "-a", "counting", "-n", "200000", "--source", "app").stdout
    numbers = [int(n) for n in re.findall(r"line (\d+)", page)]
    starts = [at for at, n in enumerate(numbers) if n == 0]
    assert len(starts) == 3
    for begin, end in zip(starts, [*starts[1:], len(numbers)], strict=True):
        assert numbers[begin:end] == list(range(end - begin))
    assert starts[1] > 100, "the first was killed in full flow"
    here.perron("apps", "destroy", "counting", "--yes", "counting")
    settle(here)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_flood_of_a_million_lines_drops_nothing_unseen(here, neighbour, made):
    flood = (
        "import time\nfor n in range(1000000):\n    print('line', n)\n"
        "print('end', flush=True)\ntime.sleep(600)\n"
    )
    folder = made("flood", flood, process="worker", command="python3 main.py")
    here.perron("deploy", folder, "-a", "flood", "--create")

    def has_ended():
        said = here.perron("logs", "-a", "flood", "-n", "5", "--source", "app", check=False).stdout
        return re.search(r"\bend\b", said)

    wait_until(has_ended, 120, "the last line was read")
    assert here.status("hello.localhost") == 200
    page = here.perron("logs", "-a", "flood", "-n", "1000100", "--source", "app", timeout=200)
    kept = len(re.findall(r"line \d+", page.stdout))
    dropped = sum(int(n.replace(",", "")) for n in re.findall(r"([\d,]+) lines dropped",
                                                             page.stdout))  # fmt: skip
    assert kept + dropped == 1_000_000, (kept, dropped)
    here.perron("apps", "destroy", "flood", "--yes", "flood")
    settle(here)
