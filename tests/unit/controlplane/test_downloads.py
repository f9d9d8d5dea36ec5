"""Official builds are used when their published digest matches, and quietly passed over when they can't be had."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest
import yaml

from ringfence.controlplane.downloads import (
    ENVTEST_INDEX,
    KUBERNETES_RELEASES,
    EnvtestArchive,
    KubernetesRelease,
    read_url,
)
from ringfence.controlplane.errors import ControlPlaneError
from ringfence.controlplane.progress import Progress
from ringfence.controlplane.tools import KUBERNETES, go_architecture

QUIET = Progress(quiet=True)
NAME = f"envtest-v{KUBERNETES.version}-linux-{go_architecture()}.tar.gz"
LINK = f"https://example.test/{NAME}"
RELEASE = f"{KUBERNETES_RELEASES}/v{KUBERNETES.version}/bin/linux/{go_architecture()}"


class FakeWeb:
    """Serves what it was given and remembers what it was asked for."""

    def __init__(self, pages: dict[str, bytes]) -> None:
        self.pages = pages
        self.asked: list[str] = []

    def __call__(self, url: str, progress: Progress) -> bytes | None:
        self.asked.append(url)
        return self.pages.get(url)


def archive(*names: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as members:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            members.addfile(member, io.BytesIO(name.encode()))
    return packed.getvalue()


def index(content: bytes, *, version: str = f"v{KUBERNETES.version}", link: str = LINK) -> bytes:
    entry = {"hash": hashlib.sha512(content).hexdigest(), "selfLink": link}
    return yaml.safe_dump({"releases": {version: {NAME: entry}}}).encode()


def test_the_archive_of_the_pinned_version_is_unpacked(tmp_path: Path) -> None:
    """All that it has is taken; the folders inside it are not."""
    content = archive("controller-tools/envtest/etcd", "controller-tools/envtest/kubectl")
    web = FakeWeb({ENVTEST_INDEX: index(content), LINK: content})
    assert EnvtestArchive(web).fetch(KUBERNETES, "etcd", tmp_path, QUIET)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["etcd", "kubectl"]
    assert (tmp_path / "etcd").stat().st_mode & 0o777 == 0o755


def test_a_member_of_an_archive_never_escapes_its_folder(tmp_path: Path) -> None:
    """Path tricks in an archive write nowhere else."""
    content = archive("../../etcd")
    (tmp_path / "inner").mkdir()
    web = FakeWeb({ENVTEST_INDEX: index(content), LINK: content})
    EnvtestArchive(web).fetch(KUBERNETES, "etcd", tmp_path / "inner", QUIET)
    assert [path.name for path in tmp_path.rglob("etcd")] == ["etcd"]
    assert (tmp_path / "inner" / "etcd").exists()


def test_a_download_with_another_digest_is_refused(tmp_path: Path) -> None:
    """A damaged or forged archive is never run, nor quietly replaced by the next source."""
    content = archive("etcd")
    web = FakeWeb({ENVTEST_INDEX: index(content), LINK: content + b"\0"})
    with pytest.raises(ControlPlaneError, match="SHA-512"):
        EnvtestArchive(web).fetch(KUBERNETES, "etcd", tmp_path, QUIET)
    assert list(tmp_path.iterdir()) == []


def test_an_index_that_points_elsewhere_than_https_is_refused(tmp_path: Path) -> None:
    """The index can't make us read local files."""
    web = FakeWeb({ENVTEST_INDEX: index(b"", link="file:///etc/passwd")})
    with pytest.raises(ControlPlaneError, match="https"):
        EnvtestArchive(web).fetch(KUBERNETES, "etcd", tmp_path, QUIET)


@pytest.mark.parametrize(
    "pages",
    [{}, {ENVTEST_INDEX: index(b"", version="v1.0.0")}, {ENVTEST_INDEX: index(b"")}],
    ids=["no network", "version not published", "archive not served"],
)
def test_an_archive_that_cannot_be_had_is_no_error(tmp_path: Path, pages: dict[str, bytes]) -> None:
    """The next source is asked."""
    assert not EnvtestArchive(FakeWeb(pages)).fetch(KUBERNETES, "etcd", tmp_path, QUIET)


def test_the_archive_is_not_asked_for_what_it_never_has(tmp_path: Path) -> None:
    """No waiting for a network in vain."""
    web = FakeWeb({})
    assert not EnvtestArchive(web).fetch(KUBERNETES, "kube-controller-manager", tmp_path, QUIET)
    assert web.asked == []


def test_a_released_binary_is_taken_with_its_digest(tmp_path: Path) -> None:
    """The project publishes a digest beside each binary."""
    url = f"{RELEASE}/kube-controller-manager"
    web = FakeWeb({url: b"binary", f"{url}.sha512": hashlib.sha512(b"binary").hexdigest().encode()})
    assert KubernetesRelease(web).fetch(KUBERNETES, "kube-controller-manager", tmp_path, QUIET)
    assert (tmp_path / "kube-controller-manager").read_bytes() == b"binary"


def test_a_released_binary_with_another_digest_is_refused(tmp_path: Path) -> None:
    """The same law for every source."""
    url = f"{RELEASE}/kubectl"
    web = FakeWeb({url: b"binary", f"{url}.sha512": hashlib.sha512(b"other").hexdigest().encode()})
    with pytest.raises(ControlPlaneError, match="SHA-512"):
        KubernetesRelease(web).fetch(KUBERNETES, "kubectl", tmp_path, QUIET)


@pytest.mark.parametrize("tool", ["etcd", "kubectl"], ids=["not theirs", "no network"])
def test_a_release_that_cannot_be_had_is_no_error(tmp_path: Path, tool: str) -> None:
    """The next source is asked."""
    assert not KubernetesRelease(FakeWeb({})).fetch(KUBERNETES, tool, tmp_path, QUIET)


def test_a_network_that_refuses_is_no_error() -> None:
    """Nothing listens on the discard port of this machine."""
    assert read_url("http://127.0.0.1:9/index.yaml", QUIET) is None
