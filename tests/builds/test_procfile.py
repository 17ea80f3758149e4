"""Procfile: a name, a colon, a command."""

import pytest

from perron.builds import ManifestRefused
from perron.builds.model import procfile

REFUSED = {
    "web gunicorn": "line 1: 'web gunicorn' is not 'name: command'",
    "\n\nweb:": "line 3: 'web' has no command",
    "Web: x": "'Web' cannot be a process type",
    "my_worker: x": "'my_worker' cannot be a process type",
    "web: a\nweb: b": "line 2: 'web' is there twice",
    "1: x": "'1' cannot be a process type",
}


def test_lines_are_process_types():
    text = "# ours\n\nweb: gunicorn app:app --bind :$PORT\r\nworker:  python w.py  \n"
    assert procfile.parse(text) == {
        "web": "gunicorn app:app --bind :$PORT",
        "worker": "python w.py",
    }


def test_a_mark_of_byte_order_is_no_part_of_a_name():
    assert procfile.parse("\ufeffweb: x") == {"web": "x"}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_line_is_refused_with_its_number(text):
    with pytest.raises(ManifestRefused) as refused:
        procfile.parse(text)
    assert REFUSED[text] in refused.value.detail
