"""Whose a namespace is."""

import pytest

from ringfence import names
from ringfence.plan.ownership import Ownership, ownership
from ringfence.plan.seen import CoreNamespace

OURS = {names.TENANT_LABEL: "acme", names.OWNER_UID_LABEL: "uid-1"}
ADOPT = {names.ADOPT_ANNOTATION: "acme"}


def core(labels: dict[str, str], annotations: dict[str, str] | None = None, *, deleting: bool = False) -> CoreNamespace:
    return CoreNamespace("acme-dev", "core", labels, annotations or {}, deleting)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(None, Ownership.FREE, id="there is none"),
        pytest.param(core(OURS), Ownership.OURS, id="label and uid are ours"),
        pytest.param(core({}), Ownership.TAKEN, id="no label at all"),
        pytest.param(core({}, ADOPT), Ownership.TAKEN, id="an annotation alone gives nothing away"),
        pytest.param(core({names.TENANT_LABEL: "acme"}), Ownership.TAKEN, id="a label alone does not either"),
        pytest.param(core({names.TENANT_LABEL: "acme"}, ADOPT), Ownership.ADOPTABLE, id="both ask for adoption"),
        pytest.param(
            core({names.TENANT_LABEL: "acme"}, ADOPT, deleting=True), Ownership.TAKEN, id="what goes is not adopted"
        ),
        pytest.param(core({**OURS, names.OWNER_UID_LABEL: "uid-0"}), Ownership.TAKEN, id="a former tenant's"),
        pytest.param(
            core({**OURS, names.OWNER_UID_LABEL: "uid-0"}, ADOPT), Ownership.ADOPTABLE, id="a former tenant's, given"
        ),
        pytest.param(CoreNamespace("kube-system", "core", OURS), Ownership.TAKEN, id="labelled, but of another name"),
        pytest.param(CoreNamespace("acmedev", "core", OURS, ADOPT), Ownership.TAKEN, id="of a name that looks alike"),
        pytest.param(core({**OURS, names.TENANT_LABEL: "globex"}, ADOPT), Ownership.TAKEN, id="another tenant's"),
    ],
)
def test_a_namespace_is_ours_by_label_and_uid_only(found: CoreNamespace | None, expected: Ownership) -> None:
    """Never by its name alone, never without it, and given away only by label and annotation together."""
    assert ownership(found, "acme", "uid-1") is expected
