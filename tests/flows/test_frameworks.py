"""The folders that docs/how-to/deploy.md shows are deployed as they stand, and answer."""

import re
import shutil

import pytest

from tools.rig.platform import ROOT, wait_until

PAGE = (ROOT / "docs/how-to/deploy.md").read_text()
SAYS = {
    "Flask": ("", b"Hello from Flask"),
    "Django": ("", b"Hello, 0 users"),
    "FastAPI": ("", b'"hello":"from FastAPI"'),
    "Node": ("", b"Hello from Node"),
    "A static site": ("", b"Hello from a file"),
    "Anything with a Procfile": ("hello.txt", b"Hello from a Procfile"),
}


def sections() -> dict[str, dict[str, str]]:
    """Return the files of each section, by its heading."""
    part = PAGE.split("## Frameworks\n")[1].split("\n## ")[0]
    found = {}
    for section in part.split("\n### ")[1:]:
        heading, _, body = section.partition("\n")
        found[heading] = dict(re.findall(r"^`([^`]+)`:\n```\w+\n(.*?)^```", body, re.M | re.S))
    return found


def test_every_section_shows_files_and_is_tried():
    assert {heading for heading, files in sections().items() if files} == set(SAYS)


@pytest.mark.parametrize("heading", SAYS)
def test_what_the_page_shows_is_live(here, heading):
    if heading == "Node" and shutil.which("npm") is None:
        pytest.skip("no npm on this machine")
    name = heading.split()[-1].lower()
    folder = here.folder / name
    for path, text in sections()[heading].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    if heading == "Django":
        here.perron("apps", "create", name)
        here.perron("config", "set", "-a", name, "SECRET_KEY=-", input="a secret of this test\n")
    here.perron("deploy", str(folder), "-a", name, "--create", timeout=400)
    path, wanted = SAYS[heading]
    wait_until(lambda: wanted in here.ask(f"{name}.localhost", f"/{path}")[1], 30)
