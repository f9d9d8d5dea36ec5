"""No name that somebody chose is taken for a word of Envoy's: it neither stops a tenant's gateway nor hides an edit."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

import orjson
import pytest
from pydantic import StringConstraints, TypeAdapter, ValidationError

from ringfence.gateway.files import configuration
from ringfence.gateway.lint import lint
from ringfence.gateway.lint.chain import FILTERS
from ringfence.gateway.lint.logging import WRITTEN
from ringfence.gateway.lint.parsed import DATUM, KEYED
from ringfence.gateway.lint.vocabulary import FIELDS, OPERATORS, SETTINGS, TYPES
from ringfence.gateway.served import Callers, Gateway, Grant, Issuer, Key, Limits, Route, Target, Upstream
from ringfence.model.fields import DnsLabel, DnsSubdomain, ModelName, NamespaceName, ProviderName
from ringfence.model.modelroute import OBJECT_NAME
from tests.unit.gateway import full, parts
from tests.unit.gateway.full import Json
from tests.unit.gateway.mutation import Mutation, dropping, extension, putting

Words = tuple[str, ...]
RouteName = Annotated[str, StringConstraints(pattern=f"^{OBJECT_NAME}$")]
HIDING: Final = (
    "filter_metadata",
    "a/filter_metadata/b",
    "text_format_source",
    "a/text_format_source/inline_string",
    "map",
    "policies",
    "mode",
)
"""Names of models that would hide what is below them, were they taken for fields."""
AT_ONCE: Final = 100
"""Names in one configuration: a ConfigMap does not hold all."""
TRICKY: Final = ("@type", "%REQ(x)%", "a/@type", "a/0", "0", "live", "tls", "gateway", DATUM)


def words() -> frozenset[str]:
    """Every word of the linter's tables and of what is rendered, and some that look like paths and operators."""
    tables = (FIELDS, SETTINGS, KEYED, WRITTEN, FILTERS, OPERATORS, *TYPES.values(), TRICKY, HIDING)
    return frozenset(word for table in tables for word in table) | set(said(full.rendered()))


def said(value: Any) -> Iterator[str]:
    """Every text in ``value``, and every key."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from (key, *said(each))
    elif isinstance(value, list):
        for each in value:
            yield from said(each)


def fitting(kind: Any) -> Words:
    """The words that the API takes for such a name, also with hyphens for underscores."""
    judge = TypeAdapter[str](kind)

    def fits(word: str) -> bool:
        try:
            judge.validate_python(word)
        except ValidationError:
            return False
        return True

    return tuple(sorted(filter(fits, words() | {word.replace("_", "-") for word in words()})))


def named(
    *,
    models: Words = ("chat",),
    providers: Words = ("first",),
    names: Words = ("chat",),
    namespaces: Words = ("acme-dev",),
    labels: Words = ("x",),
    accounts: Words = (),
) -> Gateway:
    """A gateway that has things with all of these names."""
    upstreams = tuple(Upstream(name, "api.first.example", 443) for name in providers)
    limits = Limits(10, 10, max_parallel=8)
    routes = [
        *(Route("chat", model, "rev-1", tuple((Target(each, model),) for each in providers)) for model in models),
        *(Route(name, f"of {name}", "rev-1", ((Target(providers[0], "gpt-4o"),),), limits) for name in names),
    ]
    grants = tuple(Grant(route, frozenset(accounts)) for route in routes)
    keys = tuple(Key(label, f"ringfence-key-{label}", "uid", live=True) for label in labels)
    callers = {namespace: Callers("dev", grants, keys) for namespace in namespaces}
    return Gateway("acme", Issuer("https://issuer", "{}"), upstreams, callers)


@pytest.mark.parametrize(
    ("what", "kind", "some"),
    [
        ("models", ModelName, {"forward", "mode", "retry_on", "filter_metadata", "static_layer", "typed_config"}),
        ("providers", ProviderName, {"mode", "forward", "overwrite", "map", "name"}),
        ("names", RouteName, {"mode", "forward", "matcher", "action", "retry-on"}),
        ("namespaces", NamespaceName, {"mode", "forward", "policies", "key", "value"}),
        ("labels", DnsLabel, {"mode", "forward", "providers", "0"}),
        ("accounts", DnsSubdomain, {"mode", "forward", "ringfence.target", "exact"}),
    ],
)
def test_no_name_is_refused(what: str, kind: Any, some: set[str]) -> None:
    """Of models (on both sides), providers, routes, namespaces, keys and accounts: whatever the API takes is served."""
    chosen = fitting(kind)
    assert some <= set(chosen)
    for first in range(0, len(chosen), AT_ONCE):
        assert lint(configuration(named(**{what: chosen[first : first + AT_ONCE]})).files) == ()


def entry(files: Json) -> Json:
    """What the one model's name leads to."""
    found: Json
    (found,) = parts.groups(files)[0]["on_match"]["matcher"]["matcher_tree"]["exact_match_map"]["map"].values()
    return found


def served(files: Json) -> Json:
    """Its route."""
    found: Json = entry(files)["action"]["typed_config"]
    return found


def judged(files: Json) -> set[str]:
    """The rules that files as data break."""
    return {finding.rule for finding in lint({name: orjson.dumps(content) for name, content in files.items()})}


BELOW: Final = (
    Mutation("a mirror", lambda f: served(f)["route"].update(request_mirror_policies=[]), "field"),
    Mutation("the client's host", lambda f: served(f)["route"].update(auto_host_rewrite=False), "setting"),
    Mutation("a field beside the action", lambda f: entry(f).update(keep_matching=True), "field"),
    Mutation(
        "another filter", putting(served, "typed_per_filter_config", {"any": extension("x")["typed_config"]}), "type"
    ),
    Mutation(
        "another filter's name", putting(served, "typed_per_filter_config", {"envoy.filters.http.x": {}}), "field"
    ),
    Mutation("a header of the client's", lambda f: served(f).update(name="%REQ(authorization)%"), "operator"),
    Mutation("no cluster", dropping(lambda f: served(f)["route"], "cluster"), "routes"),
)


@pytest.mark.parametrize("model", ["chat", *HIDING])
@pytest.mark.parametrize("mutation", BELOW, ids=lambda mutation: mutation.title)
def test_no_name_hides_a_forbidden_edit(model: str, mutation: Mutation) -> None:
    """What is below the name of a model is judged as it is below any other."""
    files = full.parsed(configuration(named(models=(model,), names=())).files)
    assert judged(files) == set()
    assert mutation.rule in judged(mutation(files))
