"""Which networks may be opened."""

from dataclasses import replace

import pytest

from ringfence.model.tenant_network import EgressException
from ringfence.plan.ranges import openings, refusals
from ringfence.plan.reasons import Reason
from ringfence.plan.seen import Facts

FACTS = Facts("cluster", "ringfence-system", protected_ranges=("10.96.0.0/12", "10.244.0.0/16", "192.0.2.7/32"))


def exception(cidr: str) -> EgressException:
    return EgressException(cidr=cidr, ports=(443,))


@pytest.mark.parametrize("cidr", ["203.0.113.0/24", "10.20.0.0/16", "2001:db8::/32", "192.0.2.8/32"])
def test_a_network_outside_the_cluster_is_opened(cidr: str) -> None:
    """The same probe that is refused for protected ranges is allowed for others."""
    assert [opening.cidr for opening in openings([exception(cidr)], FACTS)] == [cidr]
    assert refusals([exception(cidr)], FACTS) == ()


@pytest.mark.parametrize("cidr", ["10.96.0.10/32", "10.0.0.0/8", "10.244.3.0/24", "192.0.2.0/24"])
def test_what_overlaps_the_cluster_stays_closed(cidr: str) -> None:
    """Inside, around or across: an exception never reaches Services, pods or nodes, and the finding names the range."""
    assert openings([exception(cidr)], FACTS) == ()
    (finding,) = refusals([exception(cidr)], FACTS)
    assert finding.reason is Reason.PROTECTED_RANGE
    assert "overlaps the protected range" in finding.message


def test_one_refusal_keeps_nothing_else_closed() -> None:
    """Each exception is judged by itself."""
    both = [exception("10.96.0.0/16"), exception("203.0.113.0/24")]
    assert [opening.cidr for opening in openings(both, FACTS)] == ["203.0.113.0/24"]


def test_while_a_range_is_unknown_nothing_is_opened() -> None:
    """What can't be judged is refused, and the message says what to set."""
    unknown = replace(FACTS, unknown_ranges=("pods",))
    assert openings([exception("203.0.113.0/24")], unknown) == ()
    (finding,) = refusals([exception("203.0.113.0/24")], unknown)
    assert "pods" in finding.message
    assert "protected ranges" in finding.message


def test_private_networks_are_reached_on_purpose_only() -> None:
    """A wide exception leaves private networks out; one that lies inside of them is meant."""
    (wide,) = openings([exception("172.0.0.0/8")], FACTS)
    assert wide.excluded == ("172.16.0.0/12",)
    (meant,) = openings([exception("172.16.5.0/24")], FACTS)
    assert meant.excluded == ()
