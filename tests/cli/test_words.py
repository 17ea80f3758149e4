import pytest
from hypothesis import given
from hypothesis import strategies as st

from perron.cli import assigning, index, voice, words
from perron.cli.exits import Stop


@pytest.mark.parametrize(
    ("text", "size"), [("2G", 2 << 30), ("512M", 512 << 20), ("1.5GiB", 3 << 29), ("100", 100)]
)
def test_sizes_are_read_as_people_write_them(text, size):
    assert words.bytes_in(text) == size


@pytest.mark.parametrize("text", ["", "G", "-1G", "0", "1X", "1e999G", "nan"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(Stop, match="no size"):
        words.bytes_in(text)


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.34, "0.3 s"), (2280, "38 min"), (18_000, "5 h"), (3_542_400, "41 d")]
)
def test_durations_are_short(seconds, told):
    assert words.lasting(seconds) == told


@pytest.mark.parametrize("text", ["10m", "2h", "3d", "2026-11-20T16:00", "2026-11-20T16:00Z"])
def test_moments_are_sent_in_utc(text):
    assert words.since(text).endswith("Z")


@pytest.mark.parametrize("text", ["m", "soon", "10x", "", "9" * 40 + "d"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(Stop, match="no time"):
        words.since(text)


def test_a_loss_nobody_measured_is_not_nothing():
    assert words.lost_sentence({"lost": None}) == "Requests lost: not measured."
    assert words.lost_sentence({"lost": {}, "requests": 171}) == "0 of 171 requests lost."
    told = words.lost_sentence({"lost": {"cut": 2}, "requests": 9})
    assert told == "2 of 9 requests lost (2 cut)."


@given(st.text())
def test_no_tenants_text_steers_the_terminal(text):
    shown = voice.harmless(text + "\x1b]0;x\x07\x9b2J")
    assert not any(ord(each) < 32 and each not in "\t\n" for each in shown)
    assert "\x9b" not in shown


@given(st.text("abcd", max_size=6), st.text("abcd", max_size=6))
def test_the_distance_of_words_is_a_distance(one, other):
    assert index.distance(one, other) == index.distance(other, one)
    assert (index.distance(one, other) == 0) == (one == other)


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True),
        st.text(st.characters(codec="utf-8", exclude_characters="\r")),
        max_size=5,
    )
)
def test_quoted_values_come_back_as_they_were(values):
    def quoted(value):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    text = "\n".join(f"{name}={quoted(value)}" for name, value in values.items())
    assert assigning.parse(text) == values


def test_several_lines_comments_and_exports_are_understood():
    text = (
        "\ufeffexport A=1 # one\n\n# B=2\nC='a #b'\nKEY=\"-----BEGIN\nx\n-----END\"\nURL=a#b\nE=\n"
    )
    assert assigning.parse(text) == {
        "A": "1", "C": "a #b", "KEY": "-----BEGIN\nx\n-----END", "URL": "a#b", "E": ""
    }  # fmt: skip


@pytest.mark.parametrize("text", ["A B=1", "=1", "hunter2", "A='never ends"])
def test_what_is_no_assignment_is_told_by_its_line_only(text):
    with pytest.raises(Stop, match="line 2") as why:
        assigning.parse(f"OK=1\n{text}\n")
    assert "hunter2" not in why.value.text


@pytest.mark.parametrize("pair", ["KEY", "1A=x", "A-B=1", "=x", ""])
def test_a_pair_without_a_name_or_value_is_refused(pair):
    with pytest.raises(Stop):
        assigning.of_pairs([pair])


def test_a_key_said_twice_is_refused():
    with pytest.raises(Stop, match="twice"):
        assigning.of_pairs(["A=1", "A=2"])
