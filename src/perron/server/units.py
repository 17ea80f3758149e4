"""Units for systemd: server and agent started at boot and kept, apps in a group of their own.

Three units, because a group of processes that was delegated cannot take its main process back
while it has groups below it: the agent's own unit could then never be restarted. So instances
live below ``perron-apps``, which only holds the place.
"""

import os
import shlex
import shutil
import sys
from pathlib import Path

from perron.kit.settings import Home

NAMES = {"agent": "perron-agent.service", "serve": "perron-server.service"}
APPS = "perron-apps.service"
SUPERVISED = "PERRON_SUPERVISED"  # set by the units: the processes leave each other to systemd
SYSTEM = Path("/etc/systemd/system")

_APPS = """[Unit]
Description=Apps of Perron ({home})

[Service]
ExecStart={sleep} infinity
Delegate=yes
KillMode=process
OOMPolicy=continue
TasksMax=infinity
LimitNOFILE=524288

[Install]
WantedBy={target}
"""
_PROCESS = """[Unit]
Description={about} of Perron ({home})
Wants={apps}
After={apps} network.target
RequiresMountsFor={mounts}
StartLimitIntervalSec=0
ConditionPathExists=!{down}

[Service]
Type=exec
Environment={environment}
ExecStart={program} {name}
StandardOutput=append:{log}
StandardError=append:{log}
Restart=on-failure
RestartSec=1
KillMode=process
TasksMax=infinity
LimitNOFILE=524288

[Install]
WantedBy={target}
"""
# A user's units run while nobody is logged in; on some systems only root may say so.
_LINGER = """name=$(id -un)
test -e "/var/lib/systemd/linger/$name" || loginctl enable-linger "$name" ||
  echo "Ask root for: loginctl enable-linger $name; else it all ends when you log out."
"""


def script(home: Home) -> str:
    """Return a shell script that installs the units; run as root for root's platform."""
    folder, control = places()
    parts = [f"set -e\nmkdir -p {shlex.quote(str(folder))}\n"]
    for name, text in texts(home).items():
        parts.append(f"cat > {shlex.quote(str(folder / name))} <<'UNIT'\n{text}UNIT\n")
    parts.append(_step_aside(home))
    parts.append(f"{control} daemon-reload\n")
    parts.append(f"{control} enable --now {APPS} {' '.join(NAMES.values())}\n")
    if os.getuid() != 0:
        parts.append(_LINGER)
    return "".join(parts)


def _step_aside(home: Home) -> str:
    """Stop server and agent that run without systemd; apps and edge go on meanwhile."""
    program = shlex.quote(str(Path(sys.executable).with_name("perrond")))
    told = f"PERRON_HOME={shlex.quote(str(home.path))} {program} down > /dev/null 2>&1"
    return f"{told} || true\nrm -f {shlex.quote(str(home.run / 'down'))}\n"


def texts(home: Home) -> dict[str, str]:
    """Return the units of a home by name."""
    target = "multi-user.target" if os.getuid() == 0 else "default.target"
    program = Path(sys.executable).with_name("perrond")
    made = {APPS: _APPS.format(home=_plain(str(home.path)), target=target, sleep=_sleep())}
    for name, unit in NAMES.items():
        made[unit] = _PROCESS.format(
            about="Agent" if name == "agent" else "Server",
            home=_plain(str(home.path)),
            apps=APPS,
            mounts=" ".join(_word(str(each)) for each in (home.path, program)),
            down=_plain(str(home.run / "down")),
            log=_plain(str(home.logs / f"{name}.log")),
            environment=_environment(home),
            program=_quoted(str(program)),
            name=name,
            target=target,
        )
    return made


def places() -> tuple[Path, str]:
    """Return where units of this user are, and the command that controls them."""
    if os.getuid() == 0:
        return SYSTEM, "systemctl"
    given = os.environ.get("XDG_CONFIG_HOME")
    base = Path(given) if given else Path.home() / ".config"
    return base / "systemd/user", "systemctl --user"


def are_installed(home: Home) -> bool:
    """Say whether this home's server and agent are systemd's to start."""
    unit = places()[0] / NAMES["agent"]
    try:
        return f"PERRON_HOME={home.path}" in unit.read_text()
    except OSError:
        return False


def lead_here(home: Home) -> bool:
    """Say whether the units start this Perron and no other."""
    program = _quoted(str(Path(sys.executable).with_name("perrond")))
    try:
        return f"ExecStart={program} " in (places()[0] / NAMES["agent"]).read_text()
    except OSError:
        return False


def is_supervised() -> bool:
    """Say whether systemd started this process, and starts it again."""
    return bool(os.environ.get(SUPERVISED))


def _environment(home: Home) -> str:
    """Return what the processes are told; the PATH leads builds to interpreters."""
    told = {
        "PERRON_HOME": str(home.path),
        SUPERVISED: "systemd",
        "PERRON_CGROUP_UNIT": APPS,
        "PATH": os.environ.get("PATH", os.defpath),
    }
    return " ".join(_quoted(f"{name}={value}") for name, value in told.items())


def _plain(text: str) -> str:
    """Return a path as systemd reads it where no quotes are allowed."""
    return text.replace("%", "%%")


def _word(text: str) -> str:
    """Quote a word as systemd reads it: % begins a name of its own there."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{plain}"'


def _quoted(text: str) -> str:
    """Quote a word where systemd reads variables too."""
    return _word(text).replace("$", "$$")


def _sleep() -> str:
    return shutil.which("sleep") or "/bin/sleep"
