"""Environments and logs: staging to production with one build; a killed instance's log is whole."""

import os
import re
import signal
import time

from stage import must, platform, show, wait_until

with platform() as here:
    folder = here.app("hello")
    here.perron("deploy", str(folder), "-a", "hello", "--create")
    here.perron("env", "create", "staging", "-a", "hello")
    (folder / "news.txt").write_text("tried in staging first\n")
    here.perron("deploy", str(folder), "-a", "hello", "-e", "staging")
    here.perron("deploy", "-a", "hello", "--from-release", "1", "--from-environment", "staging")
    staging = here.json("releases", "-a", "hello", "-e", "staging")[0]
    production = here.json("releases", "-a", "hello")[0]
    must(staging["build"] == production["build"], "staging and production run the same build")
    must(here.status("hello--staging.localhost") == 200, "staging has a URL of its own")

    counting = here.folder / "counting"
    counting.mkdir()
    (counting / "Procfile").write_text("worker: python3 -u count.py\n")
    (counting / "count.py").write_text(
        "import time\nfor n in range(10**9):\n    print('line', n, flush=True)\n"
        "    time.sleep(0.001)\n"
    )
    here.perron("deploy", str(counting), "-a", "counting", "--create")
    time.sleep(1)
    (victim,) = here.instance_pids("count.py")
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: here.instance_pids("count.py") not in ([], [victim]), 20, "it is back")
    page = here.perron("logs", "-a", "counting", "-n", "100000", "--source", "app").stdout
    numbers = [int(n) for n in re.findall(r"line (\d+)", page)]
    first = numbers[: numbers.index(0, 1)] if 0 in numbers[1:] else numbers
    show(f"{len(first)} lines of the killed instance")
    must(first == list(range(len(first))) and len(first) > 100, "none is missing, none doubled")
    ran = here.perron("run", "-a", "hello", "--", "sh", "-c", "echo $PERRON_APP; exit 7",
                      check=False)  # fmt: skip
    must((ran.returncode, ran.stdout.strip()) == (7, "hello"), "run passes output and exit code on")
