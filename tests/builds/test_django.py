"""Django: settings are read, data inside the source is refused, static files are served."""

import pytest

from perron.builds.model.detected import BuildRefused

MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")\n'
SETTINGS = """
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
INSTALLED_APPS = ["django.contrib.staticfiles"]
WSGI_APPLICATION = "site1.wsgi.application"
STATIC_URL = "static/"
"""
INSIDE = """
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
"""
OUTSIDE = 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/data/db"}}'


def site(settings, **more):
    return {
        "manage.py": MANAGE,
        "requirements.txt": "django\n",
        "site1/settings.py": SETTINGS + settings,
        "site1/wsgi.py": "",
    } | more


ALLOWED = [
    OUTSIDE,
    'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}',
    'DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop"}}',
    "import os\nDATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', "
    "'NAME': os.environ.get('DB', BASE_DIR / 'db')}}",
    "import dj_database_url\nDATABASES = {'default': dj_database_url.config()}",
    "MEDIA_ROOT = '/data/media'",
    "MEDIA_ROOT = ''",
    "",
]


@pytest.mark.parametrize("settings", ALLOWED)
def test_data_outside_the_source_is_fine(detect, settings):
    assert detect(site(settings)).detector == "python"


def test_a_database_inside_is_refused_with_the_file_and_the_lines_to_write(detect):
    with pytest.raises(BuildRefused) as refused:
        detect(site(INSIDE))
    told = refused.value.detail
    assert "site1/settings.py, line 8, keeps the database in the source folder" in told
    assert '"NAME": "/data/db.sqlite3"' in told
    assert 'mount = "/data"' in told
    assert "release: python manage.py migrate" in told
    assert "MEDIA_ROOT" not in told


def test_uploads_inside_are_refused_too(detect):
    with pytest.raises(BuildRefused, match=r"keeps uploaded files in the source"):
        detect(site(OUTSIDE + "\nimport os\nMEDIA_ROOT = os.path.join(BASE_DIR, 'media')"))


def test_both_are_told_at_once(detect):
    with pytest.raises(BuildRefused, match="keeps the database and uploaded files"):
        detect(site(INSIDE + "\nMEDIA_ROOT = BASE_DIR / 'media'"))


def test_settings_in_several_files_are_followed(detect):
    files = site("") | {
        "manage.py": MANAGE.replace("site1.settings", "site1.settings.dev"),
        "site1/settings/dev.py": "from .base import *\nDEBUG = True",
        "site1/settings/base.py": SETTINGS + INSIDE,
        "site1/settings/__init__.py": "",
    }
    del files["site1/settings.py"]
    with pytest.raises(BuildRefused, match=r"site1/settings/base.py, line 8"):
        detect(files)


def test_what_a_later_file_says_wins(detect):
    files = site("") | {
        "manage.py": MANAGE.replace("site1.settings", "site1.settings.dev"),
        "site1/settings/dev.py": f"from site1.settings.base import *\n{OUTSIDE}",
        "site1/settings/base.py": SETTINGS + INSIDE,
    }
    del files["site1/settings.py"]
    assert detect(files).detector == "python"


def test_whitenoise_serves_what_nothing_else_does(detect):
    found = detect(site(OUTSIDE))
    assert "perron_web:application" in found.manifest.processes["web"].command
    assert [step.title for step in found.plan.steps][:2] == [
        "Letting WhiteNoise serve static files",
        "Collecting static files",
    ]
    assert any("whitenoise==6.9.0" in note for note in found.notes)


def test_a_project_with_whitenoise_is_left_alone(detect):
    own = f"{OUTSIDE}\nMIDDLEWARE = ['whitenoise.middleware.WhiteNoiseMiddleware']\nSTATIC_ROOT='s'"
    found = detect(site(own))
    assert found.manifest.processes["web"].command.endswith(" site1.wsgi:application")
    assert [step.title for step in found.plan.steps][:1] == ["Collecting static files"]


def test_the_plan_is_the_same_each_time(detect):
    assert detect(site(OUTSIDE)) == detect(site(OUTSIDE))


def test_django_that_nothing_lists_is_refused(detect):
    files = site(OUTSIDE)
    del files["requirements.txt"]
    with pytest.raises(BuildRefused, match=r"Add requirements.txt with: django"):
        detect(files)


def test_a_project_in_a_folder_of_its_own_is_found(detect):
    files = {f"web/{name}": text for name, text in site(OUTSIDE).items()}
    found = detect(files | {"requirements.txt": "django"})
    assert "perron_web" in found.manifest.processes["web"].command
    assert "'/app/web'" in found.plan.steps[0].command
