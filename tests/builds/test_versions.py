"""Which interpreter a project gets."""

import pytest

from perron.builds.model import versions
from perron.builds.model.detected import BuildRefused

ACCEPTED = [
    (None, "3.13.0", True),
    ("", "3.13.0", True),
    ("*", "20.1.0", True),
    ("3.12", "3.12.1", True),
    ("3.12", "3.13.0", False),
    ("3.12.1", "3.12.1", True),
    ("3.12.1", "3.12.2", False),
    ("==3.12.*", "3.12.9", True),
    (">=3.11", "3.11.2", True),
    (">=3.12", "3.11.2", False),
    (">=3.11,<3.13", "3.13.0", False),
    ("~=3.11", "3.12.0", True),
    ("20", "20.20.2", True),
    ("20.x", "20.20.2", True),
    ("v20", "20.20.2", True),
    ("^20.9.0", "20.20.2", True),
    ("^20.9.0", "22.0.0", False),
    ("~20.20.0", "20.20.2", True),
    ("~20.19.0", "20.20.2", False),
    ("^18.18.0 || ^20.9.0 || >=21.1.0", "20.20.2", True),
    ("^18 || ^22", "20.20.2", False),
    (">=18 <21", "20.20.2", True),
    (">=18 <20", "20.20.2", False),
    ("18 - 20", "20.20.2", True),
    ("18.0.0 - 20.1.0", "20.20.2", False),
    ("lts/*", "20.20.2", True),
]


@pytest.mark.parametrize(("wanted", "version", "fits"), ACCEPTED)
def test_ranges_of_both_worlds_are_read(wanted, version, fits):
    assert versions.accepts(wanted, version, "here") is fits


def test_the_newest_that_fits_is_chosen(offers):
    here = offers("3.9.1", "3.12.1", "3.11.7", "3.14.0rc1")
    assert versions.choose("python", None, "here", here).version == "3.12.1"
    assert versions.choose("python", "<3.12", "here", here).version == "3.11.7"


def test_none_that_fits_says_what_is_here_and_what_to_do(offers):
    with pytest.raises(BuildRefused) as refused:
        versions.choose("python", ">=3.12", "pyproject.toml", offers("3.11.2"))
    assert refused.value.detail == (
        "pyproject.toml needs Python ≥ 3.12; here: 3.11.2. Install one and run `perron doctor`."
    )


def test_an_unreadable_wish_is_refused():
    with pytest.raises(BuildRefused, match="cannot be read"):
        versions.accepts("newest please", "3.12.1", "runtime.txt")
