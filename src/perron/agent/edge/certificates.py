"""The certificates the edge shows: those given for a host, else ones of the internal CA."""

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from perron.kit import clock
from perron.kit.files import private_folder, write_whole

LIFE_OF_CA = timedelta(days=3650)
LIFE = timedelta(days=365)
RENEW_BEFORE = timedelta(days=120)  # a third of its life is left
_SKEW = timedelta(days=1)


class Authority:
    """The internal CA of one platform: ``ca.pem`` for whoever shall trust it, and its key."""

    def __init__(self, folder: Path) -> None:
        private_folder(folder)
        self._certificate_path = folder / "ca.pem"
        self._key_path = folder / "ca.key"
        if not (self._certificate_path.exists() and self._key_path.exists()):
            self._make()
        self._key = _private_key(self._key_path.read_bytes())
        self._certificate = x509.load_pem_x509_certificate(self._certificate_path.read_bytes())

    def issue(self, hosts: Iterable[str]) -> str:
        """Return a new certificate for the hosts with its key and our own, as PEM."""
        names = list(dict.fromkeys(hosts))
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        signed = (
            _builder("Perron edge", self._certificate.subject, key.public_key(), LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), False)
            .add_extension(usage, critical=False)
            .add_extension(_authority_id(self._key), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return (_pem(signed) + _key_pem(key) + _pem(self._certificate)).decode()

    def _make(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _common_name("Perron local CA")
        public = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        signed = (
            _builder("Perron local CA", name, key.public_key(), LIFE_OF_CA)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_SIGNS, critical=True)
            .add_extension(public, critical=False)
            .sign(key, hashes.SHA256())
        )
        write_whole(self._key_path, _key_pem(key))
        write_whole(self._certificate_path, _pem(signed), mode=0o644)


def is_fresh(pem: str, hosts: Iterable[str]) -> bool:
    """Say whether a certificate is for exactly these hosts and has a third of its life left."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    known = {str(name.value) for name in names}
    return known == set(hosts) and expires(certificate) - clock.now() > RENEW_BEFORE


def expires(certificate: x509.Certificate) -> datetime:
    """Return when the certificate ends."""
    return certificate.not_valid_after_utc


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, life: timedelta
) -> x509.CertificateBuilder:
    now = clock.now()
    return (
        x509.CertificateBuilder()
        .subject_name(_common_name(name))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + life)
    )


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _authority_id(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _private_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("The internal CA's key is of another kind; move it away to make a new one.")
    return key


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
