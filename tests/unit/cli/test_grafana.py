"""Dashboards show what is told: no panel asks for a metric, or a label, that nobody gives. Envoy tells its own."""

import pytest

from ringfence.adapters.collector.metrics import Metrics as Counted
from ringfence.cli.grafana.dashboard import Dashboard, Panel, Query
from ringfence.cli.grafana.files import DASHBOARDS
from ringfence.engine.metrics import Metrics
from ringfence.lineage.runs import Verb
from ringfence.model.kinds import TENANT
from ringfence.usage.outcome import Outcome
from ringfence.usage.tally import NOTHING, Key
from tests.dashboards import asked, lacking, parsed

every = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.uid)


@pytest.fixture(scope="module")
def exposition() -> str:
    """All that the operator and a collector tell, once something of each kind happened."""
    engine, counted = Metrics(), Counted()
    engine.looked(TENANT, "Applied", 0.1)
    engine.wrote(Verb.CREATE, TENANT, "ok")
    engine.repaired(TENANT)
    engine.appended(ok=True)
    engine.pulled(ok=True)
    engine.seen("serves")
    counted.took({Key(0, "acme-dev", "default", "chat", "openai", Outcome.SERVED): NOTHING}, own=1)
    return engine.exposition().decode() + counted.exposition().decode()


@every
def test_every_metric_and_label_of_a_panel_is_told(dashboard: Dashboard, exposition: str) -> None:
    """By the very registries that are scraped."""
    ours = ("ringfence_", "process_")
    assert list(asked(dashboard, *ours))
    assert not lacking(dashboard, exposition, *ours)


def test_a_metric_or_label_that_is_not_there_is_seen(exposition: str) -> None:
    """Else the test above would promise nothing."""
    for wrong in ("sum(ringfence_leaders)", "sum by (tenant) (ringfence_leader)", 'ringfence_leader{tenant="acme"}'):
        panel = Panel("", "", "short", (Query(wrong, ""),))
        assert lacking(Dashboard("", "", "", (panel,)), exposition, "ringfence_")


@every
def test_panels_lie_beside_each_other(dashboard: Dashboard) -> None:
    """None on another, each with an id and queries of its own."""
    panels = parsed(dashboard)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) == len(dashboard.panels)
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)
    for panel in panels:
        references = [query["refId"] for query in panel["targets"]]
        assert references == sorted(set(references))


def test_what_is_written_in_a_dashboard_is_written_as_json() -> None:
    """Whatever it is: PromQL has quotes, and a description may have."""
    query, text = Query('up{job="a\\\\b"}', '{{job}} "x"\n'), 'He said "no"\\'
    panel = Panel(text, text, "short", (query,))
    found = parsed(Dashboard(text, text, text, (panel, panel)))
    assert (found["title"], found["panels"][1]["title"]) == (text, text)
    assert found["panels"][0]["targets"] == [{"refId": "A", "expr": query.expression, "legendFormat": query.legend}]
