"""An upgrade of the CRDs on a real API server, with objects of the old release stored."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringfence.controlplane import Client
from ringfence.model.parse import parse
from ringfence.model.registry import DEFINITIONS
from tests.controlplane_fixtures import REPOSITORY, Kubectl
from tests.objects import Object, complete, kinds

pytestmark = pytest.mark.apiserver

_RELEASES = sorted((REPOSITORY / "tests" / "golden" / "crds").iterdir())
_RESOURCES = {definition.resource.kind: definition.resource for definition in DEFINITIONS}


@pytest.fixture
def install(kubectl: Kubectl, crds: list[str]) -> Iterator[Callable[[Path], None]]:
    """Install the CRDs of a folder; today's are back at the end."""

    def install(folder: Path) -> None:
        kubectl("apply", "--server-side", "--force-conflicts", "-f", str(folder))
        kubectl("wait", "--for=condition=Established", *crds)

    yield install
    install(REPOSITORY / "crds")


@pytest.mark.parametrize("release", _RELEASES, ids=lambda folder: folder.name)
def test_stored_objects_outlive_an_upgrade(
    admin: Client, install: Callable[[Path], None], tenant_name: Callable[[], str], release: Path
) -> None:
    """Whatever an old release stored can be written again as it is, and is parsed."""
    install(release)
    tenant = tenant_name()
    admin.request("POST", "/api/v1/namespaces", {"metadata": {"name": tenant}}).must()
    stored = [_create(admin, kind, tenant) for kind in kinds()]
    install(REPOSITORY / "crds")
    for path in stored:
        raw = admin.get(path).must()
        raw["metadata"]["labels"] = {"touched": "yes"}
        admin.request("PUT", path, raw).must()
        assert parse(admin.get(path).must()).problems == ()


def _create(admin: Client, kind: str, tenant: str) -> str:
    """Store the complete object of this kind; returns its path."""
    raw: Object = complete(kind)
    raw["metadata"] = {"name": tenant} if kind == "Tenant" else {**raw["metadata"], "namespace": tenant}
    namespace = raw["metadata"].get("namespace")
    admin.request("POST", _RESOURCES[kind].collection_path(namespace), raw).must()
    return _RESOURCES[kind].path(namespace, raw["metadata"]["name"])
