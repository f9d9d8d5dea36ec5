"""Which checks there are, and in which order.

Law: a check that can't ask says so, and the others go on.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from ringfence.adapters.kubernetes.calls import Calls, calling
from ringfence.adapters.kubernetes.lists import ListError
from ringfence.cli.check import cluster, installed, network, observe, rights, server
from ringfence.cli.check.finding import Finding, failed, warning
from ringfence.cli.check.ledger import judge_ledger, read
from ringfence.cli.check.pods import ClusterPods

Check: TypeAlias = Callable[[Calls], Iterable[Finding]]


def look(
    kubeconfig: Path | None, context: str | None, *, pre: bool, ledger: str = "", probe_network: bool = False
) -> list[Finding]:
    """Everything that was found."""
    try:
        with calling(kubeconfig, context) as calls:
            found = [finding for name, each in (BEFORE if pre else AFTER) for finding in _tried(name, each, calls)]
            found += _tried("network", partial(_network, asked=probe_network), calls)
    except ListError as error:
        found = [failed("server", str(error), "see --kubeconfig and --context")]
    return [*found, *_ledger(ledger)] if ledger and not pre else found


def _tried(name: str, check: Check, calls: Calls) -> list[Finding]:
    try:
        return list(check(calls))
    except ListError as error:
        report = warning if name in BESIDES else failed
        return [report(name, f"can't be asked: {error}", "ask as a cluster's administrator, too")]


def _version(calls: Calls) -> Iterator[Finding]:
    before = datetime.now(UTC)
    reply = calls.send("GET", "/version")
    after = datetime.now(UTC)
    if not reply.ok:
        raise ListError(reply.message)
    yield from server.judge_version(server.version_of(reply.body))
    yield server.judge_clock(reply.headers.get("date", ""), before, after)


def _installer(calls: Calls) -> Iterator[Finding]:
    yield rights.judge_installer(observe.who(calls), observe.grants(calls))


def _rights(calls: Calls) -> Iterable[Finding]:
    return rights.judge_rights(observe.who(calls), observe.grants(calls))


def _clashes(calls: Calls) -> Iterable[Finding]:
    found = observe.items(calls, "/api/v1/namespaces")
    return installed.judge_clashes(
        {each["metadata"]["name"]: each["metadata"].get("labels", {}) for each in found},
        observe.definitions(calls),
        [(key, each["metadata"].get("labels") or {}) for key, each in observe.policies(calls).items()],
    )


def _definitions(calls: Calls) -> Iterator[Finding]:
    yield installed.judge_definitions(observe.definitions(calls))


def _roles(calls: Calls) -> Iterator[Finding]:
    yield installed.judge_roles(observe.roles(calls))


def _policies(calls: Calls) -> Iterable[Finding]:
    live = {key: each["spec"] for key, each in observe.policies(calls).items()}
    return installed.judge_policies(live, observe.served(calls))


def _canary(calls: Calls) -> Iterable[Finding]:
    absent = installed.judge_planted(observe.planted(calls))
    if absent:
        return [absent]
    return installed.judge_answers(observe.answers(calls, observe.who(calls), observe.served(calls)))


def _cluster(calls: Calls) -> Iterator[Finding]:
    yield cluster.judge_nodes(observe.items(calls, "/api/v1/nodes"))
    services = observe.items(calls, "/api/v1/namespaces/kube-system/services")
    yield from cluster.judge_services(services, observe.items(calls, "/apis/storage.k8s.io/v1/storageclasses"))


def _network(calls: Calls, *, asked: bool) -> Iterator[Finding]:
    unprobed = network.judge_unprobed(observe.items(calls, "/api/v1/nodes"), asked=asked)
    if unprobed:
        yield unprobed
        return
    try:
        yield network.judge_network(network.probe(ClusterPods(calls, observe.image(calls))))
    except network.ProbeError as error:
        yield network.judge_failure(error)


def _ledger(url: str) -> Iterator[Finding]:
    from ringfence.cli.lineage.options import open_ledger

    yield judge_ledger(read(open_ledger(url)))


BESIDES: Final = frozenset({"cluster", "definitions", "network", "roles"})
"""What the operator itself has no right to ask for, and what holds without."""
BEFORE: Final[tuple[tuple[str, Check], ...]] = (
    ("server", _version),
    ("rights", _installer),
    ("clashes", _clashes),
    ("cluster", _cluster),
)
AFTER: Final[tuple[tuple[str, Check], ...]] = (
    ("server", _version),
    ("rights", _rights),
    ("definitions", _definitions),
    ("roles", _roles),
    ("policies", _policies),
    ("canary", _canary),
    ("cluster", _cluster),
)
