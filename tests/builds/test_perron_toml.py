"""perron.toml: every key is known, every value checked, every error says where and what."""

import json

import pytest

from perron.builds import CronSpec, ManifestRefused
from perron.builds.model import toml
from perron.builds.model.manifest import Manifest, compose
from tools import perron_toml

FULL = """
app = "shop"
[build]
root = "./api/"
python = "3.12"
node = ">=20"
command = "make"
publish = "dist"
[static]
spa = true
[release]
command = "migrate"
[process.web]
command = "serve"
health.path = "/up"
drain_timeout = "90s"
stop_timeout = 5
rollout = "stop-first"
sticky = true
memory = "512M"
cpu = 0.5
processes = 64
open_files = 1024
[process.worker]
command = "work"
[volumes.data]
mount = "/data"
size = "2G"
[network]
connect = [8123, 8123, 9000]
"""

REFUSED = {
    "colour = 1": "unknown key 'colour' at the top",
    "[biuld]": "did you mean 'build'?",
    "[process.web]\nmemroy = 1": "did you mean 'memory'?",
    "[process.web.health]\npaht = '/'": "did you mean 'path'?",
    "[build]\npyhton = '3'": "did you mean 'python'?",
    "[volumes.data]\nmuont = '/data'": "did you mean 'mount'?",
    "[network]\nconect = [1]": "did you mean 'connect'?",
    "app = 7": "app takes a text",
    "app = 'Shop'": "app cannot be 'Shop'",
    "app = [": "perron.toml is not TOML",
    "build = 1": "build is a table; write [build]",
    "process = 1": "process is a group of tables",
    "[process]\nweb = 1": "process.web is a table",
    "[process.Web]\ncommand = 'x'": "cannot have that name",
    "[process.release]\ncommand = 'x'": "'release' is no process type",
    "[process.web]\ncommand = ''": "command takes a text",
    "[process.web]\nmemory = '1 pound'": "takes a size, such as 512M",
    "[process.web]\nmemory = 1": "from 16M to 16T",
    "[process.web]\nmemory = true": "takes a size",
    "[process.web]\ncpu = 0": "from 0.01 to 1024",
    "[process.web]\ncpu = nan": "cannot be nan",
    "[process.web]\ncpu = '1'": "takes a number",
    "[process.web]\nprocesses = 2.5": "takes a whole number",
    "[process.web]\nsticky = 1": "takes true or false",
    "[process.web]\nrollout = 'blue'": "takes one of rolling, stop-first",
    "[process.web]\ndrain_timeout = -1": "from 0s to 86400s",
    "[process.web]\ndrain_timeout = 'soon'": "takes seconds or a time",
    "[process.web]\nhealth.path = 'up'": "health] path cannot be 'up'",
    "[process.web]\nhealth = {path = '/', kind = 'tcp'}": "health.path wants",
    "[process.worker]\nhealth.path = '/'": "health.path is for web",
    "[volumes.data]\nsize = '1G'": "needs a mount",
    "[volumes.data]\nmount = '/data/../etc'": "cannot have . or ..",
    "[volumes.data]\nmount = 'data'": "mount cannot be 'data'",
    "[volumes.data]\nmount = '/app/data'": "belongs to the system",
    "[volumes.a]\nmount = '/d'\n[volumes.b]\nmount = '/d/e'": "lie in each other",
    "[volumes.data]\nmount = '/data'\nsize = '1K'": "from 1M",
    "[network]\nconnect = 8123": "takes a list of up to 64 ports",
    "[network]\nconnect = [0]": "from 1 to 65535",
    "[network]\nconnect = [true]": "from 1 to 65535",
    "[build]\nroot = '../other'": "leaves the source",
    "[build]\npublish = '/etc'": "leaves the source",
}


def test_everything_that_may_be_said_is_understood():
    said = toml.parse(FULL)
    manifest = compose(said, {})
    web = manifest.processes["web"]
    assert (said.app, said.build.root, said.build.spa) == ("shop", "api", True)
    assert (web.drain_timeout, web.stop_timeout, web.rollout) == (90.0, 5.0, "stop-first")
    assert (web.memory, web.cpu, web.sticky) == (512 << 20, 0.5, True)
    assert web.health.strict
    assert web.health.path == "/up"
    assert manifest.processes["worker"].health.kind == "up"
    assert manifest.release_command == "migrate"
    assert manifest.volumes["data"].size == 2 << 30
    assert manifest.connect == [8123, 9000]


def test_a_manifest_survives_being_kept():
    manifest = compose(toml.parse(FULL), {"clock": "tick"})
    assert Manifest.from_json(json.loads(json.dumps(manifest.as_json()))) == manifest


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_is_refused_with_its_place(text):
    with pytest.raises(ManifestRefused) as refused:
        toml.parse(text)
    assert REFUSED[text] in refused.value.detail


def test_a_process_without_any_command_is_refused():
    with pytest.raises(ManifestRefused, match=r"\[process.worker\] has no command"):
        compose(toml.parse("[process.worker]\nmemory = '1G'"), {})


def test_the_command_in_perron_toml_wins_over_the_procfile():
    said = toml.parse("[process.web]\ncommand = 'mine'")
    assert compose(said, {"web": "theirs"}).processes["web"].command == "mine"


def test_health_counts_strictly_only_where_the_app_names_its_path():
    assert not compose(toml.parse(""), {"web": "x"}).processes["web"].health.strict


def test_the_published_schema_is_the_one_the_parser_reads():
    assert perron_toml.WHERE.read_text() == perron_toml.text()


def test_a_command_by_the_clock_has_its_zone_and_its_manners():
    found = toml.parse(
        '[cron.nightly]\nschedule = "0 3 * * *"\ncommand = "clean"\n'
        'timezone = "Europe/Berlin"\noverlap = "queue"\ntimeout = "10m"\n'
    ).cron["nightly"]
    assert found == CronSpec("0 3 * * *", "clean", "Europe/Berlin", "queue", 600.0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[cron.a]\ncommand = "x"\n', "needs a schedule"),
        ('[cron.a]\nschedule = "@daily"\n', "needs a command"),
        ('[cron.a]\nschedule = "61 * * * *"\ncommand = "x"\n', "is no schedule"),
        ('[cron.a]\nschedule = "@daily"\ncommand = "x"\ntimezone = "Mars"\n', "is no time zone"),
        ('[cron.a]\nschedule = "@daily"\ncommand = "x"\noverlap = "hope"\n', "skip, queue"),
        ('[cron.A]\nschedule = "@daily"\ncommand = "x"\n', "cannot have that name"),
    ],
)
def test_a_wrong_schedule_is_refused_by_its_place(text, told):
    with pytest.raises(ManifestRefused) as no:
        toml.parse(text)
    assert told in str(no.value)


def test_a_manifest_without_schedules_is_the_one_builds_were_named_by():
    assert "cron" not in compose(toml.parse(""), {"web": "run"}).as_json()
    with_one = compose(toml.parse('[cron.a]\nschedule = "@daily"\ncommand = "x"\n'), {"web": "run"})
    assert Manifest.from_json(with_one.as_json()) == with_one
