import re
from pathlib import Path

from perron.cli import exits

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_the_page_and_the_command_give_exit_codes_the_same_meaning():
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == exits.MEANINGS
