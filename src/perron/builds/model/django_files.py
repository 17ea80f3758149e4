"""The two small files a Django build gets, so that its static files are collected and served."""

from shlex import quote

from perron.contract.node import BuildStep

from .django import DjangoSite
from .shell import write_file

_PREPARE = '''"""Lets WhiteNoise serve this project's static files (written by Perron)."""

import os
import sys

FOLDER = {folder!r}
NAME = "whitenoise.middleware.WhiteNoiseMiddleware"


def prepare():
    """Set what the project leaves open, before Django reads it."""
    sys.path.insert(0, FOLDER)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", {module!r})
    from django.conf import settings

    if not settings.STATIC_ROOT:
        settings.STATIC_ROOT = "/app/.perron/static"
    if not hasattr(settings, "WHITENOISE_AUTOREFRESH"):
        settings.WHITENOISE_AUTOREFRESH = False
    if not hasattr(settings, "WHITENOISE_USE_FINDERS"):
        settings.WHITENOISE_USE_FINDERS = False
    middleware = list(settings.MIDDLEWARE)
    if NAME not in middleware:
        first = middleware[:1] == ["django.middleware.security.SecurityMiddleware"]
        settings.MIDDLEWARE = [*middleware[:first], NAME, *middleware[first:]]


def collect():
    """Gather the static files in one folder."""
    prepare()
    import django
    from django.core.management import call_command

    django.setup()
    call_command("collectstatic", interactive=False, verbosity=1)
'''
_WEB = '''"""The application with its static files (written by Perron)."""

from perron_django import prepare

prepare()

from {module} import {name} as application  # noqa: E402, F401
'''
# A key for this one command: nothing that is signed with it leaves the build.
_THROW_AWAY = """random=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \\n')
export SECRET_KEY="${SECRET_KEY:-$random}" DJANGO_SECRET_KEY="${DJANGO_SECRET_KEY:-$random}"
export DATABASE_URL="${DATABASE_URL:-sqlite://:memory:}"
[ "${DISABLE_COLLECTSTATIC:-0}" = 0 ] || { echo 'DISABLE_COLLECTSTATIC is set'; exit 0; }
"""


def wrapper(site: DjangoSite) -> BuildStep:
    """Return the step that writes the files ``perron_web`` is made of."""
    module, _, name = site.application.partition(":")
    folder = f"/app/{site.folder}".rstrip("/")
    prepare = _PREPARE.format(folder=folder, module=site.module)
    command = write_file(".perron/perron_django.py", prepare)
    command += write_file(".perron/perron_web.py", _WEB.format(module=module, name=name))
    return BuildStep(title="Letting WhiteNoise serve static files", command=command)


def collect(site: DjangoSite, *, wrapped: bool) -> BuildStep:
    """Return the step that runs collectstatic."""
    if wrapped:
        script = "import sys; sys.path.insert(0, '/app/.perron'); import perron_django as site; "
        command = f"python -c {quote(script + 'site.collect()')}"
    else:
        command = f"python {quote(site.folder or '.')}/manage.py collectstatic --noinput"
        command = f"DJANGO_SETTINGS_MODULE=${{DJANGO_SETTINGS_MODULE:-{site.module}}} {command}"
    return BuildStep(title="Collecting static files", command=_THROW_AWAY + command)
