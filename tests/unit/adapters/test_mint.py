"""Certificates of gateways: strict clients take them, and what is secret of them is nowhere for long."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from ringfence.adapters.mint import KEPT_FOR, CertificateMint
from ringfence.plan.children.gateway_certificate import hosts

HOSTS = hosts("acme")
NOW = datetime.now(UTC)
ENDS = NOW + timedelta(days=90)


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mint(clock: Clock) -> CertificateMint:
    return CertificateMint(clock)


def test_a_strict_client_connects(mint: CertificateMint, tmp_path: Path) -> None:
    """OpenSSL with all of RFC 5280, as Python 3.13 asks by default; under another name it does not."""
    issued = mint.issue("acme", HOSTS, NOW, ENDS)
    for name, content in mint.pair("acme", issued.name).items():
        (tmp_path / name).write_bytes(content)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    client = ssl.create_default_context(cadata=issued.authority)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    assert _shake_hands(client, server, HOSTS[0])
    with pytest.raises(ssl.SSLCertVerificationError, match="elsewhere"):
        _shake_hands(client, server, "elsewhere.example")


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> bool:
    """A handshake without a network."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [client.wrap_bio(back, there, server_hostname=host), server.wrap_bio(there, back, server_side=True)]
    done: set[int] = set()
    for number in (0, 1, 0, 1, 0, 1):
        try:
            sides[number].do_handshake()
            done.add(number)
        except ssl.SSLWantReadError:
            continue
    return len(done) == 2


def test_an_authority_is_good_for_its_own_hosts_only(mint: CertificateMint) -> None:
    """Whoever trusts it trusts it for the gateway: its constraints say so."""
    issued = mint.issue("acme", HOSTS, NOW, ENDS)
    (authority,) = x509.load_pem_x509_certificates(issued.authority.encode())
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert {each.value for each in constraints.value.permitted_subtrees or ()} == set(HOSTS)
    leaf = x509.load_pem_x509_certificate(mint.pair("acme", issued.name)["tls.crt"])
    other = mint.issue("globex", hosts("globex"), NOW, ENDS)
    strangers = Store(x509.load_pem_x509_certificates(other.authority.encode()))
    with pytest.raises(VerificationError):
        PolicyBuilder().store(strangers).build_server_verifier(x509.DNSName(HOSTS[0])).verify(leaf, [])


def test_what_is_secret_is_handed_over_once(mint: CertificateMint) -> None:
    """And under its own name and namespace only."""
    issued = mint.issue("acme", HOSTS, NOW, ENDS)
    with pytest.raises(KeyError):
        mint.pair("globex", issued.name)
    with pytest.raises(KeyError):
        mint.pair("acme", "gateway-tls-other")
    assert mint.pair("acme", issued.name)
    mint.spent("acme", issued.name)
    with pytest.raises(KeyError):
        mint.pair("acme", issued.name)


def test_what_nobody_writes_is_forgotten(mint: CertificateMint, clock: Clock) -> None:
    """After a minute, and when another one is asked for."""
    first = mint.issue("acme", HOSTS, NOW, ENDS)
    second = mint.issue("acme", HOSTS, NOW, ENDS)
    with pytest.raises(KeyError):
        mint.pair("acme", first.name)
    clock.seconds = KEPT_FOR
    with pytest.raises(KeyError):
        mint.pair("acme", second.name)


def test_no_two_certificates_share_anything(mint: CertificateMint) -> None:
    """Neither key nor authority: an authority signs once."""
    issued = [mint.issue(tenant, hosts(tenant), NOW, ENDS) for tenant in ("acme", "globex")]
    leaves = [
        x509.load_pem_x509_certificate(mint.pair(each, one.name)["tls.crt"])
        for each, one in zip(("acme", "globex"), issued, strict=True)
    ]
    assert len({leaf.public_key().public_numbers() for leaf in leaves}) == 2  # type: ignore[union-attr]
    assert len({each.authority for each in issued}) == 2


def test_a_pair_shows_itself_to_no_log(mint: CertificateMint) -> None:
    """Whatever prints the mint prints no key."""
    issued = mint.issue("acme", HOSTS, NOW, ENDS)
    assert "PRIVATE" not in f"{mint!r} {vars(mint)!r} {issued!r}"
