"""Every setting of a platform with its default, from the dataclass that holds them."""

from dataclasses import fields

from perron.kit.settings import GIB, MIB, Settings

HEAD = """# Settings

How a platform is set up is in `settings.json` in its home. `perron platform settings` shows it,
`perron platform set NAME=VALUE` changes it, and the next `perron down && perron up` takes it over.
`PERRON_` and the name in capitals, in the environment of `perron up`, wins over the file. Sizes
are bytes and durations seconds.

This page is made from the code by `python -m tools.reference`.

| setting | by default | what it is |
|---|---|---|
"""
ABOUT = {
    "http_port": "Where the edge speaks HTTP; 80 when root set it up, another when taken.",
    "https_port": "Where the edge speaks HTTPS; 443 when root set it up.",
    "bind": "Addresses the edge binds, with commas between; `perron up --public` binds all.",
    "domain": "The host of the dashboard and of the API.",
    "apps_domain": "What the hosts of apps end in: `shop.localhost`, `shop--staging.localhost`.",
    "trusted_proxies": "Networks of proxies before the edge, with commas between: what they say in "
    "`X-Forwarded-For` and `-Proto` is kept and added to; what anybody else says is replaced.",
    "haproxy": "Path of an HAProxy; else the one that came along.",
    "bwrap": "Path of a bubblewrap; else the one that came along, or the system's.",
    "trusted": "Where no sandbox can be made, one team's apps run without one.",
    "pythons": "More interpreters for builds, paths with colons between.",
    "builds_at_once": "How many builds run side by side.",
    "build_memory": "What one build may use.",
    "build_timeout": "How long one build may take.",
    "build_disk": "What one build may write.",
    "build_cache": "What package managers keep for one team, before it is emptied.",
    "max_source": "How large a packed folder may be.",
    "disk_reserve": "What stays free on the disk: builds and uploads stop before.",
    "instance_memory": "What an instance may use, unless `perron.toml` says otherwise.",
    "instance_cpu": "Cores it may use, unless `perron.toml` says otherwise; 0 is no bound.",
    "instance_processes": "Processes and threads an instance may have.",
    "instance_files": "Files one process of an instance may have open.",
    "teams_by": "Who founds teams: `administrators`, or `everyone`.",
    "backups_hourly": "Of how many hours the newest backup is kept.",
    "backups_daily": "Of how many days the newest backup is kept.",
    "backups_weekly": "Of how many weeks the newest backup is kept.",
    "fetch": "The environment in which builds reach package indexes, taken over from the first "
    "`perron up`; `perron platform set fetch.UV_DEFAULT_INDEX=…`.",
}
OURS = {"version", "slot"}  # kept by the platform itself


def page() -> str:
    """Return the page; a setting that nobody described stops it."""
    rows = [
        f"| `{each.name}` | {_shown(getattr(Settings(), each.name))} | {ABOUT[each.name]} |\n"
        for each in fields(Settings)
        if each.name not in OURS
    ]
    return HEAD + "".join(rows)


def _shown(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value and value % MIB == 0:
        return f"{value // GIB} GB" if value % GIB == 0 else f"{value // MIB} MB"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, bool):
        return str(value).lower()
    return f"`{value}`" if value else "–"
