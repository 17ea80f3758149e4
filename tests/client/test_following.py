from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perron.client import Client, Refused
from perron.client.following import parse

from .conftest import answer

STREAM = b': here\n\nid: 1\nevent: step\ndata: {"a": 1}\n\nevent: note\ndata: one\ndata: two\n\n'


def stream(body):
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    return head + body


@given(st.lists(st.integers(1, 30), max_size=30))
def test_events_are_the_same_however_they_are_cut(cuts):
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(STREAM[at : at + cut])
        at += cut
    events = list(parse(iter([*pieces, STREAM[at:]])))
    assert [(each.name, each.data, each.id) for each in events] == [
        ("step", {"a": 1}, "1"),
        ("note", "one\ntwo", ""),
    ]


def test_line_ends_of_windows_are_understood_when_cut_in_two():
    events = list(parse(iter([b"data: 1\r", b"\n\r\ndata: 2\r\n\r\n"])))
    assert [each.data for each in events] == [1, 2]


def test_a_stream_that_broke_goes_on_after_the_last_id(script):
    script.answers = [
        stream(b"id: 7\nevent: step\ndata: 1\n\nid: 8\nevent: st"),
        answer(502, b"<h1>away</h1>", "text/html", connection="close"),
        stream(b"id: 8\nevent: step\ndata: 2\n\n"),
    ]
    client = Client(f"unix://{script.path}", "good")
    events = list(islice(client.follow("/v1/operations/op_1/events"), 2))
    assert [each.data for each in events] == [1, 2]
    assert [heard[2].get("last-event-id") for heard in script.heard] == [None, "7", "7"]
    assert script.heard[0][2]["accept"] == "text/event-stream"


def test_a_refused_stream_is_an_error(script):
    script.answers = [answer(404, b'{"detail": "None."}', "application/problem+json")]
    client = Client(f"unix://{script.path}", "good")
    with pytest.raises(Refused, match="None"):
        next(client.follow("/v1/operations/op_1/events"))
