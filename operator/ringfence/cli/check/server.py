"""The API server: its version, its clock.

Law: supported is what the tests run on; of an older one it is said what therefore does not hold.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple

from ringfence.cli.check.finding import Finding, Grade, failed, warning, well

SUPPORTED: Final = (1, 36)
WARN_SKEW: Final = 2.0  # seconds; the Date header is cut to whole ones, so that one of them is nothing
FAIL_SKEW: Final = 30.0


class Since(NamedTuple):
    """Something that API servers have since a release, and what does not hold without it."""

    release: tuple[int, int]
    grade: Grade
    without: str


FEATURES: Final = (
    Since((1, 30), Grade.FAILED, "no ValidatingAdmissionPolicy: nothing but roles and definitions refuses anything"),
    Since((1, 33), Grade.WARNING, "no ordered deletion: with a namespace, policies may go before pods (CVE-2024-7598)"),
    Since((1, 33), Grade.WARNING, "no ServiceCIDR: name service ranges in the settings, or egress is refused"),
    Since(
        (1, 36),
        Grade.WARNING,
        "no MutatingAdmissionPolicy: people write who asks and regions of pods themselves, or are refused",
    ),
)


def version_of(info: Mapping[str, Any]) -> str:
    """By whose rules an API server works, from its answer at /version; in an upgrade it may emulate another."""
    built = str(info["gitVersion"])
    emulated = f"v{info.get('emulationMajor', '')}.{info.get('emulationMinor', '')}"
    if emulated == "v." or built.startswith(f"{emulated}."):
        return built
    return f"{emulated}, emulated by {built}"


def judge_version(version: str) -> Iterator[Finding]:
    """What the version of the API server (``v1.36.3``) has, and has not."""
    found = re.match(r"v(\d+)\.(\d+)", version)
    if found is None:
        yield warning("server", f"an API server of unknown version {version!r}", "see docs/how-to/install.md")
        return
    release = int(found[1]), int(found[2])
    if release >= SUPPORTED:
        yield well("server", f"{version}")
        return
    wanted = ".".join(map(str, SUPPORTED))
    for feature in FEATURES:
        if release < feature.release:
            yield Finding("server", feature.grade, f"{version}: {feature.without}", f"use {wanted} or newer")


def judge_clock(date: str, before: datetime, after: datetime) -> Finding:
    """How far the API server's clock, as its answer's Date header has it, is from ours around the request."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return warning("clock", "the API server does not tell its time")
    middle = before + (after - before) / 2
    skew = abs((theirs - middle).total_seconds())
    words = f"{skew:.0f} s between the API server and here"
    if skew > FAIL_SKEW:
        return failed("clock", words, "set the clocks: pauses, reviews, leases and records rest on them")
    return warning("clock", words, "set the clocks") if skew > WARN_SKEW else well("clock", words)
