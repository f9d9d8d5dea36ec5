"""Ways into a control plane: kubeconfigs of any user, member of any group, or ServiceAccount.

Law: whoever can read the folder can be anyone; so the folder is private, and so is each file in it.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import yaml

from ringfence.controlplane.client import Client
from ringfence.controlplane.errors import ControlPlaneError
from ringfence.controlplane.pki import Authority, write_private

ADMIN: Final = "kubernetes-admin"
_ADMIN_GROUP: Final = "system:masters"
_STATE: Final = "controlplane.json"
_TOKEN_LIFETIME: Final = timedelta(hours=24)


class Access:
    """Issues kubeconfigs, as files in `folder`, for the API server at `url`."""

    def __init__(self, folder: Path, url: str, authority: Authority) -> None:
        self._folder = folder
        self._authority = authority
        self.url = url

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open the access to a control plane that another process runs in `folder`."""
        try:
            state = json.loads((folder / _STATE).read_text())
        except FileNotFoundError:
            raise ControlPlaneError(f"no control plane runs in {folder}: start one with `ringfence dev up`") from None
        return cls(folder, state["url"], Authority.load(folder))

    def save(self) -> None:
        """Let other processes `load` this."""
        unfinished = self._folder / f"{_STATE}.unfinished"
        write_private(unfinished, json.dumps({"url": self.url}).encode())
        unfinished.rename(self._folder / _STATE)

    @property
    def ca(self) -> Path:
        """The certificate authority's certificate, PEM."""
        return self._authority.certificate_file

    @property
    def admin_certificate(self) -> Path:
        """A client certificate with all rights, and its key, PEM."""
        return self.certificate(ADMIN, [_ADMIN_GROUP], file="admin.pem")

    @cached_property
    def admin(self) -> Client:
        """A client with all rights."""
        return Client(self.url, ca=self.ca, certificate=self.admin_certificate)

    @cached_property
    def admin_kubeconfig(self) -> Path:
        """A kubeconfig with all rights."""
        return self.kubeconfig(ADMIN, [_ADMIN_GROUP], file="admin.kubeconfig")

    def certificate(self, user: str, groups: Sequence[str] = (), *, file: str | None = None) -> Path:
        """Return a PEM file with certificate and key of `user` (1 to 64 characters), who is a member of `groups`."""
        path = self._folder / (file or _file_name(user, *groups, suffix="pem"))
        if not path.exists():
            credential = self._authority.client(user, groups)
            write_private(path, credential.certificate + credential.key)
        return path

    def kubeconfig(self, user: str, groups: Sequence[str] = (), *, file: str | None = None) -> Path:
        """Return a kubeconfig that authenticates as `user` (1 to 64 characters), who is a member of `groups`."""
        path = self._folder / (file or _file_name(user, *groups))
        if not path.exists():
            credential = self._authority.client(user, groups)
            self._write(
                path, user, {"client-certificate-data": credential.certificate, "client-key-data": credential.key}
            )
        return path

    def service_account_kubeconfig(
        self,
        namespace: str,
        name: str,
        *,
        lifetime: timedelta = _TOKEN_LIFETIME,
        annotations: Mapping[str, str] | None = None,
    ) -> Path:
        """Return a kubeconfig with a new token of an existing ServiceAccount, valid for `lifetime`.

        `annotations` are of the request: an admission policy may want to know why somebody asks.
        Raises ControlPlaneError, with the server's message, where there is no such ServiceAccount.
        """
        request = {
            "metadata": {"annotations": dict(annotations or {})},
            "spec": {"expirationSeconds": int(lifetime.total_seconds())},
        }
        answer = self.admin.request("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", request)
        user = f"system:serviceaccount:{namespace}:{name}"
        path = self._folder / _file_name(user)
        self._write(path, user, {"token": answer.must()["status"]["token"]})
        return path

    def _write(self, path: Path, user: str, credential: Mapping[str, bytes | str]) -> None:
        write_private(path, yaml.safe_dump(self._document(user, credential), sort_keys=False).encode())

    def _document(self, user: str, credential: Mapping[str, bytes | str]) -> dict[str, Any]:
        encoded = {key: _encoded(value) for key, value in credential.items()}
        cluster = {"server": self.url, "certificate-authority-data": _encoded(self.ca.read_bytes())}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "ringfence-development", "cluster": cluster}],
            "users": [{"name": user, "user": encoded}],
            "contexts": [{"name": user, "context": {"cluster": "ringfence-development", "user": user}}],
            "current-context": user,
        }


def is_ready(folder: Path) -> bool:
    """Whether the control plane in `folder` has come up, so that `Access.load` works."""
    return (folder / _STATE).exists()


def _encoded(value: bytes | str) -> str:
    """Return text as it is, and bytes in base64, as kubeconfigs hold them."""
    return value if isinstance(value, str) else base64.b64encode(value).decode()


def _file_name(*identity: str, suffix: str = "kubeconfig") -> str:
    """Return a name that people recognise and that no two identities share."""
    digest = hashlib.sha256("\0".join(identity).encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9.-]+', '-', identity[0])}-{digest}.{suffix}"
