"""What roles alone refuse to a tenant's own people: every row is asked beside a twin that is allowed."""

from dataclasses import dataclass
from typing import Any

import pytest

from ringfence import names
from tests.attack.conftest import Grounds, binding, namespace_object

pytestmark = [pytest.mark.apiserver, pytest.mark.installed, pytest.mark.usefixtures("unguarded")]

TRY = ("create", "--dry-run=server", "-f-")
Ask = tuple[str, tuple[str, ...], dict[str, Any] | None]
"""The role of red that asks, kubectl's arguments, and its input."""


@dataclass(frozen=True)
class Row:
    """A probe that is refused, and what differs in one thing and is allowed."""

    refused: Ask
    allowed: Ask


def patch(role: str, *arguments: str) -> Ask:
    return (
        role,
        ("patch", *arguments, "--dry-run=server", "--type=merge", "-p", '{"metadata":{"labels":{"a":"b"}}}'),
        None,
    )


def bind(role: str, given: str) -> Ask:
    return role, TRY, binding(given, "red-dev", given, "mallory")


ROWS = {
    "a Namespace object in another tenant's home": Row(
        ("admin", TRY, namespace_object("more", "blue")), ("admin", TRY, namespace_object("more", "red"))
    ),
    "a Namespace object by a developer": Row(
        ("developer", TRY, namespace_object("more", "red")), ("admin", TRY, namespace_object("more", "red"))
    ),
    "a status by hand": Row(
        patch("admin", "tns", "dev", "-n", "red", "--subresource=status"), patch("admin", "tns", "dev", "-n", "red")
    ),
    "a core namespace's labels": Row(
        patch("owner", "namespace", "red-dev"), patch("owner", "serviceaccount", "default", "-n", "red-dev")
    ),
    "the quota": Row(
        patch("owner", "resourcequota", names.QUOTA, "-n", "red-dev"),
        patch("owner", "configmap", names.GATEWAY_CONFIG_MAP, "-n", "red-dev"),
    ),
    "the guardrail": Row(
        patch("owner", "guardrail", names.GUARDRAIL, "-n", "red-dev"),
        ("owner", ("get", "guardrail", names.GUARDRAIL, "-n", "red-dev"), None),
    ),
    "secrets of the home": Row(
        ("owner", ("get", "secrets", "-n", "red"), None), ("owner", ("get", "configmaps", "-n", "red"), None)
    ),
    "secrets of a Namespace, by a viewer": Row(
        ("viewer", ("get", "secrets", "-n", "red-dev"), None), ("developer", ("get", "secrets", "-n", "red-dev"), None)
    ),
    "a look into another tenant": Row(
        ("owner", ("get", "pods", "-n", "blue-dev"), None), ("owner", ("get", "pods", "-n", "red-dev"), None)
    ),
    "a list of all namespaces' objects": Row(
        ("owner", ("get", "tns", "-A"), None), ("owner", ("get", "tns", "-n", "red"), None)
    ),
    "cluster-admin": Row(bind("admin", "cluster-admin"), bind("admin", names.tenant_role("developer"))),
    "edit": Row(bind("admin", "edit"), bind("admin", names.tenant_role("viewer"))),
    "the operator's role": Row(
        bind("admin", names.OPERATOR_SERVICE_ACCOUNT), bind("admin", names.tenant_role("admin"))
    ),
    "a role above one's own": Row(bind("admin", names.tenant_role("owner")), bind("owner", names.tenant_role("owner"))),
}


@pytest.mark.parametrize("row", [pytest.param(row, id=name) for name, row in ROWS.items()])
def test_roles_refuse_it_and_allow_its_twin(grounds: Grounds, row: Row) -> None:
    """The twin first: a suite of denials alone would pass where nothing works."""
    for (role, arguments, stdin), expected in ((row.allowed, True), (row.refused, False)):
        assert grounds.member("red", role).call(*arguments, stdin=stdin) is expected
