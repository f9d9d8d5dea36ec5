"""Names that users' alerts, exceptions and records refer to, and that therefore never change between releases."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ringfence.admission.catalogue import files

NAMES: Final = Path(__file__).with_name("policy-names.txt")
RETIRED: Final[Mapping[str, str]] = {}
"""Policies and bindings that a release had and a later one has not, each with the reason.

An upgrade with kubectl prunes nothing, and with Helm keeps policies: what is retired here stays in force in clusters
until somebody deletes it. A new name for an old rule is two policies for one, and leaves the old one behind.
"""


def test_no_policy_and_no_binding_is_renamed_or_removed() -> None:
    """New ones are added by UPDATE_GOLDEN=1; what goes needs a line in RETIRED, by hand."""
    now = {f"{each['kind']} {each['metadata']['name']}" for manifests in files().values() for each in manifests}
    known = set(NAMES.read_text(encoding="utf-8").splitlines())
    if os.environ.get("UPDATE_GOLDEN"):
        NAMES.write_text("".join(f"{name}\n" for name in sorted(known | now)), encoding="utf-8")
        known |= now
    assert known - now == set(RETIRED), "a policy or binding is gone or has another name"
    assert now <= known, "UPDATE_GOLDEN=1 pytest tests/golden adds new names"
