"""Who calls, as this engine can tell: by the claim `sub` of a verified token, `system:serviceaccount:NAMESPACE:NAME`.

Law: the header that says so is written by the engine's own verification and replaces whatever a client sent under its
name. Accounts of gateway keys are no workloads and never match.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from ringfence import names
from ringfence.gateway.served import Gateway, Route
from ringfence.gateway.typed import CALLER_HEADER

HEADER: Final = CALLER_HEADER
CLAIM: Final = "sub"
KEY_MARK: Final = f":{names.gateway_key('')}"
"""What is in the claim of every key's account, and of no other."""
LONGEST: Final = 3800
"""Characters of an expression: what the engine's fields take, without what is put around it."""
_ANYBODY: Final = "[a-z0-9.-]+"


def of_route(gateway: Gateway, route: Route) -> str:
    """The regular expression (RE2) of whoever may call ``route``."""
    return _expression(_called_by(gateway, route))


def of_gateway(gateway: Gateway) -> str:
    """The regular expression (RE2) of whoever may come in at all."""
    probe = [f"{gateway.probe.namespace}:{gateway.probe.account}"] if gateway.probe else []
    return _expression([*map(_exactly, probe), *(f"{_exactly(each)}:{_ANYBODY}" for each in sorted(gateway.callers))])


def _called_by(gateway: Gateway, route: Route) -> Iterator[str]:
    for namespace, callers in sorted(gateway.callers.items()):
        for grant in callers.grants:
            if grant.route == route:
                accounts = list(map(_exactly, sorted(grant.accounts))) or [_ANYBODY]
                yield from (f"{_exactly(namespace)}:{account}" for account in accounts)


def _expression(callers: Iterable[str]) -> str:
    return f"system:serviceaccount:({'|'.join(callers)})"


def _exactly(name: str) -> str:
    """A name of Kubernetes in an expression: of what it may have, the dot alone has a meaning there."""
    return name.replace(".", "[.]")
