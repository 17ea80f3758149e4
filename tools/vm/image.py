"""The machine's disk: Debian 12 with systemd, made once and kept.

No package's script runs: packages are unpacked, and the few files their scripts would have made
are written here. So nothing touches the machine that makes it.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .booted import booted
from .emulator import PROGRAM, Disks
from .kept import CACHE, NotAssessed, alone, key, run
from .rooting import furnish

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
/bin/busybox mount -t ext4 -o noatime /dev/vda /new
/bin/busybox mount -t ext4 -o ro /dev/vdb /new/opt/perron
exec /bin/busybox switch_root /new /sbin/init
"""


def image() -> Disks:
    """Return the machine's disk, and it booted already; made when it was never made."""
    if not shutil.which(PROGRAM) or not shutil.which("mke2fs"):
        raise NotAssessed(
            "There is no qemu here (apt-get install --no-install-recommends qemu-system-x86)."
        )
    folder = CACHE / key("image.py", "rooting.py", "guest.py")
    with alone():
        if not (folder / "disk").exists():
            _make(folder)
        return booted(Disks(folder / "disk", folder / "kernel", folder / "initrd"))


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
        run("mke2fs", "-qF", "-t", "ext4", "-d", str(made / "root"), str(made / "disk"), SIZE)
        for each in (made / "k/boot").glob("vmlinuz-*"):
            shutil.copy(each, made / "kernel")
        for each in CACHE.glob("[0-9a-f]*/disk"):
            shutil.rmtree(each.parent)  # of another version
        folder.mkdir()
        for name in ("kernel", "initrd", "disk"):  # the disk last: it says that all is there
            os.replace(made / name, folder / name)


def _unpack(made: Path) -> None:
    """Fetch and unpack the kernel, busybox and Debian; as the system's own apt would."""
    about = run("apt-cache", "depends", "linux-image-cloud-amd64").decode()
    kernel = next(line.split()[1] for line in about.splitlines() if "Depends:" in line)
    for package, to in ((kernel, "k"), ("busybox-static", "bb"), ("mmdebstrap", "mm")):
        run("apt-get", "download", "-qq", package, cwd=made)
        (archive,) = made.glob(f"{package}_*.deb")
        run("dpkg", "-x", str(archive), str(made / to))
    run(
        *("unshare", "-m", "--propagation", "private", "perl", str(made / "mm/usr/bin/mmdebstrap")),
        *("--quiet", "--mode=root", "--variant=extract", "--skip=check/empty"),
        f"--setup-hook={_MERGE}",
        *(f"--include={','.join(PACKAGES)}", "bookworm", str(made / "root")),
    )


def _kernel(made: Path) -> str:
    shutil.copytree(made / "k/lib/modules", made / "root/lib/modules", symlinks=True)
    (version,) = (each.name for each in (made / "k/lib/modules").iterdir())
    run("chroot", str(made / "root"), "/sbin/depmod", version)
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
    run("sh", "-c", packed, cwd=first)
