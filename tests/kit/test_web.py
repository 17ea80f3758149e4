"""Versions, pages and streams of the API."""

import pytest
from fastapi import Request, Response

from perron.kit import web
from perron.kit.problems import Changed


def asked(**headers):
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "PUT", "headers": raw})


@pytest.mark.parametrize("given", ['"v1"', "*", 'W/"v1"', '"v0", "v1"'])
def test_a_change_of_the_version_that_was_read_is_let_through(given):
    web.check_match(asked(**{"if-match": given}), "v1")
    web.check_match(asked(), "v1")


@pytest.mark.parametrize("given", ['"v0"', '""', '"v"'])
def test_a_change_of_an_older_version_is_refused_and_told_the_present_one(given):
    with pytest.raises(Changed) as refused:
        web.check_match(asked(**{"if-match": given}), "v1")
    assert (refused.value.status, refused.value.facts) == (412, {"etag": '"v1"', "now": None})


def test_a_tag_that_is_shown_is_the_one_that_matches():
    response = Response()
    web.show_tag(response, "v1")
    web.check_match(asked(**{"if-match": response.headers["etag"]}), "v1")


def test_a_cursor_leads_back_to_where_the_page_ended():
    cursor = web.cursor_of("sh/öp?", 7)
    assert web.page_after(cursor, "", 0) == ("sh/öp?", 7)
    assert web.page_after(None, "", 0) == ("", 0)
    assert set(cursor) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


@pytest.mark.parametrize("cursor", ["x", "!", web.cursor_of(7, "a"), web.cursor_of("a"), "ü"])
def test_a_cursor_of_another_kind_is_refused(cursor):
    with pytest.raises(web.CursorRefused):
        web.page_after(cursor, "", 0)


def test_an_event_of_a_stream_keeps_its_lines():
    sent = web.Sent("progress", "one\ntwo", "7")
    assert sent.encode() == b"id: 7\nevent: progress\ndata: one\ndata: two\n\n"
