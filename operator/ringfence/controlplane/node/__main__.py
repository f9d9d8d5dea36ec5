"""The node's process: `python -m ringfence.controlplane.node FOLDER MACHINE`, beside the control plane in FOLDER.

Law: it leaves the user namespace before it has a second thread, and needs no right that a plain user does not have.
"""

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Final

from ringfence.controlplane.access import Access
from ringfence.controlplane.node.api import Api
from ringfence.controlplane.node.container import NEW_USER, unshare
from ringfence.controlplane.node.machine import Machine
from ringfence.controlplane.node.node import Node

_REFUSED: Final = (
    "{}: pods run in namespaces of their own, which this machine refuses to its users. In a container engine allow "
    "them by --security-opt seccomp=unconfined; on Ubuntu by sysctl kernel.apparmor_restrict_unprivileged_userns=0."
)


def main(folder: Path, machine: Machine) -> None:
    """Run pods until killed."""
    logging.basicConfig(format="%(asctime)s %(message)s")
    _become_root_of_nothing()
    asyncio.run(_run(folder, machine))


def _become_root_of_nothing() -> None:
    """Have all rights in a user namespace where there is nothing yet, and no new ones outside (user_namespaces(7))."""
    user, group = os.getuid(), os.getgid()
    try:
        unshare(NEW_USER)
        _map(user, group)
    except OSError as error:
        sys.exit(_REFUSED.format(error))


def _map(user: int, group: int) -> None:
    for name, text in {"setgroups": "deny", "uid_map": f"0 {user} 1", "gid_map": f"0 {group} 1"}.items():
        Path("/proc/self", name).write_text(text)


async def _run(folder: Path, machine: Machine) -> None:
    access = Access.load(folder)
    async with Api.as_node(access) as api, Api.as_admin(access) as scheduler, Api.as_slice_controller(access) as slices:
        await Node(api, scheduler, slices, folder / "node", machine).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Machine.from_json(sys.argv[2]))
