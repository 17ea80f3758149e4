"""The files that packages' own scripts would have written into a fresh Debian."""

import shutil
import subprocess
import sys
from pathlib import Path

_USERS = """root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
messagebus:x:100:106::/nonexistent:/usr/sbin/nologin
systemd-network:x:101:107::/:/usr/sbin/nologin
user:x:1001:1001:An ordinary user:/home/user:/bin/bash
"""
_GROUPS = (
    "root:0 daemon:1 adm:4 tty:5 disk:6 lp:7 dialout:20 cdrom:24 floppy:25 tape:26 audio:29 "
    "shadow:42 utmp:43 video:44 sgx:105 messagebus:106 systemd-network:107 kvm:108 render:109 "
    "input:110 systemd-journal:111 users:100 user:1001 nogroup:65534"
)
_PAM = {
    "common-auth": "auth required pam_permit.so\n",
    "common-account": "account required pam_permit.so\n",
    "common-password": "password required pam_permit.so\n",
    "common-session": "session required pam_permit.so\nsession optional pam_systemd.so\n",
    "common-session-noninteractive": "session required pam_permit.so\n",
    "systemd-user": "auth required pam_permit.so\naccount required pam_permit.so\n"
    "session required pam_permit.so\nsession optional pam_systemd.so\n",
    "other": "auth required pam_permit.so\naccount required pam_permit.so\n"
    "session required pam_permit.so\n",
}
_GUEST = """[Unit]
Description=Answers on the second serial line
After=systemd-user-sessions.service dbus.socket
Wants=dbus.socket

[Service]
ExecStart=/usr/bin/python3 /usr/local/lib/guest.py
Restart=always
Delegate=yes

[Install]
WantedBy=multi-user.target
"""
# Nobody here waits for these, and each costs seconds of emulation. No udev: the disks are mounted
# before systemd starts, and no other device comes or goes.
_MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
    "e2scrub_reap.service", "fstrim.timer", "getty@tty1.service", "getty-static.service",
    "serial-getty@ttyS0.service", "systemd-pstore.service", "systemd-random-seed.service",
    "systemd-update-utmp.service", "systemd-update-utmp-runlevel.service", "man-db.timer",
    "systemd-binfmt.service", "remote-fs.target", "kmod-static-nodes.service",
    "modprobe@drm.service", "modprobe@fuse.service", "modprobe@configfs.service",
    "modprobe@dm_mod.service", "modprobe@loop.service", "modprobe@efi_pstore.service",
    "systemd-modules-load.service", "systemd-hwdb-update.service", "ldconfig.service",
    "systemd-udevd.service", "systemd-udevd-control.socket", "systemd-udevd-kernel.socket",
    "systemd-udev-trigger.service", "systemd-udev-settle.service", "systemd-sysusers.service",
    "systemd-remount-fs.service", "dev-hugepages.mount", "dev-mqueue.mount",
    "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "sys-kernel-config.mount",
    "sys-fs-fuse-connections.mount", "proc-sys-fs-binfmt_misc.automount",
)  # fmt: skip
_FSTAB = "tmpfs /tmp tmpfs mode=1777,size=512m 0 0\n"


def furnish(root: Path, kernel: str) -> None:
    """Make an unpacked Debian one that boots to a guest that answers."""
    _people(root)
    _names(root)
    for name, text in _PAM.items():
        _write(root / "etc/pam.d" / name, text)
    _units(root)
    _link(root / "usr/bin/awk", "mawk")
    subprocess.run(["ldconfig", "-r", str(root)], check=True, capture_output=True)
    _compile(root)
    (root / "opt/perron").mkdir(parents=True, exist_ok=True)
    _write(root / "etc/kernel-release", kernel + "\n")


def _compile(root: Path) -> None:
    """Compile the standard library once: an emulated machine would take minutes each time."""
    library = root / "usr/lib/python3.11"
    words = [sys.executable, "-m", "compileall", "-q", "-j", "2", "-s", str(root), "-p", "/"]
    subprocess.run([*words, str(library)], check=False, capture_output=True)


def _people(root: Path) -> None:
    _write(root / "etc/passwd", _USERS)
    groups = (each.split(":") for each in _GROUPS.split())
    _write(root / "etc/group", "".join(f"{name}:x:{number}:\n" for name, number in groups))
    names = [line.split(":")[0] for line in _USERS.splitlines()]
    _write(root / "etc/shadow", "".join(f"{name}:*:19000:0:99999:7:::\n" for name in names))
    (root / "etc/shadow").chmod(0o600)
    home = root / "home/user"
    home.mkdir(parents=True, exist_ok=True)
    shutil.chown(home, 1001, 1001)


def _names(root: Path) -> None:
    _write(root / "etc/hostname", "vm\n")
    _write(root / "etc/hosts", "127.0.0.1 localhost vm\n::1 localhost\n")
    _write(root / "etc/machine-id", "")
    _write(root / "etc/fstab", _FSTAB)
    _write(root / "etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
    _write(root / "etc/environment", "")
    _write(root / "etc/ca-certificates.conf", "")


def _units(root: Path) -> None:
    guest = Path(__file__).with_name("guest.py").read_text()
    _write(root / "usr/local/lib/guest.py", guest)
    system = root / "etc/systemd/system"
    _write(system / "guest.service", _GUEST)
    (system / "multi-user.target.wants").mkdir(parents=True, exist_ok=True)
    _link(system / "multi-user.target.wants/guest.service", "../guest.service")
    _link(system / "default.target", "/lib/systemd/system/multi-user.target")
    for name in _MASKED:
        _link(system / name, "/dev/null")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text)


def _link(path: Path, to: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(to)
