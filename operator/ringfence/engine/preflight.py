"""What is checked before anything starts: who we are, and what we may do.

Law: each thing that is wrong is told with the next step; what may heal by itself is waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Final, TypeVar

import structlog

from ringfence import names
from ringfence.plan.operator_rights import AT_HOME, EVERYWHERE
from ringfence.plan.rights import actions
from ringfence.ports.cluster import Cluster, Grant, Permission, RefusedError, ThrottledError, UnreachableError

log = structlog.get_logger(__name__)

MASTERS: Final = "system:masters"
"""The group that every fence lets through: with it no policy would hold the operator."""
RETRY: Final = 2.0

T = TypeVar("T")


class RefusedToStartError(Exception):
    """The operator must not start like this; the message says what to do."""


async def preflight(cluster: Cluster, *, unsafe_admin: bool) -> None:
    """Wait for the API server, see who we are there, and tell what rights are missing.

    Raises:
        RefusedToStartError: the identity is one that nothing can fence.
        UnauthorizedError: the API server does not know us.
    """
    identity = await _patiently(cluster.whoami)
    if MASTERS in identity.groups and not unsafe_admin:
        raise RefusedToStartError(
            f"{identity.username} is in {MASTERS}, which no policy can fence: use a token of ServiceAccount "
            f"{names.OPERATOR_NAMESPACE}/{names.OPERATOR_SERVICE_ACCOUNT}, or --unsafe-admin to try things out"
        )
    if lacking := missing(await _patiently(partial(cluster.grants, names.OPERATOR_NAMESPACE))):
        log.error("rights are missing; apply the roles of manifests/install or of the chart", missing=lacking)


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until there is an answer. An API server that is starting refuses for a moment what everybody may ask."""
    while True:
        try:
            return await ask()
        except (UnreachableError, ThrottledError, RefusedError) as error:
            log.warning("waiting for the API server", error=error.message, retry_in=RETRY)
            await asyncio.sleep(RETRY)


def needed() -> Iterable[Permission]:
    """Return what the shipped roles give, but for rights on single named objects, which a review does not tell."""
    for action in sorted(actions((*EVERYWHERE, *AT_HOME))):
        if not action.name:
            yield Permission(action.verb, action.group, action.resource)


def missing(grants: Sequence[Grant]) -> list[str]:
    """Return what is needed and not granted."""
    return [str(wanted) for wanted in needed() if not any(grant.covers(wanted) for grant in grants)]
