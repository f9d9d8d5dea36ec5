"""What is true of the cluster, and what is not known of it."""

from typing import Any

from ringfence.engine.facts import DEFAULT_CLASS_ANNOTATION, ClusterFacts, Ranges
from ringfence.model.kinds import EXTERNAL_SECRET, NODE, SERVICE_CIDR, STORAGE_CLASS


class Told:
    """Facts, with how often somebody was told that they changed."""

    def __init__(self, settings: Ranges | None = None) -> None:
        self.times = 0
        self.facts = ClusterFacts(settings=settings or Ranges(), cluster_uid=lambda: "uid", changed=self._changed)

    def _changed(self) -> None:
        self.times += 1


def node(name: str, *, pods: str = "", address: str = "192.0.2.1") -> dict[str, Any]:
    spec = {"podCIDR": pods} if pods else {}
    return {
        "metadata": {"name": name},
        "spec": spec,
        "status": {"addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}]},
    }


def storage_class(name: str, since: str, *, default: bool = True) -> dict[str, Any]:
    annotations = {DEFAULT_CLASS_ANNOTATION: "true"} if default else {}
    return {"metadata": {"name": name, "creationTimestamp": since, "annotations": annotations}}


def test_what_was_not_read_is_unknown_and_not_empty() -> None:
    """An egress exception is refused meanwhile: nobody knows what it would reach."""
    assert Told().facts.facts().unknown_ranges == ("services", "pods", "nodes")


def test_ranges_come_from_nodes_service_ranges_and_settings() -> None:
    """Addresses of nodes are ranges of one."""
    told = Told(Ranges(nodes=("198.51.100.0/24",)))
    told.facts.seen(NODE, node("a", pods="10.244.0.0/24", address="2001:db8::1"))
    told.facts.seen(SERVICE_CIDR, {"metadata": {"name": "kubernetes"}, "spec": {"cidrs": ["10.96.0.0/12"]}})
    facts = told.facts.facts()
    assert facts.protected_ranges == ("10.244.0.0/24", "10.96.0.0/12", "198.51.100.0/24", "2001:db8::1/128")
    assert facts.pod_ranges == ("10.244.0.0/24",)
    assert facts.unknown_ranges == ()


def test_one_node_without_a_pod_range_leaves_pods_unknown_unless_settings_say_so() -> None:
    """Network plugins that hand out addresses themselves tell nobody."""
    for settings, unknown in ((Ranges(), True), (Ranges(pods=("10.0.0.0/8",)), False)):
        told = Told(settings)
        told.facts.seen(NODE, node("a", pods="10.244.0.0/24"))
        told.facts.seen(NODE, node("b"))
        assert ("pods" in told.facts.facts().unknown_ranges) is unknown


def test_the_newest_default_class_is_the_default() -> None:
    """As the API server chooses it."""
    told = Told()
    told.facts.seen(STORAGE_CLASS, storage_class("old", "2026-01-01T00:00:00Z"))
    told.facts.seen(STORAGE_CLASS, storage_class("new", "2026-02-01T00:00:00Z"))
    told.facts.seen(STORAGE_CLASS, storage_class("other", "2026-03-01T00:00:00Z", default=False))
    assert told.facts.facts().default_storage_class == "new"


def test_only_news_are_told_and_what_a_list_does_not_name_is_gone() -> None:
    """Every plan rests on facts: a change of them wakes everybody."""
    told = Told()
    told.facts.seen(NODE, node("a", pods="10.244.0.0/24"))
    told.facts.seen(NODE, node("a", pods="10.244.0.0/24"))
    assert told.times == 1
    told.facts.listed(NODE, frozenset(), 7)
    assert told.times == 2
    assert "pods" in told.facts.facts().unknown_ranges
    told.facts.seen(NODE, node("a", pods="10.244.0.0/24"))
    told.facts.gone(NODE, node("a"))
    assert told.times == 4


def test_an_optional_type_may_come_and_go() -> None:
    """External Secrets may be installed later."""
    told = Told()
    told.facts.serves(EXTERNAL_SECRET, served=True)
    assert told.facts.facts().served == {EXTERNAL_SECRET}
    told.facts.serves(EXTERNAL_SECRET, served=True)
    told.facts.serves(EXTERNAL_SECRET, served=False)
    assert (told.facts.facts().served, told.times) == (frozenset(), 2)
