"""Every machine: first light as an ordinary user, and on Debian's own kernel with systemd."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from stage import IS_SHORT, ROOT, must, show

if TYPE_CHECKING:
    from tools.vm import Machine

UID = "171302"
LONG = 1800.0  # seconds: emulation is slow, and slower beside others
# What an ordinary user types: a platform, an app, a look at it, and nothing left of it.
STORY = """
set -e
export HOME={home} PERRON_HOME={home}/p PATH={bin}:$PATH PYTHONDONTWRITEBYTECODE=1
cd {home}
perron up
perron deploy {root}/examples/hello --create
port=$({python} -c 'import json; print(json.load(open("{home}/p/settings.json"))["http_port"])')
curl -s -o /dev/null -w 'visitors get %{{http_code}}\\n' -H 'Host: hello.localhost' \
  http://127.0.0.1:$port/
perron doctor || true
perron platform destroy --yes p
"""


def as_user() -> None:
    """Show first light as somebody who is not root."""
    home = Path(tempfile.mkdtemp(prefix="pr", dir="/tmp"))
    copy = home / "perron"
    try:
        python = _installed(copy) if os.getuid() == 0 else Path(sys.executable)
        root = copy if os.getuid() == 0 else ROOT
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", f"{UID}:{UID}", str(home)], check=True)
        story = STORY.format(home=home, bin=python.parent, root=root, python=python)
        drop = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups"]
        words = [*(drop if os.getuid() == 0 else []), "sh", "-c", story]
        done = subprocess.run(words, capture_output=True, text=True, timeout=600)
        print(done.stderr + done.stdout)
        must("visitors get 200" in done.stdout, "an ordinary user's app answers 200")
        must("enforced" in done.stdout, "doctor shows what the sandbox promises that user")
        must(done.returncode == 0 and not (home / "p").exists(), "destroy left nothing")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _installed(folder: Path) -> Path:
    """Install Perron where that user may read it, with an interpreter that user may run."""
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "-q", "--python", python, str(folder)], check=True)
    pip = [uv, "pip", "install", "-q", "--python", str(folder / "bin/python")]
    subprocess.run([*pip, "-r", str(ROOT / "requirements.lock")], check=True)
    source = folder / "source"
    source.mkdir()
    shutil.copytree(ROOT / "src", source / "src")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", str(source)], check=True)
    shutil.copytree(ROOT / "examples", folder / "examples")
    return folder / "bin/python"


def on_debians_kernel() -> None:
    """Show first light where systemd starts the platform; a clock that steps, and a reboot."""
    from tools.vm import Machine, NotAssessed, image, payload

    try:
        disks = image(), payload()
    except NotAssessed as why:
        show(f"not assessed: {why}")
        return
    with Machine(*disks) as machine:
        show(f"{machine.run('uname -sr').said.strip()}, as Debian 12 comes, with systemd")
        _typed(machine, "perron up --print-systemd | sh; until perron up; do sleep 1; done")
        _typed(machine, "perron deploy /opt/perron/examples/hello --create")
        must(_answers(machine), "the app answers 200 on 6.1 with control groups 2")
        _typed(machine, "cat /sys/fs/cgroup/system.slice/perron-apps.service/perron-*/*/memory.max")
        _typed(machine, "perron doctor")
        before = machine.run("perron ps -a hello --json 2> /dev/null", timeout=LONG).said
        for step in ("+3 days", "-3 days"):
            _typed(machine, f"date -s '{step}'")
            must(_answers(machine), "it answers after a step of the clock")
        after = machine.run("perron ps -a hello --json 2> /dev/null", timeout=LONG).said
        must(_ids(after) == _ids(before), "no instance was restarted for it")
        show("$ reboot")
        machine.reboot()
        must(_answers(machine), "it answers again after a reboot, started by systemd")
        _typed(machine, "until perron apps; do sleep 1; done")


def _typed(machine: "Machine", command: str) -> None:
    """Show a command and what it says."""
    show(f"$ {command}")
    print(machine.run(command, check=False, timeout=LONG).said, flush=True)


def _ids(said: str) -> list[str]:
    return [each["id"] for each in json.loads(said)]


def _answers(machine: "Machine") -> bool:
    visit = "curl -s -o /dev/null -w '%{http_code}' -H 'Host: hello.localhost' http://127.0.0.1/"
    look = f'until [ "$({visit})" = 200 ]; do sleep 1; done; echo yes'
    return machine.run(look, timeout=LONG).said.strip() == "yes"


if __name__ == "__main__":
    as_user()
    if IS_SHORT:
        show("the emulated machine is left to `make test-vm` and to the demo in full")
    else:
        on_debians_kernel()
