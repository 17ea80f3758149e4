"""Who visitors are: what they claim is replaced, except what a trusted proxy says of them."""

from perron.kit.settings import Settings

# What visitors claim about themselves is removed; what we know is added. An id is 64 random bits.
_REQUEST = """  http-request set-var(txn.format) str(json) if { req.fhdr(accept) -m sub json } \
!{ req.fhdr(accept) -m sub text/html }
  http-request set-var-fmt(txn.id) %[rand,hex,bytes(8)]%[rand,hex,bytes(8)]
  http-request set-var(txn.id) req.fhdr(x-request-id) if \
{ req.fhdr(x-request-id) -m reg ^[A-Za-z0-9._-]{8,64}$ }
"""
_REPLACED = """  http-request del-header X-Forwarded- -m beg
  http-request del-header Forwarded
  http-request del-header X-Real-IP
  http-request del-header Proxy
  http-request set-header X-Request-Id %[var(txn.id)]
  http-request add-header X-Forwarded-Host %[req.fhdr(host)]
"""
# Of many lines the last is taken: the nearest proxy wrote it, and apps that read one read this.
_KEPT = """  http-request set-var(txn.chain) req.fhdr(x-forwarded-for) if is_proxy \
{ req.fhdr(x-forwarded-for),length gt 0 }
  http-request set-var(txn.client) req.hdr(x-forwarded-for) if { var(txn.chain) -m found }
  http-request set-var(txn.scheme) req.hdr(x-forwarded-proto),lower if is_proxy \
{ req.hdr(x-forwarded-proto) -m str -i http https }
"""


def rules(settings: Settings, scheme: str, port: int) -> str:
    """Return what decides whose word is taken, and what apps are told of their visitors."""
    if not settings.proxies:
        # An address is written once for its connection: that costs as much as three headers.
        return f"""  tcp-request session set-var(sess.client) src,lower
{_REQUEST}{_REPLACED}  http-request add-header X-Forwarded-For %[var(sess.client)]
  http-request add-header X-Forwarded-Port {port}
  http-request add-header X-Forwarded-Proto {scheme}
"""
    return f"""  acl is_proxy src {" ".join(settings.proxies)}
{_REQUEST}{_KEPT}{_REPLACED}  http-request set-var(txn.port) str({port})
  http-request set-var(txn.port) str(443) if {{ var(txn.scheme) -m str https }}
  http-request set-var(txn.port) str(80) if {{ var(txn.scheme) -m str http }}
  http-request set-var-fmt(txn.chain) "%[var(txn.chain)], %[src]" if {{ var(txn.chain) -m found }}
  http-request set-var(txn.chain) src unless {{ var(txn.chain) -m found }}
  http-request add-header X-Forwarded-For %[var(txn.chain)]
  http-request set-var(txn.scheme) str({scheme}) unless {{ var(txn.scheme) -m found }}
  http-request add-header X-Forwarded-Proto %[var(txn.scheme)]
  http-request add-header X-Forwarded-Port %[var(txn.port)]
"""


def for_the_platform(settings: Settings) -> str:
    """Return what tells the server who asks: behind a proxy, whom that proxy saw."""
    if not settings.proxies:
        return ""
    return """  http-request set-header X-Forwarded-For %[var(txn.client)] \
if { var(txn.client) -m found }
"""


def is_plain(settings: Settings) -> str:
    """Return the condition that a visitor came without TLS, as far as is known."""
    return " !{ var(txn.scheme) -m str https }" if settings.proxies else ""
