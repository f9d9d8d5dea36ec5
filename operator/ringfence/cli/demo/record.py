"""What somebody might do to the record at night."""

import shutil
from pathlib import Path
from typing import Final

_LEAF: Final = b'{"c":"'  # how the bytes of every leaf begin


def altered_copy(ledger: Path) -> Path:
    """A copy of the record in which one bit of one leaf in each tenant's log is another."""
    copy = ledger.with_name("altered")
    shutil.copytree(ledger, copy)
    for log in copy.glob("*-*.db"):  # a tenant's log is named by a uid
        content = bytearray(log.read_bytes())
        content[content.index(_LEAF) + len(_LEAF)] ^= 1
        log.write_bytes(content)
    return copy
