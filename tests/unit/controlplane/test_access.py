"""Certificates and kubeconfigs say who their holder is, and nobody else can read them."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import NameOID

from ringfence.controlplane.access import Access, is_ready
from ringfence.controlplane.errors import ControlPlaneError
from ringfence.controlplane.pki import Authority

URL = "https://127.0.0.1:6443"


@pytest.fixture
def access(tmp_path: Path) -> Access:
    return Access(tmp_path, URL, Authority.create(tmp_path))


def user_of(kubeconfig: Path) -> Mapping[str, Any]:
    document = yaml.safe_load(kubeconfig.read_text())
    context = next(entry for entry in document["contexts"] if entry["name"] == document["current-context"])
    return next(entry["user"] for entry in document["users"] if entry["name"] == context["context"]["user"])


def certificate_of(kubeconfig: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(base64.b64decode(user_of(kubeconfig)["client-certificate-data"]))


def names(certificate: x509.Certificate, attribute: x509.ObjectIdentifier) -> list[str | bytes]:
    return [entry.value for entry in certificate.subject.get_attributes_for_oid(attribute)]


def test_a_certificate_names_its_user_and_groups(access: Access) -> None:
    """Common name and organizations are what the API server reads."""
    certificate = certificate_of(access.kubeconfig("ann@example.com", ["acme", "oidc:all"]))
    assert names(certificate, NameOID.COMMON_NAME) == ["ann@example.com"]
    assert names(certificate, NameOID.ORGANIZATION_NAME) == ["acme", "oidc:all"]


def test_two_identities_never_share_a_file(access: Access) -> None:
    """Names that differ only in signs which file names can't hold, or in how groups are cut."""
    made = [
        access.kubeconfig("a/b"),
        access.kubeconfig("a b"),
        access.kubeconfig("a", ["b", "c"]),
        access.kubeconfig("a", ["bc"]),
    ]
    assert len(set(made)) == len(made)
    assert access.kubeconfig("a", ["bc"]) == made[-1]


def test_a_user_beyond_what_a_certificate_holds_is_refused(access: Access) -> None:
    """The message says how long a name may be."""
    assert access.kubeconfig("x" * 64).exists()
    with pytest.raises(ValueError, match="1 to 64 characters"):
        access.kubeconfig("x" * 65)


def test_all_files_are_private(access: Access, tmp_path: Path) -> None:
    """Each of them can make its reader an administrator."""
    access.kubeconfig("ann")
    assert access.admin_kubeconfig.name == "admin.kubeconfig"
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_another_process_can_open_the_access(access: Access, tmp_path: Path) -> None:
    """What it issues is signed by the same authority."""
    assert not is_ready(tmp_path)
    access.save()
    assert is_ready(tmp_path)
    opened = Access.load(tmp_path)
    assert opened.url == URL
    issuer = x509.load_pem_x509_certificate(access.ca.read_bytes())
    certificate_of(opened.kubeconfig("ben")).verify_directly_issued_by(issuer)


def test_access_to_nothing_says_how_to_start_it(tmp_path: Path) -> None:
    """A newcomer's first mistake."""
    with pytest.raises(ControlPlaneError, match="ringfence dev up"):
        Access.load(tmp_path)


def test_a_kubeconfig_trusts_this_authority_only(access: Access) -> None:
    """And nothing in it is a path: it can be copied."""
    document = yaml.safe_load(access.kubeconfig("ann").read_text())
    cluster = document["clusters"][0]["cluster"]
    assert base64.b64decode(cluster["certificate-authority-data"]) == access.ca.read_bytes()
    assert cluster["server"] == URL
    assert str(access.ca.parent) not in json.dumps(document)
