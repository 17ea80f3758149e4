import json
import os
import signal
import subprocess
import time

from .conftest import BIN, NOW, problem, release_of

RELEASES = "/v1/apps/shop/environments/production/releases"
LATER = "2026-11-21T10:23:42.100000+00:00"


def step(name, state="done", message=""):
    finished = LATER if state in ("done", "failed") else None
    return "step", {"name": name, "state": state, "started": NOW, "finished": finished,
                    "message": message}  # fmt: skip


def test_a_deploy_prints_its_url_on_stdout_and_all_else_on_stderr(person):
    person.world.events = [step("build", message="Python 3.13 from uv.lock"), step("live")]
    done = person.perron("deploy", str(person.folder()), "-a", "shop")
    assert done.returncode == 0
    assert done.stdout == "http://shop.localhost:8080/\n"
    lines = done.stderr.splitlines()
    assert lines[0] == "shop, production: release 2 by lin, from a folder without git"
    assert "● Upload" in lines[1]
    assert "1 file" in lines[1]
    assert "● Build      1.1 s  Python 3.13 from uv.lock" in lines[2]
    assert "Live" not in done.stderr.replace("is live", "")
    assert "0 of 171 requests lost." in done.stderr
    assert "curl -H 'Host: shop.localhost' http://127.0.0.1:8080/" in done.stderr


def test_a_refused_release_tells_reason_last_lines_and_what_next(person):
    person.world.ending, person.world.reason = "failed", "web.1 did not answer /health in 30 s"
    said = [{"time": NOW, "text": "Session store gave up"}, "plain \x1b]0;evil\x07line"]
    person.world.events = [
        step("build"),
        ("progress", {"position": 3, "at": NOW, "step": "start", "text": "no",
                      "facts": {"lines": said, "instance": "web.1"}}),
        step("start", "failed", "web.1 did not answer"),
    ]  # fmt: skip
    done = person.perron("deploy", str(person.folder()), "-a", "shop")
    assert (done.returncode, done.stdout) == (1, "")
    assert "✕ Start" in done.stderr
    assert "Last lines of web.1:" in done.stderr
    assert "10:23:41.000  Session store gave up" in done.stderr
    assert "\x1b]0;" not in done.stderr
    assert "Release 2 was refused. 1 keeps serving. 0 of 171 requests lost." in done.stderr
    assert "Why    web.1 did not answer /health in 30 s" in done.stderr
    assert done.stderr.splitlines()[-1] == "Next   perron logs -a shop --release 2"


def test_a_superseded_deploy_says_so_and_ends_with_six(person):
    person.world.ending, person.world.reason = "superseded", "ada asked for release 44."
    person.world.events = [step("build"), step("start", "failed", "Release 44 is newer.")]
    done = person.perron("deploy", str(person.folder()), "-a", "shop")
    assert done.returncode == 6
    assert "Superseded: ada asked for release 44." in done.stderr
    assert "□ Start" in done.stderr
    assert "✕" not in done.stderr


def test_a_parked_rollout_is_neither_done_nor_failed(person):
    person.world.ending = "parked"
    assert person.perron("deploy", str(person.folder()), "-a", "shop").returncode == 7


def test_a_first_deploy_without_a_terminal_needs_create(person):
    folder = person.folder("My Hello_App")
    asked = person.perron("deploy", str(folder))
    assert asked.returncode == 2
    assert "--create" in asked.stderr
    done = person.perron("deploy", str(folder), "--create")
    assert done.returncode == 0
    assert person.world.apps == ["shop", "my-hello-app"]
    assert done.stderr.startswith("my-hello-app, production: release 1")
    again = person.perron("deploy", cwd=folder)
    assert again.stderr.startswith("my-hello-app, production: release 2")
    assert not (folder / ".perron").exists()


def test_a_first_deploy_says_whose_the_app_is_when_one_is_in_several_teams(person):
    folder = str(person.folder("till"))
    assert person.perron("deploy", folder, "--create", "--team", "payments").returncode == 0
    assert person.world.owner == {"till": "payments"}


def test_an_app_that_was_named_wrongly_is_not_created_by_itself(person):
    done = person.perron("deploy", str(person.folder()), "-a", "shpo")
    assert done.returncode == 4
    assert "no app 'shpo'" in done.stderr
    assert "--create" in done.stderr
    assert person.world.apps == ["shop"]


def test_perron_toml_names_the_app_from_below_too(person):
    folder = person.folder("x", **{"perron.toml": 'app = "shop"\n', "in/side/a": "a"})
    done = person.perron("ps", cwd=folder / "in" / "side")
    assert done.returncode == 0
    assert "shop (from perron.toml)" in done.stderr


def test_detach_leaves_with_the_url_and_how_to_follow(person):
    done = person.perron("deploy", str(person.folder()), "-a", "shop", "--detach")
    assert done.stdout == "http://shop.localhost:8080/\n"
    assert "perron operations show op_2" in done.stderr
    assert not person.world.named("GET", "/v1/operations/op_2/events")


def test_json_is_one_object_a_line_and_problems_are_whole(person):
    person.world.events = [step("build")]
    done = person.perron("deploy", str(person.folder()), "-a", "shop", "--json")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["event"] for each in told] == ["step", "state", "release"]
    person.world.ending, person.world.reason = "failed", "no"
    failed = person.perron("deploy", str(person.folder()), "-a", "shop", "--json")
    assert failed.returncode == 1
    assert json.loads(failed.stderr.splitlines()[-1])["detail"] == "no"


def test_a_dry_run_sends_names_and_asked_for_files_only(person):
    folder = person.folder("x", **{"requirements.txt": "flask\n", "secret.py": "KEY = 1\n"})
    done = person.perron("deploy", str(folder), "-a", "shop", "--dry-run")
    assert done.returncode == 0
    assert "python" in done.stdout
    sent = person.world.body_of("POST", "/v1/apps/shop/detect")
    assert sent["contents"] == {"requirements.txt": "flask\n"}
    assert sent["files"] == ["requirements.txt", "secret.py"]
    assert not person.world.named("PUT", "/v1/apps/shop/sources")
    assert not person.world.named("POST", "/v1/apps/shop/environments/production/releases")


def test_a_build_of_another_environment_is_deployed_without_an_upload(person):
    done = person.perron(
        "deploy", "-a", "shop", "--from-release", "1", "--from-environment", "staging"
    )
    assert done.returncode == 0
    sent = person.world.body_of("POST", "/v1/apps/shop/environments/production/releases")
    assert (sent["from_release"], sent["from_environment"]) == (1, "staging")
    assert not person.world.named("PUT", "/v1/apps/shop/sources")


def test_an_env_file_stays_at_home_and_its_values_appear_nowhere(person):
    folder = person.folder("x", **{"Procfile": "web: x\n", ".env": "TOKEN=hunter2hunter2\n"})
    done = person.perron("deploy", str(folder), "-a", "shop", "-v")
    assert ".env stays here" in done.stderr
    assert "perron config import .env" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr


def test_a_source_the_platform_finds_too_large_names_the_heavy_folders(person):
    person.world.refuse["PUT", "/v1/apps/shop/sources"] = problem(
        413, "SourceTooLarge", "The source may have 1 MB."
    )
    folder = person.folder("x", **{"media/films/a": "a" * 5000, "b": "b"})
    done = person.perron("deploy", str(folder), "-a", "shop")
    assert done.returncode == 5
    assert "media/films/ 4.9 KB" in done.stderr


def test_ctrl_c_leaves_and_says_what_goes_on(person):
    person.world.hang = True
    person.world.events = [step("build", "started")]
    typed = subprocess.Popen(
        [str(BIN / "perron"), "deploy", str(person.folder()), "-a", "shop"], text=True,
        env=person.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + 20
    while not person.world.named("GET", "/v1/operations/op_2/events"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    typed.stderr.readline()
    os.kill(typed.pid, signal.SIGINT)
    out, err = typed.communicate(timeout=10)
    assert typed.returncode == 130
    assert "Left. Release 2 goes on; `perron cancel -a shop` stops it." in err
    assert out == ""


def test_the_commit_of_the_live_release_is_where_the_commits_are_counted_from(person):
    folder = person.folder()
    git = ["git", "-C", str(folder), "-c", "user.name=Ada", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "One"], check=True)
    first = subprocess.check_output([*git, "rev-parse", "HEAD"], text=True).strip()
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "Two\n\nFixes: 7"], check=True)
    person.world.releases = [release_of(1, provenance={"sha": first})]
    done = person.perron("deploy", str(folder), "-a", "shop")
    assert done.returncode == 0, done.stderr
    sent = person.world.body_of("POST", "/v1/apps/shop/environments/production/releases")
    facts = sent["provenance"]
    assert [each["subject"] for each in facts["commits"]] == ["Two"]
    assert facts["commits"][0]["trailers"] == {"Fixes": "7"}
    assert (facts["branch"], facts["dirty"], facts["missing"]) == ("main", False, 0)
    assert facts["author"] == "Ada <a@b.c>"
    assert "declared" not in facts


def test_an_unchanged_folder_makes_no_release_and_says_so(person):
    same = problem(409, "NothingChanged", "Nothing changed.", release=1, url="http://shop.test/")
    person.world.refuse["POST", RELEASES] = same
    done = person.perron("deploy", str(person.folder()), "-a", "shop")
    assert (done.returncode, done.stdout) == (0, "http://shop.test/\n")
    assert done.stderr.splitlines()[0] == "shop, production: nothing changed since release 1."
    assert "--force" in done.stderr
    told = person.perron("deploy", str(person.folder()), "-a", "shop", "--json")
    assert json.loads(told.stdout)["event"] == "unchanged"


def test_by_force_a_release_is_asked_for_all_the_same(person):
    person.perron("deploy", str(person.folder()), "-a", "shop", "--force")
    assert person.world.body_of("POST", RELEASES)["force"] is True
