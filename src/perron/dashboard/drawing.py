"""Draws pages with Jinja2: escaped by itself, strict about names, read once.

Jinja2 is loaded with the first page: a server that nobody looks at does without its 3 MB.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from perron.contract.browsers import CSRF_FIELD

from . import assets, navigation, words
from .asking import Ask, Shown, with_query
from .parts import Parts, digest_of, plain

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.runtime import Context

FOLDER = Path(__file__).parent / "templates"


def draw(ask: Ask, shown: Shown, parts: Parts, look: Mapping[str, Any] | None = None) -> str:
    """Draw a page, and collect its parts."""
    facts: dict[str, Any] = {
        "ask": ask,
        "part": parts.part,
        "refused": ask.refused,
        "nav": navigation.around(ask, shown),
        "csrf": _csrf(ask),
        "theme": "",
        "said": "",
        "seen": lambda: digest_of(parts),
    }
    page = environment().get_template(shown.template)
    return plain(page.render({**facts, **(look or {}), **shown.facts}))


def warm() -> None:
    """Read every template, so that nobody waits for it."""
    for name in environment().list_templates():
        environment().get_template(name)


@cache
def environment() -> "Environment":
    """Return what reads and keeps the templates."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context

    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=200,
    )
    made.globals.update(
        asset=assets.address_of,
        url=with_query,
        words=words,
        STATES=words.STATES,
        RELEASES=words.RELEASES,
    )
    made.filters.update(
        time=pass_context(_time), exact=pass_context(_exact), since=pass_context(_since),
        moment=words.moment, num=words.number,
        size=words.size, lasting=words.length, sentence=words.sentence, full_stop=words.full_stop,
        command=_command,
    )  # fmt: skip
    return made


def _csrf(ask: Ask) -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, ask.session.csrf)


def _time(context: "Context", at: str | datetime | None, none: str = "never") -> Markup:
    """Say when, with the whole of it in the tool tip."""
    return _stamp(context, at, none, exact=False)


def _exact(context: "Context", at: str | datetime | None, none: str = "") -> Markup:
    """Say when to the second."""
    return _stamp(context, at, none, exact=True)


def _since(context: "Context", at: str | datetime | None, none: str = "unknown") -> str:
    """Say how long ago."""
    return context["ask"].clock.since(words.moment(at)) if at else none


def _stamp(context: "Context", at: str | datetime | None, none: str, *, exact: bool) -> Markup:
    if not at:
        return Markup('<span class="muted">{}</span>').format(none) if none else Markup("")
    clock, moment = context["ask"].clock, words.moment(at)
    text = clock.exact(moment) if exact else clock.short(moment)
    said = f'<time datetime="{moment.isoformat()}" title="{clock.full(moment)}">{text}</time>'
    return Markup(said)  # noqa: S704 - made of figures alone


def _command(text: str) -> Markup:
    """Show a command that can be taken along, one ``span`` a word."""
    spans = Markup(" ").join(Markup("<span>{}</span>").format(word) for word in text.split(" "))
    return Markup(
        '<div class="command"><code>{}</code><button class="quiet small" type="button" '
        'data-copy="{}" aria-label="Copy {}">Copy</button></div>'
    ).format(spans, escape(text), escape(text))
