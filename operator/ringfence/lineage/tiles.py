"""C2SP tiles: a log as a directory of small files that any web server can serve and other tools can check.

Law: content in, paths and bytes out. A full tile never changes; only the rightmost one of a level has ``.p/<width>``.
Source: https://c2sp.org/tlog-tiles
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from ringfence.lineage.merkle import root_of

_WIDTH: Final = 256
_THOUSAND: Final = 1000


def entry_bundles(leaves: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """The leaves, 256 to a file, each after its length in two bytes."""
    remaining = iter(leaves)
    number = 0
    while bundle := list(islice(remaining, _WIDTH)):
        yield _path("entries", number, len(bundle)), b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in bundle)
        number += 1


def hash_tiles(hashes: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """The tree over these leaf hashes, in tiles of eight levels each."""
    level = 0
    while hashes:
        tiles = [hashes[start : start + _WIDTH] for start in range(0, len(hashes), _WIDTH)]
        for number, tile in enumerate(tiles):
            yield _path(str(level), number, len(tile)), b"".join(tile)
        hashes = [root_of(tile) for tile in tiles if len(tile) == _WIDTH]
        level += 1


def _path(kind: str, number: int, width: int) -> str:
    partial = "" if width == _WIDTH else f".p/{width}"
    return f"tile/{kind}/{_number_path(number)}{partial}"


def _number_path(number: int) -> str:
    """Three digits a level, all but the last with an ``x``: 1234067 is ``x001/x234/067``."""
    parts = [f"{number % _THOUSAND:03}"]
    while number := number // _THOUSAND:
        parts.append(f"x{number % _THOUSAND:03}")
    return "/".join(reversed(parts))
