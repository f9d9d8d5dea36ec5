"""Where tools are looked for, in which order, and that the cache holds whole files only."""

import fcntl
import io
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ringfence.controlplane.errors import ControlPlaneError
from ringfence.controlplane.finder import cache_folder, find_tools
from ringfence.controlplane.progress import Progress
from ringfence.controlplane.tools import KUBERNETES, ToolGroup
from tests.waiting import eventually

QUIET = Progress(quiet=True)


@dataclass
class FakeSource:
    """Brings the tools that it `has`, after writing half of one."""

    has: tuple[str, ...]
    asked: list[str] = field(default_factory=list)
    fails: bool = False

    def fetch(self, group: ToolGroup, tool: str, folder: Path, progress: Progress) -> bool:
        self.asked.append(tool)
        (folder / tool).write_text("half")
        if self.fails:
            raise ControlPlaneError("the download was damaged")
        for name in self.has:
            (folder / name).write_text(f"whole {name}")
        return tool in self.has


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return tmp_path / "cache" / "ringfence" / "tools" / KUBERNETES.key


def test_the_first_source_that_has_a_tool_wins(cache: Path) -> None:
    """Later sources, the slow ones, are not asked."""
    first, second, third = FakeSource(()), FakeSource(("etcd",)), FakeSource(("etcd",))
    assert find_tools(["etcd"], progress=QUIET, sources=[first, second, third]) == {"etcd": cache / "etcd"}
    assert (first.asked, second.asked, third.asked) == (["etcd"], ["etcd"], [])
    assert (cache / "etcd").read_text() == "whole etcd"


def test_the_cache_is_asked_before_any_source(cache: Path) -> None:
    """A second run starts at once and needs no network."""
    source = FakeSource(("etcd",))
    for _ in range(2):
        find_tools(["etcd"], progress=QUIET, sources=[source])
    assert source.asked == ["etcd"]


def test_what_an_archive_brings_along_is_kept(cache: Path) -> None:
    """One download serves all the tools in it."""
    archive = FakeSource(("etcd", "kubectl"))
    found = find_tools(["etcd", "kubectl"], progress=QUIET, sources=[archive])
    assert archive.asked == ["etcd"]
    assert found["kubectl"].read_text() == "whole kubectl"


def test_given_assets_come_first_and_the_rest_is_found_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """The usual assets folder lacks kube-controller-manager."""
    assets = tmp_path / "assets"
    assets.mkdir()
    (assets / "etcd").touch(mode=0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    source = FakeSource(("etcd", "kube-controller-manager"))
    found = find_tools(["etcd", "kube-controller-manager"], progress=QUIET, sources=[source])
    assert found["etcd"] == assets / "etcd"
    assert found["kube-controller-manager"] == cache / "kube-controller-manager"


def test_an_interrupted_source_leaves_nothing_in_the_cache(cache: Path) -> None:
    """Half a binary would fail in ways that nobody understands."""
    with pytest.raises(ControlPlaneError, match="damaged"):
        find_tools(["etcd"], progress=QUIET, sources=[FakeSource((), fails=True)])
    assert [entry.name for entry in cache.iterdir()] == [".lock"]


def test_leftovers_of_a_killed_process_are_removed(cache: Path) -> None:
    """A build of gigabytes, killed, must not stay on the disk for ever."""
    (cache / ".unfinished-dead").mkdir(parents=True)
    find_tools(["etcd"], progress=QUIET, sources=[FakeSource(("etcd",))])
    assert sorted(entry.name for entry in cache.iterdir()) == [".lock", "etcd"]


def test_no_source_at_all_is_an_error_that_says_what_to_do() -> None:
    """The message names the tool and the way out."""
    with pytest.raises(ControlPlaneError, match=r"etcd .*KUBEBUILDER_ASSETS"):
        find_tools(["etcd"], progress=QUIET, sources=[FakeSource(())])


def test_two_that_need_one_tool_make_it_once(cache: Path) -> None:
    """Parallel test workers wait for one build instead of running one each."""
    source = FakeSource(("etcd",))
    cache.mkdir(parents=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = io.StringIO()
        options = {"progress": Progress(stream=said), "sources": [source]}
        waiting = threading.Thread(target=find_tools, args=(["etcd"],), kwargs=options)
        waiting.start()
        eventually(lambda: "waiting for another process" in said.getvalue())
        (cache / "etcd").write_text("made by the one who holds the lock")
    waiting.join()
    assert source.asked == []


def test_the_cache_is_in_the_users_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """XDG_CACHE_HOME moves it."""
    assert cache_folder() == tmp_path / "cache" / "ringfence"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/ann")
    assert cache_folder() == Path("/home/ann/.cache/ringfence")


def test_an_unknown_tool_is_a_mistake_of_the_caller() -> None:
    """No source is asked for it."""
    source = FakeSource(("kubelet",))
    with pytest.raises(KeyError):
        find_tools(["kubelet"], progress=QUIET, sources=[source])
    assert source.asked == []
