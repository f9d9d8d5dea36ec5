"""Admission policies on a development control plane: when they are in force, and how to pass by them.

Law: only what this machine started is opened so; see docs/reference/policies.md.
"""

from typing import Final

from ringfence import names
from ringfence.controlplane import MERGE_PATCH, Client
from ringfence.model.kinds import CORE_NAMESPACE, TENANT, Ref

REASON: Final = {names.BREAK_GLASS_ANNOTATION: "a development control plane"}
"""Annotation of a request or an object."""


_PROBE: Final = {"apiVersion": TENANT.api_version, "kind": TENANT.kind, "metadata": {"name": "probe"}, "spec": {}}


def in_force(admin: Client) -> bool:
    """Whether what was just installed is in force: both sorts of policies judge, and objects of our kinds are taken.

    The API server looks for new policies once a second, and for new definitions, which mutating policies need, every
    five; until then it answers that the service is unavailable.
    """
    guarded = admin.delete(f"{Ref(CORE_NAMESPACE, '', names.OPERATOR_NAMESPACE).path}?dryRun=All")
    stamped = admin.request("POST", f"{TENANT.collection_path()}?dryRun=All", _PROBE)
    return not guarded.ok and stamped.ok and names.REQUESTED_BY_ANNOTATION in stamped.body["metadata"]["annotations"]


def delete_by_force(admin: Client, ref: Ref) -> None:
    """Delete what the operator made, as nobody may without saying why. Raises ControlPlaneError where it is refused."""
    admin.request("PATCH", ref.path, {"metadata": {"annotations": REASON}}, content_type=MERGE_PATCH).must()
    admin.delete(ref.path).must()
