"""The parts of a page: what changed is found, the smallest piece of it is sent."""

from markupsafe import Markup

from perron.dashboard.parts import Parts, changed, digest_of, plain


def drawn(rows, title="Apps"):
    """Draw a list with a part for each row inside a part for the whole."""
    parts = Parts()

    def table():
        return Markup("<table id=t>{}{}</table>").format(
            title,
            Markup("").join(
                parts.part(name, lambda n=name, t=text: Markup("<tr id={}>{}</tr>").format(n, t))
                for name, text in rows.items()
            ),
        )

    return parts, plain(f"<main>{parts.part('t', table)}</main>")


def test_a_page_shows_nothing_of_its_parts():
    _, page = drawn({"a": "1", "b": "2"})
    assert page == "<main><table id=t>Apps<tr id=a>1</tr><tr id=b>2</tr></table></main>"


def test_of_a_list_only_the_row_that_changed_is_sent():
    before, _ = drawn({"a": "1", "b": "2"})
    now, _ = drawn({"a": "1", "b": "3"})
    assert changed(before.frames, now) == ["<tr id=b>3</tr>"]


def test_a_row_that_is_new_or_gone_changes_the_list_around_it():
    before, _ = drawn({"a": "1"})
    more, _ = drawn({"a": "1", "b": "2"})
    whole = "<table id=t>Apps<tr id=a>1</tr><tr id=b>2</tr></table>"
    assert changed(before.frames, more) == [whole]
    assert changed(more.frames, before) == ["<table id=t>Apps<tr id=a>1</tr></table>"]


def test_what_stayed_as_it_was_is_not_sent():
    before, _ = drawn({"a": "1"})
    again, _ = drawn({"a": "1"})
    assert changed(before.frames, again) == []
    assert digest_of(before) == digest_of(again)


def test_whoever_has_seen_nothing_gets_each_part_once():
    now, _ = drawn({"a": "1", "b": "2"})
    assert changed({}, now) == ["<table id=t>Apps<tr id=a>1</tr><tr id=b>2</tr></table>"]


def test_a_text_that_looks_like_a_sign_is_only_text():
    hostile = "<!--/part t--><!--part x-->"
    parts, page = drawn({"a": hostile})
    assert "&lt;!--/part t--&gt;" in page
    assert set(parts.frames) == {"t", "a"}
