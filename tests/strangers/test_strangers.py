"""Projects that nobody here wrote, built and run as they come from their generators."""

import re

import pytest

from perron.agent.sandbox import tier
from perron.builds.model.detected import BuildRefused
from tools.rig import strangers
from tools.rig.workshop import Workshop

SLOT = 12

pytestmark = [
    pytest.mark.skipif(tier() == "C", reason="this machine has no sandboxes"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def workshop():
    made = Workshop(SLOT)
    try:
        yield made
    finally:
        made.close()


def live(workshop, folder, app):
    built = workshop.build(folder, app=app)
    assert built.report.state == "succeeded", built.log
    assert workshop.release(built, app=app).state == "succeeded"
    workshop.serve(built, app=app)
    return built


def page(workshop, app, path="/"):
    status, body = workshop.rig.ask(f"{app}.localhost", path)
    assert status == 200, body[-500:]
    return body


def test_pypiserver_answers(workshop, tmp_path):
    live(workshop, strangers.pypiserver(tmp_path / "p"), "pypi")
    assert b"Welcome to pypiserver" in page(workshop, "pypi")


def test_an_express_generator_app_answers(workshop, tmp_path):
    live(workshop, strangers.express(tmp_path / "e"), "express")
    assert b"Welcome to Express" in page(workshop, "express")
    assert b"font" in page(workshop, "express", "/stylesheets/style.css")


@pytest.mark.slow
def test_a_vite_site_is_built_and_its_assets_are_kept_for_ever(workshop, tmp_path):
    live(workshop, strangers.vite(tmp_path / "v"), "vite")
    asset = re.search(rb'src="(/assets/[^"]+)"', page(workshop, "vite"))[1].decode()
    assert page(workshop, "vite", asset)


@pytest.mark.slow
def test_datasette_answers(workshop, tmp_path):
    live(workshop, strangers.datasette(tmp_path / "d"), "datasette")
    assert b"wren" in page(workshop, "datasette", "/birds/bird")


@pytest.mark.slow
def test_an_untouched_wagtail_is_refused_with_the_lines_to_write(workshop, tmp_path):
    folder = strangers.wagtail_untouched(tmp_path / "w")
    with pytest.raises(BuildRefused) as refused:
        workshop.build(folder, app="raw")
    assert "mysite/settings/base.py" in refused.value.detail
    assert '"NAME": "/data/db.sqlite3"' in refused.value.detail
    assert 'MEDIA_ROOT = "/data/media"' in refused.value.detail


@pytest.mark.slow
def test_a_wagtail_site_with_its_data_on_a_volume_is_live(workshop, tmp_path):
    live(workshop, strangers.wagtail(tmp_path / "w"), "wagtail")
    assert b"Welcome to your new Wagtail site" in page(workshop, "wagtail")
    admin = page(workshop, "wagtail", "/admin/login/")
    styles = re.search(rb'href="(/static/wagtailadmin/css/[^"]+)"', admin)[1].decode()
    assert page(workshop, "wagtail", styles)
