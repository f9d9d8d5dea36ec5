"""The manifests as clusters get them: what kustomize and helm make of this repository, a file each."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import yaml

from ringfence.controlplane import find_tools

REPOSITORY: Final = Path(__file__).parents[2]
_CHART: Final = REPOSITORY / "charts" / "ringfence"
# The chart as it is, and with everything on that is off unless asked for, but without the definitions a second time.
_VALUES: Final[Mapping[str, Mapping[str, object]]] = {
    "chart": {},
    "chart-full": {
        "crds": {"enabled": False},
        "image": {"digest": f"sha256:{'0' * 64}"},
        "signingKey": {"existingSecret": "checkpoints"},
        "ledger": {"existingClaim": "records"},
        "networkPolicy": {"metricsFrom": [{"namespaceSelector": {"matchLabels": {"team": "monitoring"}}}]},
        "grafana": {"dashboards": True},
        "priorityClassName": "system-cluster-critical",
        "nodeSelector": {"kubernetes.io/os": "linux"},
    },
}


def render(folder: Path) -> list[Path]:
    """Write each rendering into `folder` and return the files."""
    files = []
    for name, text in _renderings(folder):
        path = folder / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        files.append(path)
    return files


def _renderings(folder: Path) -> Iterator[tuple[str, str]]:
    tools = find_tools(["kubectl", "helm"])
    for kustomization in sorted((REPOSITORY / "manifests").glob("*/[Kk]ustomization*")):
        yield kustomization.parent.name, _run(tools["kubectl"], "kustomize", str(kustomization.parent))
    for name, values in _VALUES.items():
        file = folder / f"{name}.values"
        file.write_text(yaml.safe_dump(dict(values)), encoding="utf-8")
        options = ("--namespace", "ringfence-system", "--values", str(file))
        yield name, _run(tools["helm"], "template", "ringfence", str(_CHART), *options)


def _run(program: Path, *arguments: str) -> str:
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout
