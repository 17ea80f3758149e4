"""Every page of the dashboard, by a name for its picture: what tests and screenshots walk."""

from urllib.parse import urlsplit

from .browser import Page
from .platform import Platform

THEMES = ("light", "dark")
WIDTHS = (1440, 390)

OPEN = {"login": "/login", "login-token": "/login?with=token"}
EMPTY = {"empty-apps": "/"}
FULL = {
    "apps": "/",
    "overview": "/apps/shop",
    "overview-staging": "/apps/shop?env=staging",
    "releases": "/apps/shop/releases",
    "release": "/apps/shop/releases/3",
    "release-failed": "/apps/shop/releases/4",
    "instances": "/apps/shop/instances",
    "logs": "/apps/shop/logs",
    "logs-filtered": "/apps/shop/logs?text=declined&level=error",
    "logs-nothing": "/apps/shop/logs?text=nobody-said-this",
    "config": "/apps/shop/config",
    "config-key": "/apps/shop/config?key=GATEWAY_KEY",
    "domains": "/apps/shop/domains",
    "domains-protected": "/apps/shop/domains?env=staging",
    "volumes": "/apps/shop/volumes",
    "schedules": "/apps/shop/schedules",
    "schedule": "/apps/shop/schedules?schedule=report",
    "activity": "/apps/shop/activity",
    "activity-all": "/apps/shop/activity?all=1",
    "settings": "/apps/shop/settings",
    "drafts": "/apps/drafts",
    "drafts-releases": "/apps/drafts/releases",
    "drafts-instances": "/apps/drafts/instances",
    "drafts-logs": "/apps/drafts/logs",
    "drafts-config": "/apps/drafts/config",
    "drafts-volumes": "/apps/drafts/volumes",
    "drafts-schedules": "/apps/drafts/schedules",
    "drafts-activity": "/apps/drafts/activity",
    "teams": "/teams",
    "team": "/teams/main",
    "team-empty": "/teams/lab",
    "quotas": "/teams/main/quotas",
    "people": "/people",
    "person": "/people/noor",
    "you": "/you",
    "audit": "/audit",
    "platform": "/platform",
    "not-found": "/apps/nowhere",
}
DIALOGS = {
    "dialog-restart": ("/apps/shop/instances", "restart"),
    "dialog-stop": ("/apps/shop/instances", "stop"),
    "dialog-unset": ("/apps/shop/config?key=GATEWAY_KEY", "unset"),
    "dialog-maintenance": ("/apps/shop/domains", "maintain"),
    "dialog-volume": ("/apps/shop/volumes", "destroy-1"),
    "dialog-destroy": ("/apps/shop/settings", "destroy-app"),
    "dialog-new-app": ("/", "new-app"),
    "dialog-deploy": ("/apps/shop", "deploy"),
    "dialog-schedule": ("/apps/shop/schedules?schedule=report", "remove"),
    "dialog-team": ("/teams/lab", "delete"),
    "dialog-person": ("/people/noor", "remove"),
    "dialog-promote": ("/people/noor", "promote"),
    "dialog-keys": ("/", "keys"),
    "dialog-palette": ("/apps/shop", "palette"),
}


def address(here: Platform, path: str = "/") -> str:
    """Where a page of this platform is."""
    return f"http://perron.localhost:{here.http_port}{path}"


def sign_in(page: Page, here: Platform) -> None:
    """Sign in as who started the platform, by a link that is good once."""
    link = here.perron("dashboard", "--url").stdout.strip()
    page.go(address(here, urlsplit(link).path))
    page.at("/")


def open_dialog(page: Page, name: str) -> None:
    """Open a dialog of the page; the palette by its keys, with something found."""
    if name == "palette":
        page.press("Control+k")
        page.until("document.querySelectorAll('#results [role=option]').length > 3")
        return
    page.read(f"document.getElementById({name!r}).showModal()")
