import json
import re

import pytest
from click.testing import CliRunner

from perron.cli.index import COMMANDS, PERROND
from perron.cli.main import perron

from .conftest import SECRET, problem


def test_perron_alone_prints_twelve_commands_on_one_screen(person):
    done = person.perron()
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) <= 24
    assert len(re.findall(r"^  [a-z]", done.stdout, re.MULTILINE)) == 12


def test_every_command_is_listed_and_has_help_with_an_example(person):
    listed = person.perron("commands").stdout
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", listed, re.MULTILINE), name
    for name in sorted(set(COMMANDS) - set(PERROND)):
        texts = {CliRunner().invoke(perron, words).stdout for words in (
            [name, "--help"], [name, "-h"], ["help", name])}  # fmt: skip
        assert len({each.strip() for each in texts}) == 1, name
        assert f"perron {name}" in texts.pop()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["deplyo"], "No command deplyo. Did you mean perron deploy?"),
        (["apps", "crate", "x"], "No command apps crate. Did you mean perron apps create?"),
        (["ps", "--jsn"], "perron ps has no --jsn. Did you mean --json"),
        (["rollback", "two"], "two"),
        (["apps", "rename", "shop"], "Example: perron apps rename shop store"),
        (["scale", "-a", "shop", "web"], "web is no scale; write web=3."),
        (["help", "apps", "destory"], "Did you mean destroy?"),
        (["logs", "-a", "shop", "--since", "soon"], "soon is no time"),
    ],
)
def test_a_mistyped_word_gets_one_suggestion_and_exit_two(person, typed, told):
    done = person.perron(*typed)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stdout == ""


def test_apps_are_a_table_for_eyes_and_awk_and_json_for_machines(person):
    table = person.perron("apps")
    assert table.stdout.splitlines()[0].split() == [
        "APP", "ENVIRONMENT", "STATE", "RELEASE", "INSTANCES", "LAST", "DEPLOY", "URL"
    ]  # fmt: skip
    assert "● Healthy" in table.stdout
    assert "\x1b[" not in table.stdout + table.stderr
    tabs = person.perron("apps", "--tsv").stdout.splitlines()
    assert tabs[1].split("\t")[0] == "shop"
    assert json.loads(person.perron("apps", "--json").stdout)[0]["name"] == "shop"


def test_colour_can_be_asked_for_and_marks_become_words_without_utf8(person):
    assert "\x1b[32m●" in person.perron("apps", "--color", "always").stdout
    assert "\x1b[" in person.perron("apps", environment={"FORCE_COLOR": "1"}).stdout
    plain = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert "ok Healthy" in person.perron("apps", environment=plain).stdout


def test_unknown_is_a_question_mark_and_never_nothing(person):
    rows = person.perron("ps", "-a", "shop").stdout.splitlines()
    assert "40/512 M" in rows[1]
    assert "✕ Crash loop" in rows[2]
    assert "?" in rows[2]
    assert "0 M" not in rows[2]
    assert rows[2].endswith("out of memory")


def test_what_bounds_each_process_type_is_said_once(person):
    for words in (("ps", "-a", "shop"), ("apps", "info", "shop")):
        said = person.perron(*words).stderr
        assert said.count("of web: memory 512 M enforced") == 1, said


def test_quiet_leaves_the_exit_code_alone(person):
    done = person.perron("apps", "info", "none", "-q")
    assert (done.returncode, done.stdout) == (4, "")
    assert person.perron("apps", "-q").stdout == ""


def test_an_app_that_is_almost_right_is_named(person):
    done = person.perron("logs", "-a", "shpo")
    assert done.returncode == 4
    assert done.stderr.strip().endswith("Did you mean shop?")


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, 3), (403, 3), (404, 4), (409, 5), (412, 5), (413, 5), (422, 2), (400, 2), (500, 1),
     (507, 5), (503, 7)],
)  # fmt: skip
def test_every_refusal_has_its_exit_code(person, status, code):
    person.world.refuse["GET", "/v1/apps"] = problem(status, "Such", "It is so.")
    done = person.perron("apps")
    assert done.returncode == code
    assert "It is so." in done.stderr


def test_a_problem_stays_whole_for_machines(person):
    done = person.perron("apps", "info", "none", "--json")
    told = json.loads(done.stderr)
    assert (told["type"], told["app"]) == ("/v1/problems/AppNotFound", "none")


def test_verbose_tells_the_type_and_the_request(person):
    done = person.perron("ps", "-a", "none", "-v")
    assert "type /v1/problems/AppNotFound, request req-1" in done.stderr


def test_a_platform_that_is_not_there_is_exit_eight(person):
    nowhere = {"PERRON_URL": f"unix://{person.home}/none.sock"}
    done = person.perron("apps", environment=nowhere)
    assert done.returncode == 8
    assert "Apps keep serving" in done.stderr
    assert "Next   perron up" in done.stderr


def test_without_a_login_the_next_command_is_named(person):
    done = person.perron("apps", environment={"PERRON_URL": ""})
    assert done.returncode == 3
    assert "perron login URL" in done.stderr


def test_config_is_listed_without_any_secret(person):
    person.world.entries["LEVEL"] = ("info", False)
    for shape in ([], ["--tsv"], ["--json"]):
        done = person.perron("config", "-a", "shop", *shape)
        assert "TOKEN" in done.stdout
        assert "info" in done.stdout
        assert SECRET not in done.stdout + done.stderr


def test_a_secret_needs_no_argument_of_a_process(person):
    done = person.perron("config", "set", "KEY=-", "-a", "shop", input="from stdin\n")
    assert done.returncode == 0
    assert person.world.entries["KEY"] == ("from stdin", True)
    (person.home / "token.txt").write_text("from file\n")
    person.perron("config", "set", "KEY@token.txt", "-a", "shop", "--plain")
    assert person.world.entries["KEY"] == ("from file", False)
    assert "from" not in done.stdout + done.stderr


def test_an_imported_file_is_told_by_names_alone(person):
    text = "# comment\nexport A='one two'\nB=\"x\\ny\"\nC=plain # note\n"
    done = person.perron("config", "import", "-", "-a", "shop", input=text)
    assert done.returncode == 0
    wanted = {"A": "one two", "B": "x\ny", "C": "plain"}
    assert {name: person.world.entries[name][0] for name in wanted} == wanted
    assert done.stderr.splitlines() == ["A is set.", "B is set.", "C is set."]


def test_a_line_that_is_no_assignment_is_told_by_its_number(person):
    done = person.perron("config", "import", "-", "-a", "shop", input="A=1\nhunter2 oops\n")
    assert done.returncode == 2
    assert "line 2" in done.stderr
    assert "hunter2" not in done.stderr
    assert "A" not in person.world.entries


def test_revealing_prints_the_value_alone(person):
    assert person.perron("config", "reveal", "TOKEN", "-a", "shop").stdout == f"{SECRET}\n"


def test_destroying_needs_the_name(person):
    asked = person.perron("apps", "destroy", "shop")
    assert asked.returncode == 2
    assert "--yes shop" in asked.stderr
    wrong = person.perron("apps", "destroy", "shop", "--yes", "shpo")
    assert wrong.returncode == 5
    assert not person.world.named("DELETE", "/v1/apps/shop")
    done = person.perron("apps", "destroy", "shop", "--yes", "shop")
    assert done.returncode == 0
    assert "shop is destroyed." in done.stderr


def test_a_rollback_shows_the_difference_before_it_asks(person):
    person.world.releases = [
        person.world.releases[0] | {"number": 2},
        person.world.releases[0] | {"state": "replaced"},
    ]
    asked = person.perron("rollback", "-a", "shop")
    assert asked.returncode == 2
    assert "2 → 1" in asked.stderr
    assert "- CARD_RETRIES" in asked.stderr
    assert "--yes" in asked.stderr
    done = person.perron("rollback", "-a", "shop", "--yes")
    assert done.returncode == 0
    body = person.world.body_of("POST", "/v1/apps/shop/environments/production/rollback")
    assert body == {"to": 1}


def test_nothing_to_go_back_to_is_said(person):
    done = person.perron("rollback", "-a", "shop", "--yes")
    assert done.returncode == 4
    assert "No release was live before 1." in done.stderr


def test_logs_show_time_place_and_text_and_mark_gaps(person):
    line = {"cursor": "1", "time": "2026-11-21T10:23:02.291+00:00", "source": "app",
            "process": "web", "instance": "web.3", "release": 41, "late": False, "gap": "",
            "text": "declined \x1b[2J\x1b[31mred\x1b[0m"}  # fmt: skip
    person.world.lines = [line, line | {"gap": "9 lines dropped", "late": True, "release": None}]
    done = person.perron("logs", "-a", "shop", "--since", "10m")
    first, second = done.stdout.splitlines()
    assert first.startswith("10:23:02.291  web.3      41  declined ")
    assert "\x1b" not in done.stdout
    assert "10:23:02.291~" in second
    assert "(9 lines dropped)" in done.stderr
    told = [json.loads(each) for each in person.perron(
        "logs", "-a", "shop", "--json").stdout.splitlines()]  # fmt: skip
    assert told[0]["cursor"] == "1"


def test_scale_is_shown_and_changed(person):
    assert "web" in person.perron("scale", "-a", "shop").stdout
    done = person.perron("scale", "web=3", "-a", "shop")
    assert done.returncode == 0
    sent = person.world.body_of("PUT", "/v1/apps/shop/environments/production/scale")
    assert sent == {"processes": {"web": 3}}


def test_any_address_can_be_asked(person):
    done = person.perron("api", "GET", "/v1/me")
    assert json.loads(done.stdout)["name"] == "lin"
    assert person.perron("api", "GET", "/v1/nothing").returncode == 4
    assert person.perron("api", "POST", "/v1/apps", "--data", "{").returncode == 2


def test_signing_in_keeps_a_context_that_is_shown_without_its_token(person):
    fresh = {"PERRON_URL": "", "PERRON_TOKEN": ""}
    url = f"unix://{person.socket}"
    wrong = person.perron("login", url, "--token-stdin", input="bad\n", environment=fresh)
    assert wrong.returncode == 3
    done = person.perron(
        "login", url, "--token-stdin", "--name", "here", input="good\n", environment=fresh
    )
    assert done.returncode == 0
    assert "as lin, administrator" in done.stderr
    who = person.perron("whoami", environment=fresh)
    assert who.stdout.startswith("lin, administrator")
    listed = person.perron("contexts", "--json", environment=fresh)
    assert json.loads(listed.stdout)[0]["used"] is True
    assert "good" not in listed.stdout
    assert person.perron("logout", environment=fresh).returncode == 0
    assert person.perron("whoami", environment=fresh).returncode == 3


def test_a_token_is_never_asked_for_without_a_terminal(person):
    url = f"unix://{person.socket}"
    done = person.perron("login", url, "--token", environment={"PERRON_URL": ""})
    assert done.returncode == 2
    assert "--token-stdin" in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(person, shell):
    assert "_PERRON_COMPLETE" in person.perron("completion", shell).stdout


def test_exit_codes_and_problems_are_explained_offline(person):
    nowhere = {"PERRON_URL": "unix:///nowhere"}
    assert "superseded" in person.perron("explain", "6", environment=nowhere).stdout
    assert "perron apps" in person.perron("explain", "AppNotFound", environment=nowhere).stdout
    assert "Did you mean" in person.perron("explain", "app-not-fuond").stderr


def test_a_pipe_that_closes_early_is_no_fault(person):
    line = {"cursor": "1", "time": None, "source": "app", "text": "x" * 2000}
    person.world.lines = [line] * 500
    import subprocess

    from .conftest import BIN

    done = subprocess.run(
        f"{BIN}/perron logs -a shop --since 1h | head -1", shell=True, env=person.environment,
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr


def test_the_newest_lines_since_a_moment_are_those_at_the_end(person):
    line = {"cursor": "1", "time": None, "source": "app", "text": "a"}
    person.world.lines = [line | {"text": each} for each in "abcde"]
    done = person.perron("logs", "-a", "shop", "--since", "1h", "-n", "2")
    assert [each[-1] for each in done.stdout.splitlines()] == ["d", "e"]
