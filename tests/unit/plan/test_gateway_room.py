"""A developer's many routes cost the operator little, and an unchanged tenant's nothing."""

from typing import Any

import pytest

from ringfence.gateway import files
from ringfence.gateway.served import Gateway
from ringfence.model.kinds import MODEL_ROUTE, Ref
from ringfence.plan.gateway import rendering
from tests.gateway_world import ACME, OPENAI, manifest, world

MODELS = [f"m{number}" for number in range(8)]


def test_what_is_too_large_is_rendered_few_times_and_not_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """800 routes with eight backends and clusters of their own; a plan of the same renders nothing."""
    spec = {
        "backends": [{"provider": "openai", "model": model, "priority": n} for n, model in enumerate(MODELS)],
        "limits": {"maxParallel": 8},
    }
    first = {"backends": [{"provider": "openai", "model": "m0"}]}
    made = world({"providers": [{**OPENAI, "models": MODELS}]}, first, {"web": "dev"})
    for number in range(800):
        made.put(manifest(Ref(MODEL_ROUTE, "acme", f"r{number}"), {**spec, "model": f"x{number}"}))
    rendered: list[int] = []
    whole = files.configuration

    def counted(gateway: Gateway) -> Any:
        rendered.append(sum(len(route.targets) for route in gateway.routes))
        return whole(gateway)

    monkeypatch.setattr(rendering, "configuration", counted)
    made.plan(ACME)
    assert 1 < len(rendered) <= 3
    assert max(rendered) <= 512 + 1
    rendered.clear()
    made.plan(ACME)
    assert rendered == []
