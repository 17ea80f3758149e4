"""``perron platform trust``: this machine's programs and browsers believe the internal CA."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from perron.kit.problems import Problem
from perron.kit.settings import Home

from .screen import say

SYSTEM = Path("/usr/local/share/ca-certificates")
NAME = "perron-local-ca"


class TrustRefused(Problem):
    """The certificate cannot be put where others look for it."""


def trust(home: Home) -> int:
    """Add the CA to the system's store as root, and to the browsers' store of this user."""
    certificate = home.keys / "ca.pem"
    if not certificate.exists():
        raise TrustRefused(f"There is no CA in {home.keys} yet. Next: perron up")
    done = [_into_system(home, certificate), _into_browsers(home, certificate)]
    if not any(done):
        say(f"Nothing was changed. Import {certificate} by hand, as an authority for web sites.")
        return 1
    return 0


def distrust(home: Home) -> int:
    """Take the CA out of both stores again; where it is not, nothing happens."""
    if _system_file(home).exists():
        _as_root_only()
        _system_file(home).unlink()
        _run(["update-ca-certificates", "--fresh"])
        say("The system trusts it no more.")
    certutil, store = shutil.which("certutil"), _browser_store()
    if certutil and store.is_dir() and _is_known(certutil, store, home):
        _run([certutil, "-d", f"sql:{store}", "-D", "-n", _nickname(home)])
        say("Browsers of this user trust it no more.")
    return 0


def is_trusted(home: Home) -> bool:
    """Say whether the system's store or this user's browsers have the CA."""
    certutil, store = shutil.which("certutil"), _browser_store()
    known = bool(certutil) and store.is_dir() and _is_known(certutil or "", store, home)
    return known or _system_file(home).exists()


def _into_system(home: Home, certificate: Path) -> bool:
    if not shutil.which("update-ca-certificates"):
        say("There is no update-ca-certificates here: see how your system adds an authority.")
        return False
    if os.getuid() != 0:
        target = _system_file(home)
        say("For curl and other programs, as root:")
        say(f"  cp {certificate} {target} && update-ca-certificates")
        return False
    SYSTEM.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(certificate, _system_file(home))
    _system_file(home).chmod(0o644)
    _run(["update-ca-certificates"])
    say("The system trusts it: curl and other programs open https:// addresses of apps here.")
    return True


def _into_browsers(home: Home, certificate: Path) -> bool:
    certutil, store = shutil.which("certutil"), _browser_store()
    if not certutil:
        say("For Chromium: install libnss3-tools, then again: perron platform trust")
        return False
    store.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (store / "cert9.db").exists():
        _run([certutil, "-d", f"sql:{store}", "-N", "--empty-password"])
    name = ["-n", _nickname(home), "-i", str(certificate)]
    if not _is_known(certutil, store, home):
        _run([certutil, "-d", f"sql:{store}", "-A", "-t", "C,,", *name])
    say("Chromium of this user trusts it, once it is started again.")
    return True


def _is_known(certutil: str, store: Path, home: Home) -> bool:
    words = [certutil, "-d", f"sql:{store}", "-L", "-n", _nickname(home)]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0  # noqa: S603


def _system_file(home: Home) -> Path:
    return SYSTEM / f"{_nickname(home)}.crt"


def _nickname(home: Home) -> str:
    """Name the CA of one home, so that two homes do not take each other's place."""
    return f"{NAME}{str(home.path).replace('/', '-').replace(' ', '_')}"


def _browser_store() -> Path:
    return Path.home() / ".pki/nssdb"


def _as_root_only() -> None:
    if os.getuid() != 0:
        raise TrustRefused("The system's store is root's: run this as root.")


def _run(words: Sequence[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise TrustRefused(f"{words[0]} failed: {(done.stderr or done.stdout).strip()[-300:]}")
