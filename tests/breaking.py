"""What administrators do that is refused unless they say why, or are two."""

from typing import Final

from ringfence import names
from ringfence.cli.glass import REASON
from ringfence.controlplane import MERGE_PATCH, Client
from tests.controlplane_fixtures import Kubectl

_WHY: Final = f"{names.BREAK_GLASS_ANNOTATION}={REASON[names.BREAK_GLASS_ANNOTATION]}"
_SECOND: Final = "second-administrator"


def break_glass(kubectl: Kubectl, *what: str) -> None:
    """Write the reason on an object, as whoever wants to change or delete what the operator made must."""
    kubectl("annotate", "--overwrite", *what, _WHY)


def delete_by_force(admin: Client, path: str) -> None:
    """Delete an object that the operator made."""
    admin.request("PATCH", path, {"metadata": {"annotations": REASON}}, content_type=MERGE_PATCH).must()
    admin.delete(path).must()


def delete_tenant(kubectl: Kubectl, name: str, *options: str) -> None:
    """Delete a Tenant as two persons."""
    wish = f"{names.CONFIRM_DELETE_ANNOTATION}={name}"
    kubectl("annotate", "--overwrite", "tenant", name, wish, user=_SECOND, groups=["system:masters"])
    kubectl("delete", "tenant", name, *options)
