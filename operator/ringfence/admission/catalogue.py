"""Every admission policy that Ringfence ships.

Law: names of policies and ids of validations are unique and never change between releases: refusals, the attack table
and users' alerts refer to them.
"""

from collections.abc import Mapping
from typing import Any, Final

from ringfence.admission import (
    canary,
    endings,
    fence,
    filling,
    glass,
    holds,
    metadata,
    namespaces,
    network,
    operator_fence,
    pods,
    promotions,
    references,
    roles,
    scheduling,
    services,
    shells,
    stamping,
    stores,
    tokens,
)
from ringfence.admission.mutation import Mutation
from ringfence.admission.policy import Policy, Validation

THEMES: Final = (
    ("fence", "The fence itself", (*namespaces.POLICIES, *fence.POLICIES, *glass.POLICIES)),
    ("network", "Network", (*network.POLICIES, *services.POLICIES)),
    ("roles", "Roles and shells", (*roles.POLICIES, *shells.POLICIES)),
    ("workloads", "Workloads", (*pods.POLICIES, *scheduling.POLICIES)),
    ("secrets", "Tokens and secrets", (*tokens.POLICIES, *stores.POLICIES)),
    (
        "own-kinds",
        "Ringfence's own kinds",
        (
            *promotions.POLICIES,
            *holds.POLICIES,
            *endings.POLICIES,
            *metadata.POLICIES,
            *references.POLICIES,
        ),
    ),
    ("operator", "The operator itself", (*operator_fence.POLICIES, *canary.POLICIES)),
)
"""File, title and policies."""
POLICIES: Final[tuple[Policy, ...]] = tuple(policy for _, _, policies in THEMES for policy in policies)
MUTATIONS: Final[tuple[Mutation, ...]] = (*stamping.MUTATIONS, *filling.MUTATIONS)
VALIDATIONS: Final[Mapping[str, tuple[Policy, Validation]]] = {
    validation.id: (policy, validation) for policy in POLICIES for validation in policy.validations
}
"""By id."""


def files() -> Mapping[str, list[dict[str, Any]]]:
    """Manifests by the name of the file that they stand in; policies before what puts them in force."""
    found = {name: _manifests(policies) for name, _, policies in THEMES}
    return {**found, "filled-in": _manifests(MUTATIONS)}


def _manifests(policies: tuple[Policy, ...] | tuple[Mutation, ...]) -> list[dict[str, Any]]:
    return [manifest for policy in policies for manifest in (policy.manifest, *policy.bindings)]
