"""What was found, as JSON.

Law: field names are those of Kubernetes where it has one, and a field is never left out.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringfence.reach.decide import Grant, Side, Verdict
    from ringfence.reach.gaps import Gap
    from ringfence.reach.paths import Path
    from ringfence.reach.ports import Port, Ports
    from ringfence.reach.verify import Connection, Place, Report


def report_value(report: "Report") -> dict[str, Any]:
    """Everything that `ringfence verify` found."""
    return {
        "version": 1,
        "ok": not report.is_broken and not report.unknown,
        "tenants": {tenant: list(namespaces) for tenant, namespaces in report.tenants.items()},
        "connections": [_connection(each) for each in report.connections if each not in report.breaches],
        "breaches": [_connection(each) for each in report.breaches],
        "gaps": [_gap(each) for each in report.gaps],
        "unknown": list(report.unknown),
    }


def verdict_value(
    verdict: "Verdict",
    port: "Port | None",
    possible: Iterable["Path"],
    advice: Iterable[str],
    unknown: Iterable[str],
) -> dict[str, Any]:
    """The answer of `ringfence explain-deny`, and what it rests on."""
    return {
        "version": 1,
        "answer": verdict.answer(port).value,
        "from": str(verdict.egress.end),
        "to": str(verdict.ingress.end),
        "port": None if port is None else {"protocol": port.protocol, "port": port.number},
        "ports": _ports(verdict.ports),
        "egress": _side(verdict.egress, port),
        "ingress": _side(verdict.ingress, port),
        "otherPods": [
            {
                "from": dict(path.source_labels),
                "to": dict(path.target_labels),
                "ports": _ports(path.ports),
                "policies": list(path.policies),
            }
            for path in possible
        ],
        "next": list(advice),
        "unknown": list(unknown),
    }


def _connection(connection: "Connection") -> dict[str, Any]:
    return {
        "kind": connection.kind.value,
        "tenant": connection.tenant,
        "from": _place(connection.source),
        "to": _place(connection.target),
        "ports": _ports(connection.ports),
        "policies": list(connection.policies),
    }


def _gap(gap: "Gap") -> dict[str, Any]:
    return {
        "tenant": gap.tenant,
        "namespace": gap.namespace,
        "direction": gap.opening.direction.value,
        "policy": gap.opening.policy,
        "pods": gap.pods,
        "ports": _ports(gap.opening.ports),
        "admits": [kind.value for kind in gap.admits],
    }


def _side(side: "Side", port: "Port | None") -> dict[str, Any]:
    return {
        "answer": side.answer(port).value,
        "isolating": list(side.isolating),
        "allowing": [_grant(each) for each in side.allowing(port)],
        "doubtful": [_grant(each) for each in side.doubtful(port)],
        "doubt": side.doubt,
    }


def _grant(grant: "Grant") -> dict[str, Any]:
    return {"policy": grant.policy, "ports": _ports(grant.ports), "doubt": grant.doubt}


def _place(place: "Place") -> dict[str, str]:
    return {"namespace": place.namespace, "pods": place.pods, "addresses": place.addresses}


def _ports(ports: "Ports") -> list[dict[str, Any]]:
    """Ranges as a NetworkPolicy has them; one that ends nowhere is a name."""
    return [
        {
            "protocol": each.protocol,
            "port": each.name or each.first,
            "endPort": None if each.name else each.last,
        }
        for each in ports
    ]
