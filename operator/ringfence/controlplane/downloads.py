"""Fetches official builds where the network has them: seconds instead of minutes.

Law: nothing is used whose published SHA-512 does not match, and a network that refuses is no error: the next source is
asked.
"""

import hashlib
import http.client
import io
import tarfile
import urllib.request
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final

import yaml

from ringfence.controlplane.errors import ControlPlaneError
from ringfence.controlplane.progress import Progress
from ringfence.controlplane.tools import ToolGroup, go_architecture

ENVTEST_INDEX: Final = "https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml"
KUBERNETES_RELEASES: Final = "https://dl.k8s.io/release"
_TIMEOUT: Final = 4.0  # seconds for a connection, and for each read of a running transfer
_CHUNK: Final = 1 << 20

Read = Callable[[str, Progress], bytes | None]


def read_url(url: str, progress: Progress) -> bytes | None:
    """Return what `url` serves, or None where the network or the server does not give it."""
    body = io.BytesIO()
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:  # noqa: S310 - the callers' URLs are https
            if int(response.headers.get("Content-Length") or 0) < _CHUNK:
                return bytes(response.read())
            with progress.task(f"downloading {url}") as detail:
                while chunk := response.read(_CHUNK):
                    body.write(chunk)
                    detail(f"{body.tell() >> 20} MiB")
    except (OSError, http.client.HTTPException):
        return None
    return body.getvalue()


class EnvtestArchive:
    """A source of tools: the archive that controller-tools publishes for tests (etcd, kube-apiserver, kubectl)."""

    def __init__(self, read: Read = read_url) -> None:
        self._read = read

    def fetch(self, group: ToolGroup, tool: str, folder: Path, progress: Progress) -> bool:
        """Unpack the archive of exactly this version into `folder`; return whether it brought `tool`."""
        if tool not in {"etcd", "kube-apiserver", "kubectl"}:
            return False
        index = self._read(ENVTEST_INDEX, progress)
        version = f"v{group.version}"
        releases = yaml.safe_load(index)["releases"] if index else {}
        entry = releases.get(version, {}).get(f"envtest-{version}-linux-{go_architecture()}.tar.gz")
        if entry is None:
            return False
        archive = self._read(_https(entry["selfLink"]), progress)
        if archive is None:
            return False
        _verify(archive, entry["hash"], entry["selfLink"])
        return _unpack(archive, tool, folder)


class KubernetesRelease:
    """A source of tools: the single binaries that the Kubernetes project releases."""

    def __init__(self, read: Read = read_url) -> None:
        self._read = read

    def fetch(self, group: ToolGroup, tool: str, folder: Path, progress: Progress) -> bool:
        """Put `tool` into `folder`; return whether the release has it."""
        if not group.packages[tool].startswith("k8s.io/kubernetes/"):
            return False
        url = f"{KUBERNETES_RELEASES}/v{group.version}/bin/linux/{go_architecture()}/{tool}"
        digest = self._read(f"{url}.sha512", progress)
        binary = self._read(url, progress) if digest else None
        if digest is None or binary is None:
            return False
        _verify(binary, digest.decode().split()[0], url)
        _write_executable(folder / tool, binary)
        return True


def _https(url: str) -> str:
    if not url.startswith("https://"):
        raise ControlPlaneError(f"refused to download over anything but https: {url}")
    return url


def _verify(content: bytes, expected: str, url: str) -> None:
    if hashlib.sha512(content).hexdigest() != expected:
        raise ControlPlaneError(f"{url} does not have its published SHA-512: the download was damaged or tampered with")


def _unpack(archive: bytes, tool: str, folder: Path) -> bool:
    """Write the archive's regular files by their base names alone: no path of its own choosing is followed."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as members:
        for member in members:
            content = members.extractfile(member)
            if member.isreg() and content is not None:
                _write_executable(folder / PurePosixPath(member.name).name, content.read())
    return (folder / tool).exists()


def _write_executable(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o755)
