import json
import stat

import pytest

from perron.client import ContextRefused, contexts, find_login


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    return {"XDG_CONFIG_HOME": str(tmp_path / "c")}


def local(folder, token="local-token"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cli.json").write_text(json.dumps({"url": "unix:///s", "token": token}))


def test_without_any_login_a_person_is_told_so(shell):
    with pytest.raises(ContextRefused, match="Not signed in"):
        find_login(shell)


def test_url_and_token_suffice_and_win(shell, tmp_path):
    contexts.keep(shell, "there", "https://there", "t1")
    login = find_login(shell | {"PERRON_URL": "http://ci", "PERRON_TOKEN": "t2"})
    assert (login.url, login.token) == ("http://ci", "t2")


def test_a_url_alone_finds_the_token_that_was_kept_for_it(shell):
    contexts.keep(shell, "there", "https://there", "t1")
    assert find_login(shell | {"PERRON_URL": "https://there/"}).token == "t1"
    assert find_login(shell | {"PERRON_URL": "https://elsewhere"}).token == ""


def test_a_home_that_was_named_wins_over_the_chosen_context(shell, tmp_path):
    contexts.keep(shell, "there", "https://there", "t1")
    local(tmp_path / "h")
    assert find_login(shell | {"PERRON_HOME": str(tmp_path / "h")}).name == "local"
    assert find_login(shell).name == "there"


def test_the_default_home_counts_when_nothing_was_chosen(shell, tmp_path):
    local(tmp_path / ".perron")
    assert find_login(shell).token == "local-token"
    contexts.keep(shell, "there", "https://there", "t1")
    assert find_login(shell).name == "there"
    contexts.choose(shell, "local")
    assert find_login(shell).name == "local"


def test_tokens_are_readable_by_their_owner_alone(shell, tmp_path):
    contexts.keep(shell, "there", "https://there", "t1")
    path = tmp_path / "c" / "perron" / "contexts.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_dropped_context_counts_no_more(shell):
    contexts.keep(shell, "there", "https://there", "t1")
    contexts.drop(shell, "there")
    with pytest.raises(ContextRefused):
        find_login(shell)
    with pytest.raises(ContextRefused, match="No context there"):
        contexts.drop(shell, "there")


def test_an_unknown_context_names_those_there_are(shell):
    contexts.keep(shell, "there", "https://there", "t1")
    with pytest.raises(ContextRefused, match="local, there"):
        contexts.choose(shell, "their")


@pytest.mark.parametrize("text", ["{", "[]", '{"contexts": 3}', "null"])
def test_a_damaged_book_is_named(shell, tmp_path, text):
    folder = tmp_path / "c" / "perron"
    folder.mkdir(parents=True)
    (folder / "contexts.json").write_text(text)
    with pytest.raises(ContextRefused, match=r"contexts\.json cannot be read"):
        contexts.read(shell)
