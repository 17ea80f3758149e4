"""How a request becomes a page: in threads of the dashboard's own, as whoever is signed in."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from urllib.parse import parse_qsl

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from perron.client import Client, Refused, Unreachable
from perron.contract import browsers

from . import cookies, drawing, errors, live
from .asking import Act, Ask, Done, Page, Shown, with_query
from .drawing import draw
from .parts import Parts
from .surroundings import Surroundings
from .words import Clock, zone_named

log = logging.getLogger(__name__)
Given = TypeVar("Given")

THREADS = 16  # never those of the API: pages wait for answers of the API
PATIENCE = 2.0  # seconds for an API that is there but busy
LARGEST_FORM = 2 << 20
MOST_FIELDS = 2000
FORM = "application/x-www-form-urlencoded"
BY_SCRIPT = "x-perron-script"


class Answering:
    """Answers requests for pages and acts."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.threads = ThreadPoolExecutor(THREADS, "dashboard")
        self.is_warm = False

    async def page(self, request: Request, page: Page) -> Response:
        """Show a page, or follow it live."""
        ask = self.ask(request)
        self._warm()
        if not page.is_open and not ask.session.secret:
            return _to_login(request)
        if "text/event-stream" in request.headers.get("accept", ""):
            return self._follow(request, page)
        return await self.run(lambda: self._show(request, ask, page))

    async def act(self, request: Request, act: Act) -> Response:
        """Change something, and say where to go; or show the page again with what went wrong."""
        ask = self.ask(request, await _form(request))
        if not act.is_open and not ask.session.secret:
            return _to_login(request)
        if why := _not_ours(request, ask):
            return await self.run(lambda: self._draw(request, ask, errors.not_ours(why)))
        return await self.run(lambda: self._act(request, ask, act))

    async def show_refusal(self, request: Request, why: Exception) -> Response:
        """Show that nothing is at an address."""
        status = why.status_code if isinstance(why, HTTPException) else 500
        ask = self.ask(request)
        return await self.run(lambda: self._draw(request, ask, errors.of_status(ask, status)))

    async def show_fault(self, request: Request, fault: Exception) -> Response:
        """Show that the fault is ours; the server's log has the rest."""
        return self._fault(request, self.ask(request), fault)

    async def run(self, work: Callable[[], Given]) -> Given:
        """Do something that waits, without keeping anybody else waiting."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)

    def ask(self, request: Request, form: FormData | None = None) -> Ask:
        """Return what a request asks, as whoever is signed in."""
        scheme = request.headers.get("x-forwarded-proto", "http")
        session = cookies.session_in(request.cookies, scheme)
        return Ask(
            client=self._client(request, session),
            session=session,
            path=request.url.path,
            at=request.path_params,
            query=request.query_params,
            clock=Clock(self.around.now(), zone_named(request.cookies.get(cookies.ZONE, ""))),
            form=form or FormData(),
            scheme=scheme,
            host=request.headers.get("host", ""),
            device=browsers.device_in(request.cookies),
        )

    def _warm(self) -> None:
        """Read all templates once somebody comes; a server that nobody looks at starts lean."""
        if not self.is_warm:
            self.is_warm = True
            self.threads.submit(drawing.warm)

    def _client(self, request: Request, session: cookies.Session) -> Client:
        """Return a client that says for whom it asks, and from where."""
        passed = ("x-forwarded-for", "user-agent")
        said = {name: request.headers[name] for name in passed if name in request.headers}
        return Client(
            f"unix://{self.around.api}",
            session.secret,
            headers=said,
            gone=PATIENCE,
            nobody=PATIENCE,
        )

    def _follow(self, request: Request, page: Page) -> Response:
        def drawn() -> Parts:
            ask, parts = self.ask(request), Parts()
            try:
                shown = page.show(ask)
                if isinstance(shown, Shown):
                    parts.page = shown.template
                    draw(ask, shown, parts)
            finally:
                ask.client.close()
            return parts

        async def look() -> Parts:
            return await self.run(drawn)

        seen = request.headers.get("last-event-id") or request.query_params.get("_seen", "")
        return live.follow(look, self.around.listen, seen)

    def _show(self, request: Request, ask: Ask, page: Page) -> Response:
        return self._guarded(request, ask, lambda: page.show(ask), is_open=page.is_open)

    def _act(self, request: Request, ask: Ask, act: Act) -> Response:
        def done_or_shown() -> Shown | Done:
            try:
                return act.do(ask)
            except Refused as refused:
                if act.show is None or refused.status in (401, 404):
                    raise
                shown = act.show(ask.again(refused))
                return Shown(shown.template, {**shown.facts, "refused": refused}, refused.status)

        return self._guarded(request, ask, done_or_shown, is_open=act.is_open)

    def _guarded(
        self, request: Request, ask: Ask, make: Callable[[], Shown | Done], *, is_open: bool
    ) -> Response:
        try:
            return self._answer(request, ask, make())
        except Refused as refused:
            if refused.status == 401 and ask.session.secret:
                return _signed_out(request, ask, is_open=is_open)
            return self._draw(request, ask, errors.of_refusal(ask, refused))
        except Unreachable as why:
            return self._draw(request, ask, errors.unreachable(why))
        except Exception as fault:  # whoever looks is told, and so is the log
            return self._fault(request, ask, fault)
        finally:
            ask.client.close()

    def _answer(self, request: Request, ask: Ask, what: Shown | Done) -> Response:
        if isinstance(what, Shown):
            return self._draw(request, ask, what)
        answer = _go(request, what.to)
        for cookie in what.cookies:
            answer.headers.append("Set-Cookie", cookie)
        if what.said:
            answer.headers.append("Set-Cookie", cookies.say(what.said, ask.session))
        return answer

    def _draw(self, request: Request, ask: Ask, shown: Shown) -> Response:
        parts = Parts()
        said = cookies.said_in(request.cookies, ask.session)
        look = {"theme": cookies.theme_in(request.cookies), "said": said}
        answer = HTMLResponse(draw(ask, shown, parts, look), shown.status)
        for cookie in (*shown.cookies, *((cookies.said_already(),) if said else ())):
            answer.headers.append("Set-Cookie", cookie)
        return answer

    def _fault(self, request: Request, ask: Ask, fault: Exception) -> Response:
        id = getattr(request.state, "request_id", "")
        log.error("Page %s %s (%s)", request.method, request.url.path, id, exc_info=fault)
        return self._draw(request, ask, errors.fault(id))


async def _form(request: Request) -> FormData:
    """Read a form as our pages send it; nothing of anything else, which then lacks its token."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_FORM:
            raise HTTPException(413)
    if kind != FORM:
        return FormData()
    text = body.decode(errors="replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise HTTPException(413) from None
    return FormData([(name, value) for name, value in pairs])


def _not_ours(request: Request, ask: Ask) -> str:
    """Say why a form cannot be one of our own pages'; nothing when it is."""
    if not browsers.is_own_origin(request.headers, ask.scheme):
        return "The form was sent from another address than this page's."
    token = ask.form.get(browsers.CSRF_FIELD, "")
    if not ask.session.is_own_form(token if isinstance(token, str) else ""):
        return "The form was made before you signed in, or by somebody else."
    return ""


def _to_login(request: Request) -> Response:
    if "text/event-stream" in request.headers.get("accept", ""):
        return Response(status_code=204)  # an EventSource stops asking
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    to = here if request.method == "GET" and here != "/" else None
    return _go(request, with_query("/login", to=to))


def _signed_out(request: Request, ask: Ask, *, is_open: bool) -> Response:
    """Forget a session that has ended; a page that is open to all is shown once more without."""
    answer = _go(request, request.url.path) if is_open else _to_login(request)
    answer.headers.append("Set-Cookie", browsers.no_cookie(ask.scheme))
    return answer


def _go(request: Request, to: str) -> Response:
    """Send the browser on; a script is told where, so that it needs to load the page only once."""
    if request.headers.get(BY_SCRIPT):
        return Response(status_code=204, headers={"X-Perron-Go": to})
    return RedirectResponse(to, 303)
