"""The examples, really built and run: by an agent, in sandboxes, visited through the edge."""

import os
import shutil
from pathlib import Path

import pytest

from perron.agent.sandbox import tier
from tools.rig.poison import poisoner, spoiled
from tools.rig.workshop import Workshop

EXAMPLES = Path(__file__).parents[2] / "examples"
SLOT = 11

pytestmark = [
    pytest.mark.skipif(tier() == "C", reason="this machine has no sandboxes"),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def workshop():
    made = Workshop(SLOT)
    try:
        yield made
    finally:
        made.close()


def build(workshop, folder, app, **options):
    built = workshop.build(folder, app=app, **options)
    assert built.report.state == "succeeded", built.log
    return built


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("hello", b"Hello from hello"),
        ("flask", b"Flask on Perron"),
        ("fastapi-worker", b'"instance":"web.1"'),
        ("site", b"A static site"),
        ("node", b"Guest book"),
    ],
)
def test_an_example_is_built_and_answers(workshop, name, says):
    built = build(workshop, EXAMPLES / name, name)
    assert workshop.release(built, app=name).state == "succeeded"
    workshop.serve(built, app=name)
    status, body = workshop.rig.ask(f"{name}.localhost")
    assert (status, says in body) == (200, True)


def test_one_changed_line_reuses_the_dependencies(workshop, tmp_path):
    shutil.copytree(EXAMPLES / "flask", tmp_path / "app")
    first = build(workshop, tmp_path / "app", "again")
    (tmp_path / "app" / "app.py").write_text((tmp_path / "app" / "app.py").read_text() + "\n#\n")
    second = build(workshop, tmp_path / "app", "again")
    assert first.detected.plan.layer == second.detected.plan.layer
    assert "Dependencies did not change: reused" in second.log
    assert "Installing" not in second.log


def test_a_missing_server_is_added_and_the_log_says_so(workshop, tmp_path):
    shutil.copytree(EXAMPLES / "flask", tmp_path / "app")
    (tmp_path / "app" / "requirements.txt").write_text("flask==3.1.3\n")
    built = build(workshop, tmp_path / "app", "bare")
    assert "gunicorn is not among the dependencies: adding gunicorn==23.0.0" in built.log
    workshop.serve(built, app="bare")
    assert workshop.rig.status("bare.localhost") == 200


def test_a_failed_build_says_which_step_and_why(workshop, tmp_path):
    (tmp_path / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (tmp_path / "requirements.txt").write_text("no-such-package-of-anyone==9.9\n")
    built = workshop.build(tmp_path, app="bad")
    assert (built.report.state, built.report.step) == ("failed", "Installing requirements.txt")
    assert "no-such-package-of-anyone" in built.log


def test_a_static_site_has_types_tags_caching_and_its_own_404(workshop, tmp_path):
    (tmp_path / "index.html").write_text("<h1>here</h1>" + "x" * 2000)
    (tmp_path / "404.html").write_text("<h1>not here</h1>")
    (tmp_path / "secret").mkdir()
    (tmp_path / ".env").write_text("TOKEN=1")
    (tmp_path / "perron.toml").write_text('app = "site"\n')
    (tmp_path / "about.html").write_text("about")
    for name in ("app-1a2b3c4d.js", "jquery-migrate.js"):
        (tmp_path / name).write_text("let x;")
    workshop.serve(build(workshop, tmp_path, "site"), app="site")
    page = head(workshop, "site", "/", {"Accept-Encoding": "gzip"})
    assert page["content-encoding"] == "gzip"
    assert page["content-type"] == "text/html; charset=utf-8"
    assert page["cache-control"] == "no-cache"
    assert "last-modified" not in page
    tag = head(workshop, "site", "/about")["etag"]
    assert head(workshop, "site", "/about", {"If-None-Match": tag})["status"] == 304
    assert "immutable" in head(workshop, "site", "/app-1a2b3c4d.js")["cache-control"]
    assert head(workshop, "site", "/jquery-migrate.js")["cache-control"] == "no-cache"
    for hidden in ("/.env", "/perron.toml", "/.perron/nginx.conf", "/secret/", "/../etc/passwd"):
        assert head(workshop, "site", hidden)["status"] in (400, 404), hidden
    assert workshop.rig.ask("site.localhost", "/nowhere") == (404, b"<h1>not here</h1>")


def test_another_content_of_equal_length_has_another_tag(workshop, tmp_path):
    tags = []
    for text in ("one", "two", "one"):
        (tmp_path / "index.html").write_text(text)
        workshop.serve(build(workshop, tmp_path, "tags"), app="tags")
        tags.append(head(workshop, "tags", "/")["etag"])
    assert tags[0] == tags[2] != tags[1]


def test_a_single_page_app_answers_with_its_page_but_not_for_lost_files(workshop, tmp_path):
    (tmp_path / "index.html").write_text("the page")
    (tmp_path / "perron.toml").write_text("[static]\nspa = true\n")
    workshop.serve(build(workshop, tmp_path, "spa"), app="spa")
    assert workshop.rig.ask("spa.localhost", "/users/7") == (200, b"the page")
    assert workshop.rig.status("spa.localhost", "/assets/gone.js") == 404


def test_a_build_sees_its_own_config_and_the_log_masks_it(workshop, tmp_path):
    (tmp_path / "perron.toml").write_text(
        '[build]\ncommand = "echo token is $TOKEN; echo $TOKEN > made"\n'
        '[process.web]\ncommand = "python3 -m http.server $PORT --bind 127.0.0.1"\n'
    )
    built = build(workshop, tmp_path, "masked", env={"TOKEN": "s3cret-of-the-index"})
    assert "token is ••••" in built.log
    assert "s3cret" not in built.log
    workshop.serve(built, app="masked")
    assert workshop.rig.ask("masked.localhost", "/made")[1] == b"s3cret-of-the-index\n"


def test_no_build_can_poison_what_another_one_installs(workshop, tmp_path):
    """A build writes into every file of its own site-packages; the next app gets clean ones."""
    evil = workshop.build(poisoner(tmp_path / "evil"), app="evil")
    assert evil.report.state == "succeeded", evil.log
    shutil.copytree(EXAMPLES / "flask", tmp_path / "good")
    requirements = tmp_path / "good" / "requirements.txt"
    requirements.write_text(requirements.read_text() + "# after the evil one\n")
    built = build(workshop, tmp_path / "good", "good")
    assert spoiled(workshop.home.node / "layers") == {evil.detected.plan.layer.key}
    workshop.serve(built, app="good")
    assert workshop.rig.status("good.localhost") == 200


def head(workshop, app, path, headers=None):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", workshop.rig.http_port, timeout=10)
    connection.request("GET", path, headers={"Host": f"{app}.localhost", **(headers or {})})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return {"status": answer.status} | {name.lower(): text for name, text in answer.getheaders()}


def test_nothing_is_left_of_a_closed_workshop():
    made = Workshop(SLOT + 1)
    folder = made.rig.folder
    made.close()
    assert not folder.exists()
    assert made.rig.leftovers() == []
    assert not os.path.exists(made.home.agent_socket)
