"""The parts of a page that change by themselves, found again each time the page is drawn.

``{% call part("row-shop") %}<tr id="row-shop">…</tr>{% endcall %}`` marks an element whose ``id``
is the part's name. Two drawings of a page are compared: a part whose own frame differs is sent
whole; of one where only parts inside it differ, only those are.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from markupsafe import Markup

_MARKED = re.compile(r"<!--part (\S+)-->(.*?)<!--/part \1-->", re.DOTALL)
_SIGN = re.compile(r"<!--/?part \S+-->")


@dataclass
class Parts:
    """Collects the parts while a page is drawn: ``frames`` without what inner parts show."""

    frames: dict[str, str] = field(default_factory=dict)
    wholes: dict[str, str] = field(default_factory=dict)
    page: str = ""
    """The template they are drawn from: another one is another page."""

    def part(self, name: str, caller: Callable[[], str]) -> Markup:
        """Draw one part, and remember it."""
        drawn = str(caller()).strip()
        is_outer = "<!--part " in drawn
        self.frames[name] = _MARKED.sub(r"<!--\1-->", drawn) if is_outer else drawn
        self.wholes[name] = _SIGN.sub("", drawn) if is_outer else drawn
        return Markup(f"<!--part {name}-->{drawn}<!--/part {name}-->")  # noqa: S704 - drawn by us


def digest_of(parts: Parts) -> str:
    """Return a short name of everything the parts show."""
    return sha256(json.dumps(parts.frames, sort_keys=True).encode()).hexdigest()[:16]


def plain(page: str) -> str:
    """Return a page without the signs of its parts."""
    return _SIGN.sub("", page)


def changed(before: Mapping[str, str], now: Parts) -> list[str]:
    """Return the parts to send, outer ones first; ``before`` are the frames that were shown."""
    sent: list[str] = []
    for name in reversed(now.frames):  # an outer part is finished after those inside it
        whole = now.wholes[name]
        is_new = before.get(name) != now.frames[name]
        if is_new and not any(whole in each for each in sent):
            sent.append(whole)
    return sent
