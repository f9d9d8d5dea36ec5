"""Where the API server is and how to prove who we are: a kubeconfig, or the files that a pod is given.

Law: credentials are read when they are used, so that a rotated token works without a restart; they are never logged.
"""

import base64
import os
import ssl
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

SERVICE_ACCOUNT_FOLDER: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_READ_EVERY: Final = 60.0  # seconds; the kubelet writes a new token when 80 % of its hour is over


class ConfigError(Exception):
    """The configuration can't be used; the message says which part and what to do."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One API server, the trust in it, and our credentials."""

    server: str
    tls: ssl.SSLContext
    token: str = ""
    token_file: Path | None = None
    proxy: str | None = None


class Bearer:
    """The Authorization header; a token file is read again once a minute."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._header = f"Bearer {connection.token}" if connection.token else ""
        self._read_at = float("-inf")

    def header(self) -> str:
        """The header's value; empty where a client certificate speaks for us."""
        file = self._connection.token_file
        if file is not None and time.monotonic() - self._read_at > TOKEN_READ_EVERY:
            self._header = f"Bearer {file.read_text(encoding='ascii').strip()}"
            self._read_at = time.monotonic()
        return self._header

    def forget(self) -> None:
        """Read the token again at the next use: the last one was not accepted."""
        self._read_at = float("-inf")


def in_cluster(environment: Mapping[str, str] = os.environ, folder: Path = SERVICE_ACCOUNT_FOLDER) -> Connection:
    """The connection of a pod, from the files and variables that the kubelet provides."""
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT", "443")
    if not host or not (folder / "token").exists():
        raise ConfigError("not in a cluster: give --kubeconfig FILE (or set RINGFENCE_KUBECONFIG)")
    bracketed = f"[{host}]" if ":" in host else host
    return Connection(
        server=f"https://{bracketed}:{port}",
        tls=ssl.create_default_context(cafile=str(folder / "ca.crt")),
        token_file=folder / "token",
    )


def from_kubeconfig(path: Path, context: str | None = None) -> Connection:
    """The connection of a kubeconfig's current (or the named) context."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: can't be read as a kubeconfig: {error}") from error
    chosen = _named(path, document, "context", context or document.get("current-context"))
    cluster = _named(path, document, "cluster", chosen.get("cluster"))
    user = _named(path, document, "user", chosen.get("user"))
    if unsupported := sorted({"exec", "auth-provider", "username"} & user.keys()):
        raise ConfigError(
            f"{path}: user {chosen.get('user')!r} logs in by {unsupported[0]}, which the operator does not do; "
            f"give it a token, a tokenFile or a client certificate"
        )
    token_file = user.get("tokenFile")
    return Connection(
        server=str(cluster.get("server", "")).rstrip("/"),
        tls=_tls(path, cluster, user),
        token=user.get("token", ""),
        token_file=path.parent / token_file if token_file else None,
        proxy=cluster.get("proxy-url"),
    )


def _named(path: Path, document: Mapping[str, Any], kind: str, name: str | None) -> Mapping[str, Any]:
    for entry in document.get(f"{kind}s") or ():
        if entry.get("name") == name:
            found: Mapping[str, Any] = entry.get(kind) or {}
            return found
    raise ConfigError(f"{path}: has no {kind} named {name!r}")


def _tls(path: Path, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
    authority = cluster.get("certificate-authority")
    data = cluster.get("certificate-authority-data")
    tls = ssl.create_default_context(
        cafile=str(path.parent / authority) if authority else None,
        cadata=base64.b64decode(data).decode("ascii") if data else None,
    )
    if cluster.get("insecure-skip-tls-verify"):
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    _load_client_certificate(tls, path, user)
    return tls


def _load_client_certificate(tls: ssl.SSLContext, path: Path, user: Mapping[str, Any]) -> None:
    """``ssl`` takes files only: data lives in a private folder for as long as loading takes."""
    if "client-certificate" in user:
        tls.load_cert_chain(path.parent / user["client-certificate"], path.parent / user["client-key"])
    elif "client-certificate-data" in user:
        with tempfile.TemporaryDirectory() as folder:
            pair = Path(folder) / "pair.pem"
            pair.touch(mode=0o600)
            pair.write_bytes(
                b"\n".join(base64.b64decode(user[f"client-{part}-data"]) for part in ("certificate", "key"))
            )
            tls.load_cert_chain(pair)
