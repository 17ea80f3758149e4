"""The edge's own pages: what visitors see where no instance can answer them."""

from collections.abc import Iterator
from pathlib import Path

from perron.kit.files import private_folder, write_whole

TEXTS = {
    "unknown": ("No such app", "No app answers to this name. Check the address."),
    "empty": ("Nothing here yet", "This app has not been deployed yet."),
    "stopped": ("Stopped", "This app was stopped by its team."),
    "starting": ("Starting", "This app is starting; ask again in a moment."),
    "crashed": ("Not answering", "This app does not answer at the moment. Its team can see why."),
    "maintenance": ("Maintenance", "This app is being worked on. Please come back later."),
    "platform": ("Perron is away", "The platform's server does not answer. Apps keep running."),
}
REFUSALS = {
    "401": ("Protected", "This app wants a name and a password."),
    "413": ("Too large", "The request is larger than this app accepts."),
}
STATUS = {"unknown": 404, "empty": 404, "401": 401, "413": 413}
RETRY_AFTER = {"starting": 2, "maintenance": 60, "crashed": 10, "platform": 2, "stopped": 300}
ERRORS = {
    400: ("Bad request", "The edge could not read this request."),
    408: ("Too slow", "The request did not arrive in time."),
    413: REFUSALS["413"],
    500: ("Edge error", "Something went wrong at the edge."),
    502: ("Bad answer", "The app closed the connection or answered in a way that is not HTTP."),
    503: ("Not answering", "This app does not answer at the moment. Its team can see why."),
    504: ("No answer in time", "The app took too long to answer."),
}
_HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>{refresh}
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root{{color-scheme:light dark;--paper:light-dark(#f7f6f3,#12151f);
--ink:light-dark(#1b2033,#f0efeb);--soft:light-dark(#5b606d,#a3a8b5);--edge:#f0bf2a}}
body{{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--paper);
color:var(--ink);font:17px/1.5 system-ui,sans-serif}}
main{{max-width:34em;padding:2em}}h1{{font-size:1.7em;margin:0;line-height:1.2}}
hr{{border:0;border-top:4px solid var(--edge);width:4em;margin:1.1em 0}}
p{{margin:.4em 0}}small{{color:var(--soft);font-family:ui-monospace,monospace}}
</style></head>
<body><main><h1>{title}</h1><hr><p>{text}</p><p><small>{status} · {id}</small></p></main></body>
</html>
"""
_JSON = (
    '{{"type":"/v1/problems/{code}","title":"{title}","status":{status},"detail":"{text}",'
    '"request_id":"{id}"}}\n'
)
_ID = "%[var(txn.id)]"


def status_of(page: str) -> int:
    """Return the status a page is shown with."""
    return STATUS.get(page, 503)


def write(folder: Path, measure: Path) -> None:
    """Write every page where HAProxy reads it when it starts, and what shows one of them."""
    private_folder(folder)
    for name, words in {**TEXTS, **REFUSALS}.items():
        html, json = _bodies(name, *words, status_of(name))
        _keep(folder / f"{name}.html", _escaped(html))
        _keep(folder / f"{name}.json", json.replace("\0", _ID))
    _keep(folder / "errors.map", "".join(_halves()))
    _keep(measure, Path(__file__).with_name("measure.lua").read_text())


def _halves() -> Iterator[str]:
    """Yield each error in both forms, what is before the request id and what is after it."""
    for status, words in ERRORS.items():
        for form, body in zip(("", "json"), _bodies(str(status), *words, status), strict=True):
            head, tail = body.replace("\n", " ").split("\0")
            yield f"{status}.{form}.head {head}\n{status}.{form}.tail {tail}\n"


def _bodies(name: str, title: str, text: str, status: int) -> tuple[str, str]:
    refresh = '<meta http-equiv="refresh" content="2">' if name == "starting" else ""
    facts = {"title": title, "text": text, "status": status, "id": "\0"}
    code = f"Edge{title.title().replace(' ', '')}"
    return _HTML.format(**facts, refresh=refresh), _JSON.format(**facts, code=code)


def _escaped(html: str) -> str:
    return html.replace("%", "%%").replace("\0", _ID)


def _keep(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        write_whole(path, text)
