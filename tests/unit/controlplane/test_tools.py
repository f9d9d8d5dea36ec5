"""The table of tools agrees with the modules that it pins."""

import re

import pytest

from ringfence.controlplane.tools import GROUPS, HELM, KUBERNETES, ToolGroup, group_of


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_the_table_lists_exactly_the_tool_directives(group: ToolGroup) -> None:
    """A tool is added in both places or in none."""
    pins = (group.folder / "go.mod").read_text()
    block = re.search(r"^tool \(\n(.*?)^\)", pins, re.MULTILINE | re.DOTALL)
    directives = block[1].split() if block else re.findall(r"^tool (\S+)", pins, re.MULTILINE)
    assert sorted(group.packages.values()) == sorted(directives)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_every_module_is_pinned_by_its_sum(group: ToolGroup) -> None:
    """Readonly builds refuse a module without one."""
    sums = (group.folder / "go.sum").read_text()
    assert f"{group.module} v{group.version} h1:" in sums


def test_versions_are_read_from_the_pins_and_stamped() -> None:
    """Clients ask the server for its version and choose by it."""
    assert KUBERNETES.version == "1.36.3"
    assert "-X k8s.io/component-base/version.gitVersion=v1.36.3" in KUBERNETES.ldflags
    assert "version.gitMinor=36" in KUBERNETES.ldflags
    assert HELM.ldflags.endswith(f"-X helm.sh/helm/v4/internal/version.version=v{HELM.version}")


def test_another_flag_is_another_place_in_the_cache() -> None:
    """A binary built otherwise is never taken for this one."""
    unstamped = ToolGroup(KUBERNETES.name, KUBERNETES.module, KUBERNETES.packages)
    assert unstamped.key != KUBERNETES.key
    assert KUBERNETES.key.startswith("kubernetes-v1.36.3-")


def test_each_tool_belongs_to_one_group() -> None:
    """A name says which pins build it."""
    names = [tool for group in GROUPS for tool in group.packages]
    assert len(names) == len(set(names))
    assert group_of("helm") is HELM
