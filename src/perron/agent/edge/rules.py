"""The rules of the edge, which are the same for everybody, in HAProxy's words.

What differs between apps is read from ``apps.map`` (``Backend.packed``). A body that does not say
how long it is takes one more hop, whose filter counts it.
"""

import os
from pathlib import Path

from perron.kit.settings import Settings

from . import identity, lines, pages
from .model import KINDS
from .outline import EDGE_ID, Outline

MAX_CONNECTIONS = 10_000
ROOM = 20 << 10  # more would be copied for every request that may have to be repeated
RESERVE = 1024  # of a buffer, for what we add to a request
HOT = 2 << 20  # bytes of freed buffers a thread keeps for itself; by default those of 25
LENGTH = "req.fhdr(content-length),add(0)"  # hdr_val counts in 32 bits: 2 GiB would be less than 0
HOST = "req.fhdr(host),host_only,rtrim(.),lower"
SMALL_BODY = 16 << 10  # what is repeated when an instance dies before it answers
SCHEMES = ("http", "https")
_CHECK_HOST, _CHECK_PATH = 8, 9  # fields of apps.map


def text(frame: Outline) -> str:
    """Return everything but the numbered backends."""
    sections = [_global(frame), _defaults(frame, "base"), _platform_defaults(frame)]
    sections += [_app_defaults(frame, kind) for kind in KINDS]
    sections += [_ring(), _frontends(frame), _pages(frame), _platform(frame)]
    sections += [_hop(frame, scheme) for scheme in SCHEMES]
    return "\n".join(sections) + "\n"


def max_connections(files: int) -> int:
    """Return how many visitors fit into so many open files: each may need two."""
    return max(256, min(MAX_CONNECTIONS, (files - 1000) // 2))


def _global(frame: Outline) -> str:
    socket = frame.home.run / "edge.sock"
    own_user = f"  chroot {frame.home.run}\n  uid {EDGE_ID}\n  gid {EDGE_ID}\n"
    return f"""global
  maxconn {max_connections(open_files())}
  nbthread {min(8, len(os.sched_getaffinity(0)))}
  noreuseport
  hard-stop-after 1h
  stats socket unix@{socket} mode 600 level admin expose-fd listeners
{own_user if frame.is_root else ""}  stats timeout 1d
  stats maxconn 50
  tune.bufsize {ROOM}
  tune.maxrewrite {RESERVE}
  tune.memory.hot-size {HOT}
  tune.ssl.default-dh-param 2048
  lua-load-per-thread {frame.measure} {frame.pages}
  ssl-default-bind-options ssl-min-ver TLSv1.2
"""


def _defaults(frame: Outline, name: str, server_timeout: str = "60s", retries: int = 10) -> str:
    return f"""defaults {name}
  mode http
  log ring@access len 8192 format raw local0
  option dontlognull
  timeout client 65s
  timeout connect 2s
  timeout server {server_timeout}
  timeout tunnel 1h
  timeout http-request 10s
  timeout http-keep-alive 75s
  timeout check 2s
  retries {retries}
  option redispatch 1
  retry-on conn-failure empty-response
{"".join(_error(frame, status) for status in pages.ERRORS)}"""


def _error(frame: Outline, status: int) -> str:
    """Return what a visitor sees of an error of our own; its words wait in a map."""
    half = f"%[str({status}.),concat(,txn.format,.{{}}),map({frame.pages}/errors.map)]"
    return (
        f'  http-error status {status} content-type text/html lf-string "{half.format("head")}'
        f'%[var(txn.id)]{half.format("tail")}" hdr Cache-Control no-store hdr {_OWN} 1\n'
    )


_OWN = "X-Perron-Error"  # on its way from an error of our own to the rule that names its type


def _platform_defaults(frame: Outline) -> str:
    """The server restarts within seconds: who asks it waits for as long."""
    return _defaults(frame, "platform", server_timeout="1h", retries=3)


def _app_defaults(frame: Outline, kind: str) -> str:
    """What is here runs for every request: what few apps need is decided in the frontend."""
    # Lingering: an app that is still writing its answer is not cut off with a reset.
    lookup = f"be_name,map({frame.apps_map}),field({{}},|)"
    check = f"""  option httpchk
  http-check connect linger
  http-check send meth GET uri-lf "%[{lookup.format(_CHECK_PATH)}]" ver HTTP/1.1 \
hdr Host "%[{lookup.format(_CHECK_HOST)}]" hdr User-Agent Perron-Health
  http-check expect {"rstatus ^[23]" if kind.startswith("strict") else "! rstatus ^5"}
"""
    cookie = f"""  cookie PERRON insert indirect nocache httponly dynamic
  dynamic-cookie-key {frame.home.path.name or "perron"}
"""
    absent = "".join(_return(frame, page) for page in _ABSENT)
    return f"""{_defaults(frame, kind)}  balance leastconn
  http-request allow if METH_GET {{ nbsrv gt 0 }} !{{ var(txn.idle) -m found }}
  http-request set-timeout server var(txn.idle) if {{ var(txn.idle) -m found }}
  http-request wait-for-body time 10s if {{ method PUT DELETE }} \
{{ req.fhdr(content-length) -m found }} {{ {LENGTH} le {SMALL_BODY} }}
  http-request disable-l7-retry unless {{ method GET HEAD PUT DELETE OPTIONS TRACE }}
  http-request allow if {{ nbsrv gt 0 }}
  http-request set-var(txn.shown) {lookup.format(2)}
{absent}{"" if kind.startswith("tcp") else check}{cookie if kind.endswith("-sticky") else ""}"""


_ABSENT = ("empty", "stopped", "starting", "crashed", "maintenance")


def _ring() -> str:
    return """ring access
  size 8388608
  maxlen 8192
  format raw
"""


def _frontends(frame: Outline) -> str:
    """Most requests leave the rules early: every condition and every header costs each of them.

    Plain and secure visitors have a frontend each, so that no rule has to ask who is which.
    ``txn.where`` is ``environment|backend|host|``; it ends in ``+`` where something is special.
    Who has no ``txn.id`` is on the way to be measured: that second way in makes it.
    """
    counters = """backend counters from base
  stick-table type string len 64 size 20k store http_req_cnt,gpc0
"""
    doors = (_frontend(frame, scheme) for scheme in SCHEMES)
    measured = (_frontend(frame, scheme, measured=True) for scheme in SCHEMES)
    return "\n".join((counters, *doors, *measured))


def _frontend(frame: Outline, scheme: str, *, measured: bool = False) -> str:
    """Return one way in; what is ``measured`` has come by the other, which told us who asks."""
    port = frame.settings.http_port if scheme == "http" else frame.settings.https_port
    way_in = _behind_the_hop if measured else _at_the_door
    on = "" if measured else f"  use_backend measure-{scheme} unless has_id\n"
    return f"""{way_in(frame, scheme, port)}  log-format "{lines.FORMAT}"
  option http-restrict-req-hdr-names delete
  acl has_id var(txn.id) -m found
  acl is_app var(txn.where) -m found
  acl has_length req.fhdr(content-length) -m found
  acl is_protected var(txn.digest) -m found
{identity.rules(frame.settings, scheme, port)}{_special(frame, scheme, measured)}\
  http-after-response set-header X-Request-Id %[var(txn.id)] if has_id
  http-after-response allow unless {{ status ge 400 }}
  http-after-response set-header Content-Type application/problem+json \
if {{ var(txn.format) -m found }} {{ res.fhdr({_OWN}) -m found }}
  http-after-response del-header {_OWN}
  use_backend %[var(txn.where),field(2,|)] if is_app
{on}  acl is_platform {HOST} -m str {frame.settings.domain.lower()}
  use_backend platform-json if is_platform {{ var(txn.format) -m found }}
  use_backend platform if is_platform
  default_backend pages
"""


def _at_the_door(frame: Outline, scheme: str, port: int) -> str:
    """Return where visitors come in; who has a body and tells no length is led on to be measured.

    What ended with its headers, and came without bytes, has no body. A request in chunks has no
    Content-Length here, even if it came with one: HAProxy takes that away.
    """
    return f"""frontend {"visitors" if scheme == "http" else "secure"} from base
{_binds(frame, port, scheme)}  acl has_body internal.htx.has_eom,not
  acl has_body req.body_len gt 0
  acl is_hosted {HOST},map({frame.hosts_map}) -m found
  http-request allow if has_body !{{ req.fhdr(content-length) -m found }} is_hosted
"""


def _behind_the_hop(frame: Outline, scheme: str, _port: int) -> str:
    """Return where bodies of unknown length come in; the first way in tells who sends them."""
    own = f"uid {EDGE_ID} gid {EDGE_ID} " if frame.is_root else ""
    return f"""frontend measured-{scheme} from base
  bind unix@{_hop_socket(frame, scheme)} {own}mode 600 accept-proxy
  filter lua.measure
"""


def _special(frame: Outline, scheme: str, measured: bool) -> str:
    """Return where it leads, then what few need: redirect, protection, maintenance, limits."""
    plain = "FALSE" if measured else "{ var(txn.where) -m end | } !has_body"
    packed = f"var(txn.where),field(2,|),map({frame.apps_map})"
    redirect = f"""  http-request redirect location \
https://%[{HOST}]{_port(frame.settings)}%[pathq] code 308 \
if {{ var(txn.where) -m sub |https }}{identity.is_plain(frame.settings)}
"""
    return f"""  http-request set-var(txn.where) {HOST},map({frame.hosts_map})
  http-request track-sc0 var(txn.where),field(1,|) table counters
  http-request allow if {plain}
  http-request deny deny_status 400 if !is_app {{ req.hdr_cnt(host) gt 1 }}
  http-request allow unless is_app
  http-request set-var(txn.app) {packed}
  http-request set-var(txn.max) var(txn.app),field(3,|)
  http-request set-var(txn.shown) str(413) if has_length {{ {LENGTH},sub(txn.max) gt 0 }}
{_return(frame, "413")}  http-request allow unless {{ var(txn.where) -m end + }}
{redirect if scheme == "http" else ""}  http-request set-var(txn.idle) var(txn.app),field(4,|)
  http-request set-var(txn.query) query \
if {{ var(txn.app),field(5,|) -m str 1 }} {{ query -m found }}
{_PROTECTION}{_return(frame, "401")}  http-request set-var(txn.shown) str(maintenance) \
if {{ var(txn.app),field(2,|) -m str maintenance }}
{_return(frame, "maintenance")}"""


def _pages(frame: Outline) -> str:
    """Return where visitors end whose host leads nowhere."""
    return f"""backend pages from base
  http-request set-var(txn.shown) str(unknown)
{_return(frame, "unknown")}"""


def _return(frame: Outline, page: str) -> str:
    """Return the rules that show a page, as JSON to whoever asks for that."""
    retry = f" hdr Retry-After {pages.RETRY_AFTER[page]}" if page in pages.RETRY_AFTER else ""
    asking = ' hdr WWW-Authenticate "Basic realm=\\"Protected\\""' if page == "401" else ""
    head = f"  http-request return status {pages.status_of(page)} content-type"
    tail = f"hdr Cache-Control no-store{retry}{asking} if {{ var(txn.shown) -m str {page} }}"
    return (
        f"{head} application/problem+json lf-file {frame.pages}/{page}.json {tail} "
        "{ var(txn.format) -m found }\n"
        f"{head} text/html lf-file {frame.pages}/{page}.html {tail}\n"
    )


def _binds(frame: Outline, port: int, scheme: str) -> str:
    """Return where a frontend listens.

    ``v6only``, since newer kernels say so of ``::1``: where HAProxy does not, a reload takes the
    socket for another, pauses the old worker to bind anew, and IPv4 stays deaf.
    """
    secure = f" ssl crt-list {frame.certificate_list} alpn h2,http/1.1" if scheme == "https" else ""
    hosts = ((f"[{each}]", " v6only") if ":" in each else (each, "") for each in frame.addresses)
    return "".join(f"  bind {host}:{port}{only}{secure}\n" for host, only in hosts)


def _port(settings: Settings) -> str:
    return "" if settings.https_port == 443 else f":{settings.https_port}"


# A digest of salt, user and password is compared; the app never sees what opened the door.
_PROTECTION = """  http-request set-var(txn.digest) var(txn.app),field(7,|)
  http-request unset-var(txn.digest) if { var(txn.digest) -m str open }
  http-request set-var(txn.salt) var(txn.app),field(6,|) if is_protected
  http-request set-var(txn.user) http_auth_user if is_protected
  http-request set-var(txn.word) http_auth_pass if is_protected
  http-request set-var(txn.proof) \
var(txn.salt),concat(:,txn.user,:),concat(,txn.word),sha2(256),hex,lower if is_protected
  http-request set-var(txn.shown) str(401) \
if is_protected !{ var(txn.proof),strcmp(txn.digest) eq 0 }
  http-request del-header Authorization if is_protected
"""


def _platform(frame: Outline) -> str:
    """Return the backends that lead to the server: for people, and for programs."""
    socket = "/api.sock" if frame.is_root else str(frame.home.api_socket)
    head = "hdr Cache-Control no-store hdr Retry-After 2"
    return "\n".join(
        f"""backend {name} from platform
  http-error status 503 content-type {kind} lf-file {frame.pages}/platform.{ending} {head}
  http-request disable-l7-retry unless {{ method GET HEAD }}
{identity.for_the_platform(frame.settings)}  server api unix@{socket}
"""
        for name, kind, ending in (
            ("platform", "text/html", "html"),
            ("platform-json", "application/problem+json", "json"),
        )
    )


def _hop(frame: Outline, scheme: str) -> str:
    """Return the backend that leads to the measured way in; it is quick and tells nothing."""
    socket = f"/{_hop_socket(frame, scheme).name}" if frame.is_root else _hop_socket(frame, scheme)
    return f"""backend measure-{scheme} from platform
  http-reuse never
  server hop unix@{socket} send-proxy-v2
"""


def _hop_socket(frame: Outline, scheme: str) -> Path:
    return frame.home.run / f"edge-{scheme}.sock"


def open_files() -> int:
    """Return how many files HAProxy may open: the hard limit, which it may raise itself to."""
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]
