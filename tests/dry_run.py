"""What the real API server says of an object that is never stored."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes import client, config

from ringfence.model.registry import DEFINITIONS


@dataclass(frozen=True)
class Verdict:
    """The API server's answer."""

    status: int
    message: str

    @property
    def accepted(self) -> bool:
        """Whether it is valid; that one of this name is there already is found out after validation."""
        return self.status in {200, 201, 409}


class DryRun:
    """Creates objects with `dryRun=All` and strict field validation, over one kept-alive connection."""

    def __init__(self, kubeconfig: Path) -> None:
        self._api: client.ApiClient = config.new_client_from_config(config_file=str(kubeconfig))
        self._plurals = {
            definition.resource.kind: definition.resource.collection_path(
                "default" if definition.resource.namespaced else None
            )
            for definition in DEFINITIONS
        }

    def __call__(self, raw: dict[str, Any]) -> Verdict:
        """The verdict on ``raw``; its namespace is replaced by one that exists."""
        metadata = {key: value for key, value in raw["metadata"].items() if key != "namespace"}
        url = self._api.configuration.host + self._plurals[raw["kind"]] + "?dryRun=All&fieldValidation=Strict"
        answer = self._api.rest_client.pool_manager.request(
            "POST",
            url,
            body=json.dumps({**raw, "metadata": metadata}),
            headers={"Content-Type": "application/json"},
        )
        body = json.loads(answer.data)
        return Verdict(answer.status, body.get("message", ""))
