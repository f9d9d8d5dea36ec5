"""How long data is kept: by the policy called default, else by what is built in."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from ringfence.model.retentionpolicy import RetentionPolicySpec
from ringfence.model.subject import Subject

DEFAULT_POLICY: Final = "default"
USAGE_KEEP: Final = timedelta(days=90)
"""Of usage, where no policy says otherwise."""


def usage_keep(policies: Iterable[Subject[RetentionPolicySpec]]) -> timedelta:
    """How long the usage of an hour is kept, by a tenant's policies."""
    rules = (rule for policy in policies if policy.name == DEFAULT_POLICY and policy.spec for rule in policy.spec.rules)
    kept = (timedelta(seconds=rule.keep.seconds) for rule in rules if rule.data == "GatewayUsage")
    return next(kept, USAGE_KEEP)
