"""Becomes one container's program: gives itself the container's files, then executes it.

Law: the program sees the machine's programs and libraries, read-only; of `/etc` and `/run` it sees what the pod and its
image bring, and nothing else. Run by path with `python -I -S`, standard library only, to start in milliseconds.
"""

import ctypes
import json
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NEW_MOUNTS = 0x00020000  # unshare(2)
NEW_USER = 0x10000000
NEW_NETWORK = 0x40000000
_READ_ONLY, _BIND, _RECURSIVE, _PRIVATE = 1, 4096, 16384, 1 << 18  # mount(2)
_HERE, _WHOLE_TREE, _MOUNT_SETATTR = -100, 0x8000, 442  # mount_setattr(2)
_PR_SET_PDEATHSIG = 1
_OWN = ("etc", "run")
"""What of the root is the container's own."""
_SHARED = ("alternatives", "group", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "nsswitch.conf", "passwd")
"""What of /etc programs need to start."""
_LIBC = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Leave the namespaces of the parent, as this thread alone (unshare(2)). Raises OSError where that is refused."""
    _succeeded(_LIBC.unshare(flags), "unshare")


def main(container: Mapping[str, Any]) -> None:
    """Become the program; returns never."""
    unshare(NEW_MOUNTS)
    _mount(None, Path("/"), None, _RECURSIVE | _PRIVATE)
    root = Path(container["root"])
    _build(root, container["files"])
    places = {_inside(root, mount["target"]): mount for mount in container["mounts"]}
    for place, mount in places.items():
        _make_place(place, like=Path(mount["source"]))
    _make_read_only(root)
    # As a runtime does; besides, programs that share memory by a name must not meet those of other pods.
    _mount("tmpfs", root / "dev" / "shm", "tmpfs", 0)
    for place, mount in places.items():
        _mount(mount["source"], place, None, _BIND)
        if mount["read_only"]:
            _make_read_only(place)
    os.chroot(root)
    os.chdir("/")
    _die_with(container["parent"])
    os.execve(container["command"][0], container["command"], container["environment"])  # noqa: S606 - that is the job


def _die_with(parent: int) -> None:
    """End when the node ends (prctl(2)); it may have ended before it was asked for."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _build(root: Path, files: Mapping[str, str]) -> None:
    """Make a root of the machine's own folders, and an `/etc` and a `/run` that are new."""
    _mount("tmpfs", root, "tmpfs", 0)
    for entry in Path("/").iterdir():
        if entry.is_symlink():
            (root / entry.name).symlink_to(entry.readlink())
        elif entry.is_dir() and entry.name not in _OWN:
            (root / entry.name).mkdir()
            _mount(str(entry), root / entry.name, None, _BIND | _RECURSIVE)
    for name in _OWN:
        (root / name).mkdir()
    for name in _SHARED:
        if Path("/etc", name).exists():
            _copy(Path("/etc", name), root / "etc" / name)
    for target, source in files.items():
        _copy(Path(source), _inside(root, target))


def _make_place(place: Path, *, like: Path) -> None:
    """A folder is mounted on a folder, and a file on a file."""
    (place if like.is_dir() else place.parent).mkdir(parents=True, exist_ok=True)
    if not like.is_dir():
        place.touch()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copyfile(source, target)


def _inside(root: Path, path: str) -> Path:
    """Where `path` of the container is; `/var/run` is a link that would lead out of the root."""
    return root / path.replace("/var/run/", "/run/", 1).lstrip("/")


def _make_read_only(mounted: Path) -> None:
    """Make a mount read-only, with all below it, and leave its other attributes (which a remount may not touch)."""
    attributes = (ctypes.c_uint64 * 4)(_READ_ONLY, 0, 0, 0)
    size = ctypes.sizeof(attributes)
    done = _LIBC.syscall(_MOUNT_SETATTR, _HERE, os.fsencode(mounted), _WHOLE_TREE, ctypes.byref(attributes), size)
    _succeeded(done, f"mount_setattr {mounted}")


def _mount(source: str | None, target: Path, kind: str | None, flags: int) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    _succeeded(_LIBC.mount(*texts, ctypes.c_ulong(flags), None), f"mount {target}")


def _succeeded(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
