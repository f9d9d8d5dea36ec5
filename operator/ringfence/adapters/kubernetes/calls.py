"""Single requests to a cluster for the command line, with whatever way of logging in a kubeconfig has.

Law: an answer is given whole, a refusal too; whoever asks knows what it means.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kubernetes import client, config
from urllib3.exceptions import HTTPError

from ringfence.adapters.kubernetes.lists import ListError

_TIMEOUT: Final = (5.0, 15.0)  # seconds: to connect, and to answer
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the API server answered."""

    status: int
    body: Any
    headers: Mapping[str, str]
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it did what was asked."""
        return self.status < 400  # noqa: PLR2004 -- HTTP's own boundary

    @property
    def message(self) -> str:
        """What a refusal says."""
        return str(self.body.get("message", "")) if isinstance(self.body, dict) else str(self.body)


class Calls:
    """One cluster, as one user."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api

    @property
    def server(self) -> str:
        """Its address."""
        return str(self._api.configuration.host)

    def send(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        content_type: str = _JSON,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Ask once. A given Authorization is used in place of the kubeconfig's. Raises ListError without an answer."""
        sent = {"Accept": _JSON, **({"Content-Type": content_type} if body is not None else {}), **(headers or {})}
        login = [] if "Authorization" in sent else ["BearerToken"]
        request = self._api.param_serialize(method, target, header_params=sent, body=body, auth_settings=login)
        try:
            answer = self._api.call_api(*request, _request_timeout=_TIMEOUT)
            content = answer.read()
        except HTTPError as error:
            raise ListError(f"{self.server} can't be reached: {error}") from error
        headers_seen = {name.lower(): value for name, value in answer.getheaders().items()}
        return Reply(answer.status, _parsed(content), headers_seen, _warnings(answer))

    def patch(self, target: str, change: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Reply:
        """Change what is there: an object is a merge patch (RFC 7396), a list of operations a JSON Patch (RFC 6902)."""
        kind = "merge-patch" if isinstance(change, Mapping) else "json-patch"
        return self.send("PATCH", target, change, content_type=f"application/{kind}+json")

    def get(self, target: str) -> Any:
        """What is there; None where there is nothing. Raises ListError where it is refused."""
        reply = self.send("GET", target)
        if reply.status == 404:  # noqa: PLR2004 -- HTTP's "not found"
            return None
        if not reply.ok:
            raise ListError(f"{target.partition('?')[0]}: {reply.message}")
        return reply.body


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace").strip()


def _warnings(answer: Any) -> tuple[str, ...]:
    """Each header of its own: their texts have commas."""
    return tuple(answer.response.headers.getlist("Warning"))


@contextmanager
def calling(kubeconfig: Path | None, context: str | None) -> Iterator[Calls]:
    """The cluster of a kubeconfig, or of the pod in which this runs. Raises ListError."""
    try:
        api = _client(kubeconfig, context)
    except (config.ConfigException, OSError) as error:
        raise ListError(f"no cluster: {error}") from error
    with api:
        yield Calls(api)


def context_namespace(kubeconfig: Path | None, context: str | None) -> str:
    """The namespace that a context of the kubeconfig names; empty where it names none, or there is no such context."""
    try:
        contexts, current = config.list_kube_config_contexts(str(kubeconfig) if kubeconfig else None)
    except (config.ConfigException, OSError):
        return ""
    chosen = next((each for each in contexts if each["name"] == context), None) if context else current
    return str((chosen or {}).get("context", {}).get("namespace", ""))


def _client(kubeconfig: Path | None, context: str | None) -> client.ApiClient:
    if kubeconfig is None and context is None:
        try:
            own = client.Configuration()
            config.load_incluster_config(client_configuration=own)
            return client.ApiClient(own)
        except config.ConfigException:
            pass  # not in a pod: kubectl's own default
    file = str(kubeconfig) if kubeconfig else None
    api: client.ApiClient = config.new_client_from_config(config_file=file, context=context, persist_config=False)
    return api
