"""Lists objects of a cluster for the command line, with whatever way of logging in a kubeconfig has.

Law: it only lists. Nothing is written, and no Secret is ever asked for.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from kubernetes import client, config
from urllib3.exceptions import HTTPError

from ringfence.model.kinds import ResourceType

_PAGE: Final = 500  # objects; what kubectl asks for
_TIMEOUT: Final = 30.0  # seconds a request
_NOT_FOUND: Final = 404


class ListError(Exception):
    """The cluster can't be read; the message says what was asked and what it answered."""


class Lists:
    """Reads whole collections, page by page, as plain manifests."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api

    def of(self, kind: ResourceType) -> Iterator[Mapping[str, Any]]:
        """All objects of a kind in all namespaces; none where the cluster has no such kind. Raises ListError."""
        token = ""
        while True:
            page = self.get(f"{kind.collection_path()}?limit={_PAGE}&continue={quote(token)}")
            if page is None:
                return
            for item in page["items"]:
                yield {**item, "apiVersion": kind.api_version, "kind": kind.kind}
            token = page["metadata"].get("continue", "")
            if not token:
                return

    def kinds(self, group: str) -> Iterator[ResourceType]:
        """The kinds that the cluster serves in an API group; none where it has no such group. Raises ListError."""
        found = self.get(f"/apis/{group}")
        if found is None:
            return
        version = found["preferredVersion"]["version"]
        for each in (self.get(f"/apis/{group}/{version}") or {}).get("resources", ()):
            if "/" not in each["name"]:
                yield ResourceType(group, version, each["name"], each["kind"], each["namespaced"])

    def get(self, path: str) -> Any:
        """The answer to one request; None where there is nothing. Raises ListError."""
        request = self._api.param_serialize("GET", path, auth_settings=["BearerToken"])
        try:
            answer = self._api.call_api(*request, _request_timeout=_TIMEOUT)
            content = answer.read()
        except HTTPError as error:
            raise ListError(f"{self._api.configuration.host} can't be reached: {error}") from error
        if answer.status == _NOT_FOUND:
            return None
        body = json.loads(content)
        if answer.status >= 400:  # noqa: PLR2004 - HTTP's own boundary
            raise ListError(f"{path.partition('?')[0]}: {body.get('message', answer.status)}")
        return body


@contextmanager
def connected(kubeconfig: Path | None, context: str | None) -> Iterator[Lists]:
    """The cluster of a kubeconfig; kubectl's own default where none is named. Raises ListError."""
    try:
        file = str(kubeconfig) if kubeconfig else None
        api = config.new_client_from_config(config_file=file, context=context, persist_config=False)
    except (config.ConfigException, OSError) as error:
        raise ListError(f"no cluster: {error}") from error
    with api:
        yield Lists(api)
