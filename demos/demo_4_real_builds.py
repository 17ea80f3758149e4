"""Real builds: projects that nobody here wrote, and the examples, live through the edge."""

import base64
import re

import httpx
from stage import IS_SHORT, must, platform, show, wait_until

from tools.rig import strangers
from tools.rig.platform import offered_pythons
from tools.rig.poison import poisoner, spoiled

EXAMPLES = ("hello", "flask", "fastapi-worker", "node", "site")
PASSWORD = "a long one, never on a command line"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5E"
    "rkJggg=="
)


def visitor(here, app):
    """A browser with cookies; hosts do not resolve here, so it says which one it means."""
    host = {"Host": f"{app}.localhost"}
    address = f"http://127.0.0.1:{here.http_port}"
    return httpx.Client(base_url=address, headers=host, follow_redirects=True, timeout=30)


def holds(here, app, path, says):
    """The page is there and says so."""
    with visitor(here, app) as browser:
        page = browser.get(path)
    if page.status_code != 200 or says not in page.text:
        print(page.status_code, page.text[:2000])
    must(page.status_code == 200 and says in page.text, f"{app}{path} says “{says}”")
    return page.text


def deploy(here, folder, app):
    """Deploy, and say what was recognised."""
    here.perron("deploy", str(folder), "-a", app, "--create", timeout=400)
    show(f"{app} is live")


def pypiserver(here):
    deploy(here, strangers.pypiserver(here.folder / "pypi"), "pypi")
    holds(here, "pypi", "/", "Welcome to pypiserver")


def express(here):
    deploy(here, strangers.express(here.folder / "express"), "express")
    holds(here, "express", "/", "Welcome to Express")
    holds(here, "express", "/stylesheets/style.css", "font")


def vite(here):
    deploy(here, strangers.vite(here.folder / "vite"), "vite")
    asset = re.search(r'src="(/assets/[^"]+)"', holds(here, "vite", "/", "/assets/"))[1]
    with visitor(here, "vite") as browser:
        kept = browser.get(asset).headers["cache-control"]
    must("immutable" in kept, f"its hashed asset may be kept for ever: {kept}")


def datasette(here):
    deploy(here, strangers.datasette(here.folder / "datasette"), "datasette")
    holds(here, "datasette", "/birds/bird", "wren")


def untouched_wagtail(here):
    """As it comes it would lose its data with every release: refused, with the lines to write."""
    folder = strangers.wagtail_untouched(here.folder / "untouched")
    refused = here.perron("deploy", str(folder), "-a", "untouched", "--create", check=False)
    print(refused.stderr)
    must(refused.returncode != 0, "an untouched wagtail start is refused")
    must("mysite/settings/base.py" in refused.stderr, "the refusal names the file")
    for line in ('"NAME": "/data/db.sqlite3"', 'MEDIA_ROOT = "/data/media"', 'mount = "/data"'):
        must(line in refused.stderr, f"and prints the line: {line}")


def wagtail(here):
    folder = strangers.wagtail(here.folder / "wagtail")
    deploy(here, folder, "wagtail")
    holds(here, "wagtail", "/", "Welcome to your new Wagtail site")
    login = holds(here, "wagtail", "/admin/login/", "Sign in")
    styles = re.search(r'href="(/static/wagtailadmin/css/[^"]+)"', login)[1]
    with visitor(here, "wagtail") as browser:
        must(len(browser.get(styles).content) > 10_000, "the admin has its styles")
    images = upload_image(here)
    page = folder / "home" / "templates" / "home" / "welcome_page.html"
    page.write_text(page.read_text().replace("Welcome to your new", "Welcome again to your"))
    deploy(here, folder, "wagtail")
    holds(here, "wagtail", "/", "Welcome again to your Wagtail site")
    for image in images:
        with visitor(here, "wagtail") as browser:
            seen = browser.get(image)
        must(seen.status_code == 200 and seen.content[:4] == b"\x89PNG", f"{image} outlived it")


def upload_image(here):
    """Make a superuser with ``perron run``, sign in, upload; return where it is."""
    make = (
        "read -r DJANGO_SUPERUSER_PASSWORD; export DJANGO_SUPERUSER_PASSWORD; "
        "python manage.py createsuperuser --noinput --username ada --email ada@example.org"
    )
    here.perron("run", "-a", "wagtail", "--", "sh", "-c", make, input=PASSWORD + "\n")
    with visitor(here, "wagtail") as browser:
        send(browser, "/admin/login/", {"username": "ada", "password": PASSWORD})
        send(browser, "/admin/images/add/", {"title": "Wren"}, {"file": ("wren.png", PIXEL)})
        listed = browser.get("/admin/images/").text
    must("Wren" in listed, "signed in, an image was uploaded in the admin")
    small = re.search(r'src="(/media/images/[^"]+)"', listed)[1]
    return small, "/media/original_images/wren.png"


def send(browser, path, fields, files=None):
    """Fill in a form of Django's and send it."""
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get(path).text)[1]
    browser.post(path, data=fields | {"csrfmiddlewaretoken": token}, files=files)


def poisoning(here):
    """An app spoils its own Flask while it is built; the next one gets a clean Flask."""
    deploy(here, poisoner(here.folder / "evil"), "evil")
    layers = here.home / "node" / "layers"
    must(len(spoiled(layers)) == 1, "a build wrote into every file of its own Flask")
    deploy(here, here.app("flask", to="clean"), "clean")
    must(len(spoiled(layers)) == 1, "the next app's Flask, from the same cache, is clean")
    holds(here, "clean", "/", "Flask on Perron")


def examples(here):
    for name in EXAMPLES:
        deploy(here, here.app(name), name)
        wait_until(lambda name=name: here.status(f"{name}.localhost") == 200)
        must(True, f"{name} answers")


ALL = (examples, poisoning, pypiserver, express, vite, datasette, untouched_wagtail, wagtail)

with platform(PERRON_PYTHONS=offered_pythons()) as here:
    for part in (pypiserver, express) if IS_SHORT else ALL:
        part(here)
