"""Strangers share bands of ports and uids: nobody writes into a folder but their own."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from perron.kit.settings import Home
from perron.server import claims

STRANGER = 12_345
as_root = pytest.mark.skipif(os.getuid() != 0, reason="gives files to another user")


@pytest.fixture
def shared(monkeypatch):
    """Give a folder that other users can reach, unlike pytest's own."""
    with TemporaryDirectory(prefix="pr", dir="/tmp") as made:
        folder = Path(made)
        monkeypatch.setattr(claims, "ROOTS", (folder / "root" / "perron-claims",))
        monkeypatch.setattr(claims, "SHARED", folder / "shared")
        for name in ("root", "shared"):
            (folder / name).mkdir()
        yield folder


@pytest.fixture
def own(shared):
    return claims._own_places()[0]


def a_home(shared, name):
    made = shared / name
    made.mkdir()
    (made / "settings.json").touch()
    return Home(made)


def test_a_link_in_the_place_of_our_folder_is_refused_by_name_and_leads_nowhere(shared, own):
    victim = shared / "victim"
    victim.mkdir()
    own.symlink_to(victim)
    with pytest.raises(claims.ClaimRefused, match=rf"{own}.* is a link; nothing was written"):
        claims.claim(a_home(shared, "a"))
    assert list(victim.iterdir()) == []


@as_root
def test_a_folder_of_a_stranger_is_refused_with_their_uid(shared, own):
    own.mkdir()
    os.chown(own, STRANGER, STRANGER)
    with pytest.raises(claims.ClaimRefused, match=rf"another user \(uid {STRANGER}\)"):
        claims.claim(a_home(shared, "a"))
    assert list(own.iterdir()) == []


def test_a_folder_that_others_may_write_is_refused(shared, own):
    own.mkdir()
    own.chmod(0o1777)
    with pytest.raises(claims.ClaimRefused, match="can be written by others"):
        claims.claim(a_home(shared, "a"))


def test_a_link_in_the_place_of_a_claim_is_replaced_and_not_followed(shared, own):
    precious = shared / "precious"
    precious.write_text("as it was")
    own.mkdir()
    for name in (f"0.{os.getuid()}", f".0.{os.getuid()}"):
        (own / name).symlink_to(precious)
    claims.claim(a_home(shared, "a"))
    assert precious.read_text() == "as it was"


@as_root
def test_what_a_stranger_wrote_in_our_name_counts_for_nothing(shared):
    theirs = shared / "shared" / f"perron-claims.{STRANGER}"
    theirs.mkdir()
    other = a_home(shared, "other")
    forged = theirs / "0.0"
    forged.write_text(str(other.path))
    os.chown(forged, STRANGER, STRANGER)
    os.mkfifo(theirs / f"1.{STRANGER}")
    assert claims.claim(a_home(shared, "a")) == 0


@as_root
def test_homes_of_two_users_never_have_the_same_band(shared):
    (shared / "shared").chmod(0o1777)
    shared.chmod(0o755)
    theirs = shared / "theirs"
    theirs.mkdir()
    os.chown(theirs, STRANGER, STRANGER)
    taken = _claimed_by(STRANGER, shared, theirs)
    assert taken == 0
    assert claims.claim(a_home(shared, "mine")) == 1
    assert claims.claim(a_home(shared, "mine-too")) == 2


def test_ten_homes_at_once_get_ten_bands(shared):
    homes = [a_home(shared, f"h{number}") for number in range(10)]
    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(claims.claim, homes))) == 10


def test_two_at_once_for_one_home_get_one_band(shared):
    home = a_home(shared, "h")
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: claims.claim(home), range(8)))) == 1
    assert len(claims.of(home)) == 1


def test_a_claim_that_was_swept_away_is_made_again(shared, own):
    home = a_home(shared, "h")
    slot = claims.claim(home)
    (own / f"{slot}.{os.getuid()}").unlink()
    assert claims.renew(home, slot) == ""
    assert claims.claim(a_home(shared, "other")) != slot


def test_a_band_that_another_home_took_meanwhile_is_told(shared, own):
    home, other = a_home(shared, "h"), a_home(shared, "other")
    slot = claims.claim(home)
    (own / f"{slot}.{os.getuid()}").write_text(str(other.path))
    assert str(other.path) in claims.renew(home, slot)


def _claimed_by(uid, shared, home):
    """Claim a band as another user, in a process of theirs."""
    text = (
        "import os; from pathlib import Path; from perron.kit.settings import Home; "
        f"from perron.server import claims; os.setgid({uid}); os.setuid({uid}); "
        f"claims.SHARED, claims.ROOTS = Path({str(shared / 'shared')!r}), (); "
        f"home = Path({str(home)!r}); (home / 'settings.json').touch(); "
        "print(claims.claim(Home(home)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=30
    )
    return int(ran.stdout)
