"""Which admission policies guard the cluster, in one digest for the record.

Law: policies are read, never written.
"""

from typing import Any, Final

import orjson

from ringfence.lineage.canonical import digest
from ringfence.model.kinds import ResourceType
from ringfence.ports.cluster import NotFoundError, Reader, RefusedError

GROUP: Final = "admissionregistration.k8s.io"
TYPES: Final = tuple(
    ResourceType(
        GROUP, "v1", f"{kind.lower()[:-1]}ies" if kind.endswith("y") else f"{kind.lower()}s", kind, namespaced=False
    )
    for kind in (
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
    )
)
PREFIX: Final = "ringfence-"
"""Of the names of all policies that Ringfence ships."""


async def policy_set_digest(reader: Reader) -> str:
    """Return the digest of Ringfence's policies as they are in the cluster."""
    specs: dict[str, Any] = {}
    for kind in TYPES:
        try:
            async for page in reader.pages(kind):
                for policy in page.items:
                    name = policy["metadata"]["name"]
                    if name.startswith(PREFIX):
                        specs[f"{kind.kind}/{name}"] = policy.get("spec")
        except (NotFoundError, RefusedError):
            continue  # an older server serves fewer types, and the record says what is there
    return digest(orjson.dumps(specs, option=orjson.OPT_SORT_KEYS))
