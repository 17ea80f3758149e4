"""The machine's disks: Debian 12 with systemd, made once and kept; Perron, made anew each time.

No package's script runs: packages are unpacked, and the few files their scripts would have made
are written here. So nothing touches the machine that makes it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .rooting import furnish

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("PERRON_VM_CACHE", "~/.cache/perron-vm")).expanduser()
PACKAGES = (
    *("systemd-sysv", "libpam-systemd", "dbus", "dbus-user-session", "udev", "libnss-systemd"),
    *("python3", "python3-venv", "bubblewrap", "util-linux", "bash", "dash", "coreutils"),
    *("procps", "iproute2", "mount", "kmod", "mawk", "grep", "sed", "findutils", "gzip", "tar"),
    *("ca-certificates", "openssl", "curl", "libnss3-tools", "login", "passwd", "libpam-modules"),
    *("libpam-modules-bin", "hostname", "diffutils", "perl-base", "gcc-12-base", "libc-bin"),
)
MODULES = (
    "virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci",
    "virtio_blk",
)  # fmt: skip
SIZE = "3G"
# /bin, /lib and /sbin lead into /usr, as they do in every Debian of today.
_MERGE = (
    'for each in bin lib lib64 sbin; do mkdir -p "$1/usr/$each"; ln -s "usr/$each" "$1/$each"; done'
)
_INIT = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for m in {modules}; do /bin/busybox insmod /mod/$m.ko; done
for i in 1 2 3 4 5 6 7 8 9 10; do [ -e /dev/vda ] && break; /bin/busybox sleep 0.2; done
/bin/busybox mount -t ext4 /dev/vda /new && exec /bin/busybox switch_root /new /sbin/init
"""


class NotAssessed(Exception):
    """The machine cannot be had here; the sentence says why."""


@dataclass(frozen=True)
class Image:
    """A disk to copy, with the kernel and the first root that start it."""

    disk: Path
    kernel: Path
    initrd: Path


def image() -> Image:
    """Return the machine's disk, made when it was never made."""
    if not shutil.which("qemu-system-x86_64") or not shutil.which("mke2fs"):
        raise NotAssessed(
            "There is no qemu here (apt-get install --no-install-recommends qemu-system-x86)."
        )
    folder = CACHE / _key("image.py", "rooting.py", "guest.py")
    with _alone():
        if not (folder / "disk").exists():
            _make(folder)
    return Image(folder / "disk", folder / "kernel", folder / "initrd")


def payload() -> Path:
    """Return a disk with Perron installed as it is now, and its tests, examples and demos."""
    with _alone(), tempfile.TemporaryDirectory(dir=CACHE) as work:
        folder = Path(work) / "perron"
        shutil.copytree(_environment(), folder, symlinks=True)
        _install(folder)
        for name in ("tests", "tools", "examples", "demos", "pyproject.toml"):
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
        _run("chmod", "-R", "a+rX", str(folder))
        disk = CACHE / "payload"
        _run("mke2fs", "-qF", "-t", "ext4", "-E", "root_owner=0:0", "-d", str(folder),
             f"{disk}.part", "700M")  # fmt: skip
        os.replace(f"{disk}.part", disk)
    return disk


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time make what is kept."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _key(*names: str) -> str:
    """Name what is kept after everything that decides what is in it."""
    parts = [Path(__file__).parent / name for name in names]
    return hashlib.sha256(b"".join(each.read_bytes() for each in parts)).hexdigest()[:12]


def _make(folder: Path) -> None:
    if os.getuid() != 0 or not shutil.which("apt-get"):
        raise NotAssessed("There is no image of the machine yet; root with apt makes one.")
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        made = Path(work)
        try:
            _unpack(made)
        except subprocess.CalledProcessError as why:
            said = (why.stderr or b"").decode(errors="replace").strip().splitlines()[-1:]
            raise NotAssessed(f"Debian's packages cannot be had: {' '.join(said)}") from why
        version = _kernel(made)
        furnish(made / "root", version)
        _initrd(made, version)
        _run("mke2fs", "-qF", "-t", "ext4", "-d", str(made / "root"), str(made / "disk"), SIZE)
        for each in (made / "k/boot").glob("vmlinuz-*"):
            shutil.copy(each, made / "kernel")
        for each in CACHE.glob("[0-9a-f]*/disk"):
            shutil.rmtree(each.parent)  # of another version
        folder.mkdir()
        for name in ("kernel", "initrd", "disk"):  # the disk last: it says that all is there
            os.replace(made / name, folder / name)


def _unpack(made: Path) -> None:
    """Fetch and unpack the kernel, busybox and Debian; as the system's own apt would."""
    about = _run("apt-cache", "depends", "linux-image-cloud-amd64").decode()
    kernel = next(line.split()[1] for line in about.splitlines() if "Depends:" in line)
    for package, to in ((kernel, "k"), ("busybox-static", "bb"), ("mmdebstrap", "mm")):
        _run("apt-get", "download", "-qq", package, cwd=made)
        (archive,) = made.glob(f"{package}_*.deb")
        _run("dpkg", "-x", str(archive), str(made / to))
    _run(
        *("unshare", "-m", "--propagation", "private", "perl", str(made / "mm/usr/bin/mmdebstrap")),
        *("--quiet", "--mode=root", "--variant=extract", "--skip=check/empty"),
        f"--setup-hook={_MERGE}",
        *(f"--include={','.join(PACKAGES)}", "bookworm", str(made / "root")),
    )


def _kernel(made: Path) -> str:
    shutil.copytree(made / "k/lib/modules", made / "root/lib/modules", symlinks=True)
    (version,) = (each.name for each in (made / "k/lib/modules").iterdir())
    _run("chroot", str(made / "root"), "/sbin/depmod", version)
    return version


def _initrd(made: Path, version: str) -> None:
    first = made / "first"
    for name in ("bin", "mod", "proc", "dev", "new"):
        (first / name).mkdir(parents=True)
    shutil.copy(made / "bb/bin/busybox", first / "bin/busybox")
    for name in MODULES:
        (module,) = (made / "k/lib/modules" / version).rglob(f"{name}.ko")
        shutil.copy(module, first / "mod")
    (first / "init").write_text(_INIT.format(modules=" ".join(MODULES)))
    (first / "init").chmod(0o755)
    packed = "find . | bin/busybox cpio -o -H newc 2>/dev/null > ../initrd"
    _run("sh", "-c", packed, cwd=first)


def _environment() -> Path:
    """Return what Perron and its tests need, for the Python of Debian 12; kept."""
    if sys.version_info[:2] != (3, 11):
        raise NotAssessed("Perron is installed there for Python 3.11, and this is another.")
    kept = CACHE / f"environment-{_key('image.py', '../../requirements.lock')}"
    if kept.exists():
        return kept
    for each in CACHE.glob("environment-*"):
        shutil.rmtree(each)  # of another version
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        folder = Path(work) / "perron"
        _run(_uv(), "venv", "-q", "--relocatable", "--python", sys.executable, str(folder))
        _run(*_pip(folder), "--require-hashes", "-r", str(ROOT / "requirements.lock"))
        os.replace(folder, kept)
    return kept


def _install(folder: Path) -> None:
    """Add Perron as it is now, and lead the environment to Debian's own interpreter."""
    with tempfile.TemporaryDirectory() as fresh:  # what is left of an older build stays out
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, fresh)
        shutil.copytree(ROOT / "src", Path(fresh) / "src")
        _run(*_pip(folder), "--no-deps", "--no-build-isolation", fresh)
    for name in ("python", "python3", "python3.11"):
        (folder / "bin" / name).unlink(missing_ok=True)
        (folder / "bin" / name).symlink_to("/usr/bin/python3.11")
    lines = (folder / "pyvenv.cfg").read_text().splitlines()
    kept = [line for line in lines if not line.startswith(("home", "version"))]
    (folder / "pyvenv.cfg").write_text("\n".join(["home = /usr/bin", *kept]) + "\n")


def _pip(folder: Path) -> tuple[str, ...]:
    python = str(folder / "bin/python")
    return (_uv(), "pip", "install", "-q", "--python", python, "--compile-bytecode")


def _uv() -> str:
    return str(Path(sys.executable).with_name("uv"))


def _run(*words: str, cwd: Path | None = None) -> bytes:
    return subprocess.run(words, check=True, capture_output=True, cwd=cwd).stdout
