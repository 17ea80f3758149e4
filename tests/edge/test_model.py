"""What may be a host, which certificate fits, and how a visitor is known."""

from datetime import timedelta
from hashlib import sha256

import pytest

from perron.edge.model import (
    CertificateRefused,
    DomainRefused,
    DomainTaken,
    Entrance,
    LimitRefused,
    ProtectionRefused,
    check_certificate,
    check_free,
    check_limits,
    covers,
    host_from,
    protected,
)
from perron.kit import clock

from .certificates import certificate


def host(text):
    return host_from(text, platform="perron.test", apps="apps.test")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Shop.Example.com", "shop.example.com"),
        (" shop.example.com. ", "shop.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("a-b.c1.example", "a-b.c1.example"),
    ],
)
def test_a_host_is_compared_in_one_spelling(text, found):
    assert host(text) == found


@pytest.mark.parametrize(
    "text",
    ["", "shop", "*.example.com", "-a.example", "a..example", "a_b.example", "shop.example:80",
     "http://shop.example", "127.0.0.1", "::1", "x" * 64 + ".example", "a." * 130 + "example",
     "shop .example", "shop.apps.test", "apps.test", "perron.test", "x.perron.test",
     "a\n.example", "\ud800.example"],
)  # fmt: skip
def test_what_is_no_host_of_an_app_is_refused(text):
    with pytest.raises(DomainRefused):
        host(text)


def test_the_first_to_come_has_a_host():
    check_free("a.example", holder=None, environment="env_1")
    check_free("a.example", holder="env_1", environment="env_1")
    with pytest.raises(DomainTaken) as refused:
        check_free("a.example", holder="env_2", environment="env_1")
    assert "env_2" not in refused.value.detail


def test_a_star_stands_for_one_label():
    assert covers("*.example.com", "a.example.com")
    assert not covers("*.example.com", "a.b.example.com")
    assert not covers("*.example.com", "example.com")
    assert covers("example.com", "example.com")


def test_a_certificate_that_fits_tells_when_it_ends():
    pem, key, ends = certificate("shop.example", "*.shop.example")
    assert check_certificate("a.shop.example", pem, key, clock.now()) == ends


def test_a_certificate_that_does_not_fit_is_refused_and_says_why():
    pem, key, ends = certificate("shop.example")
    _, other, _ = certificate("shop.example")
    nameless, its_key, _ = certificate()
    for why, given in (
        ("does not belong", (pem, other)),
        ("not for blog.example", (pem, key, "blog.example")),
        ("no host", (nameless, its_key)),
        ("ended on", (pem, key, "shop.example", ends + timedelta(days=1))),
        ("certificate cannot be read", ("junk", key)),
        ("key cannot be read", (pem, "junk")),
    ):
        pem_, key_, *rest = given
        name = rest[0] if rest else "shop.example"
        at = rest[1] if len(rest) > 1 else clock.now()
        with pytest.raises(CertificateRefused, match=why):
            check_certificate(name, pem_, key_, at)


def test_a_password_is_kept_as_a_salted_digest_and_lifted_again():
    closed = protected(Entrance(), "lin", "open sesame", "s4lt")
    digest = sha256(b"s4lt:lin:open sesame").hexdigest()
    assert (closed.user, closed.password) == ("lin", f"sha256$s4lt${digest}")
    assert protected(closed, None, None, "s4lt") == Entrance()


@pytest.mark.parametrize(
    ("user", "password"),
    [(None, "long enough"), ("", "long enough"), ("a:b", "long enough"), ("a b", "long enough"),
     ("x" * 65, "long enough"), ("lin", None), ("lin", "short"), ("lin", "x" * 257),
     ("lin", "line\nbreaks")],
)  # fmt: skip
def test_a_name_or_password_the_edge_could_not_compare_is_refused(user, password):
    with pytest.raises(ProtectionRefused):
        protected(Entrance(), user, password, "s4lt")


@pytest.mark.parametrize(
    "limits",
    [{"max_body": 0}, {"max_body": 1 << 50}, {"idle_timeout": 0.1}, {"idle_timeout": 1e9},
     {"idle_timeout": float("nan")}],
)  # fmt: skip
def test_absurd_limits_are_refused(limits):
    check_limits(Entrance())
    with pytest.raises(LimitRefused):
        check_limits(Entrance(**limits))
