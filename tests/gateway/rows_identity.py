"""Tokens that are stolen, stale, forged or somebody else's.

Law: who calls is what the cluster's own issuer says, for this gateway, now; nothing else that a client says counts.
"""

import base64
import json
from typing import Any, Final

from tests.gateway.asking import CHAT, Bearer, Headers, Request, Strangers, body, workload
from tests.gateway.rows import Row
from tests.gateway.tokens import LIFETIME, service_account, signed_by_secret, uid, unsigned
from tests.gateway.world import ANYWHERE, FAR, HERE, PROBE, TEST_KEY, UI

NOBODY: Final = (401, "invalid_identity")
NOT_ALLOWED: Final = (403, "model_not_allowed")
UNKNOWN: Final = (403, "caller_unknown")
HOUR: Final = 3600
_MINE: Final = ("acme-dev", "default")


def said(bearer: Bearer, model: str = "chat") -> Request:
    """A request with this token."""
    return Request(body(model), bearer=bearer)


def claiming(**claims: Any) -> Bearer:
    """The workload's token with other claims."""
    return lambda signers: signers.issuer.token(*_MINE, **claims)


def headed(**fields: Any) -> Bearer:
    """The workload's token with another header; a field that is None is left out."""

    def made(signers: Strangers) -> str:
        header = {name: value for name, value in {**signers.issuer.header, **fields}.items() if value is not None}
        return signers.issuer.signed(header, service_account(*_MINE))

    return made


def aged(seconds: int) -> Bearer:
    """A token that was issued so long ago."""

    def made(signers: Strangers) -> str:
        issued = int(service_account(*_MINE)["iat"]) - seconds
        return signers.issuer.token(*_MINE, iat=issued, nbf=issued, exp=issued + LIFETIME)

    return made


def of(namespace: str, account: str = "default", prefix: str = "", **claims: Any) -> Bearer:
    """Somebody else's token."""
    return lambda signers: prefix + signers.issuer.token(namespace, account, **claims)


def by_stranger(**header: Any) -> Bearer:
    """What a stranger signed in the workload's name."""

    def made(signers: Strangers) -> str:
        fields = {name: each(signers) if callable(each) else each for name, each in header.items()}
        return signers.stranger.signed({**signers.stranger.header, **fields}, service_account(*_MINE))

    return made


def by_nobody(algorithm: str) -> Bearer:
    """What nobody signed."""
    return lambda _: unsigned(service_account(*_MINE), algorithm)


def confused(secret: str) -> Bearer:
    """A token signed with what everybody knows: the issuer's public key (CVE-2015-9235)."""

    def made(signers: Strangers) -> str:
        known = {"pem": signers.issuer.pem, "n": signers.issuer.jwk["n"].encode(), "nothing": b""}[secret]
        return signed_by_secret(known, {**signers.issuer.header, "alg": "HS256"}, service_account(*_MINE))

    return made


def altered(part: int, content: str | None = None) -> Bearer:
    """The workload's token, one part of which is another one, or gone."""

    def made(signers: Strangers) -> str:
        parts = workload(signers).split(".")
        parts[part : part + 1] = [] if content is None else [content]
        return ".".join(parts)

    return made


def promoted(signers: Strangers) -> str:
    """The workload's token, with the claims of a production workload under the same signature."""
    claims = json.dumps(service_account("acme-prod")).encode()
    head, _, signature = workload(signers).split(".")
    return f"{head}.{base64.urlsafe_b64encode(claims).rstrip(b'=').decode()}.{signature}"


def who(namespace: Any = "acme-dev", name: Any = "default", **more: Any) -> dict[str, Any]:
    """What a token's claim `kubernetes.io` says."""
    found = {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid("acme-dev", "default")}, **more}
    return {key: value for key, value in found.items() if value is not None}


def nobody(title: str, bearer: Bearer) -> Row:
    """A token that proves nothing."""
    return Row(title, said(bearer), *NOBODY)


def elsewhere(title: str, *headers: tuple[str, str], path: str = CHAT) -> Row:
    """A token where none is looked for."""
    return Row(title, Request(bearer=None, headers=headers, path=path), *NOBODY)


def key(name: str, prefix: str = "rf_live_", /, **claims: Any) -> Bearer:
    """The token of a gateway key."""
    return of("acme-dev", name, prefix, **claims)


def scheme(value: str) -> Headers:
    """An `authorization` as it is."""
    return (("authorization", value),)


HEADER_ROWS: Final = (
    elsewhere("no token"),
    elsewhere("an empty one", *scheme("Bearer ")),
    elsewhere("a scheme alone", *scheme("Bearer")),
    elsewhere("another scheme", *scheme("Basic YWNtZTphY21l")),
    elsewhere("a key of a provider", *scheme("Bearer sk-canary-first")),
    elsewhere("a word", *scheme("Bearer token")),
    elsewhere("three empty parts", *scheme("Bearer ..")),
    elsewhere("a token of a megabyte's kind", *scheme("Bearer " + "x" * 8000)),
    elsewhere("a header of another API", ("api-key", "sk-canary-first")),
    elsewhere("a header of yet another API", ("x-api-key", "sk-canary-first")),
    elsewhere("a token in a cookie", ("cookie", "token=x")),
)
TOKEN_ROWS: Final = (
    nobody("expired an hour ago", aged(2 * HOUR)),
    nobody("expired a minute ago", aged(HOUR + 60)),
    nobody("valid from tomorrow", aged(-24 * HOUR)),
    nobody("never expires", claiming(exp=None)),
    nobody("expires with a word", claiming(exp="never")),
    nobody("for another audience", claiming(aud=["vault"])),
    nobody("for the API server", claiming(aud=["https://kubernetes.default.svc.cluster.local"])),
    nobody("for an audience that begins alike", claiming(aud=["ringfence-gateway-2"])),
    nobody("for an audience in capitals", claiming(aud=["Ringfence-Gateway"])),
    nobody("for nobody", claiming(aud=[])),
    nobody("for whom it may concern", claiming(aud=None)),
    nobody("of another issuer", claiming(iss="https://issuer.example")),
    nobody("of an issuer that begins alike", claiming(iss="https://kubernetes.default.svc.cluster.local.example")),
    nobody("of no issuer", claiming(iss=None)),
    nobody("signed by a stranger under the same name", by_stranger()),
    nobody("signed by a stranger under his own name", by_stranger(kid="stranger")),
    nobody("signed by a stranger without a name", by_stranger(kid="")),
    nobody("signed by a stranger who brings his key", by_stranger(jwk=lambda signers: signers.stranger.jwk)),
    nobody("signed by a stranger who says where his key is", by_stranger(jku="https://issuer.example/keys")),
    nobody("signed by a stranger whose key is a path", by_stranger(kid="../../../dev/null")),
    *(nobody(f"signed by nobody: {each}", by_nobody(each)) for each in ("none", "None", "NONE", "nOnE", "")),
    *(nobody(f"signed with the public key, as {each}", confused(each)) for each in ("pem", "n", "nothing")),
    nobody("of another algorithm", headed(alg="RS512")),
    nobody("of an algorithm of another kind", headed(alg="ES256")),
    nobody("of a key that nobody knows", headed(kid="two")),
    nobody("with other claims under the same signature", promoted),
    nobody("with another header under the same signature", altered(0, "eyJhbGciOiJSUzI1NiJ9")),
    nobody("with half of a signature", lambda signers: workload(signers)[:-100]),
    nobody("with an empty signature", altered(2, "")),
    nobody("without a signature", altered(2)),
    nobody("with four parts", lambda signers: workload(signers) + ".x"),
    nobody("with five parts, as if encrypted", lambda signers: workload(signers) + ".x.x"),
    nobody("with a signature of no base64", altered(2, "!!!!")),
    nobody("two, a stranger's first", lambda signers: f"{by_stranger()(signers)}, Bearer {workload(signers)}"),
    nobody("a workload's, with a prefix that nobody has", of("acme-dev", prefix="rf_prod_")),
)
CALLER_ROWS: Final = (
    Row("another tenant's", said(of("globex-dev")), *UNKNOWN),
    Row("of a namespace that begins alike", said(of("acme-dev2")), *UNKNOWN),
    Row("of a namespace in capitals", said(of("ACME-DEV")), *UNKNOWN),
    Row("of the home namespace", said(of("acme")), *UNKNOWN),
    Row("of the operator", said(of("ringfence-system", "ringfence")), *UNKNOWN),
    Row("of a namespace that serves no model", said(of("acme-empty")), *NOT_ALLOWED),
    Row(
        "of production, for a model of development",
        said(of("acme-prod")),
        *NOT_ALLOWED,
        said(of("acme-prod"), "reports"),
    ),
    Row(
        "of development, for a model of production",
        said(workload, "reports"),
        *NOT_ALLOWED,
        said(of("acme-prod"), "reports"),
    ),
    Row(
        "of an account that the model is not for",
        said(workload, "guarded"),
        *NOT_ALLOWED,
        said(of("acme-dev", UI), "guarded"),
    ),
    Row(
        "of the account's namesake in another namespace",
        said(of("acme-prod", UI), "guarded"),
        *NOT_ALLOWED,
        said(of("acme-dev", UI), "guarded"),
    ),
    Row("that says nothing of a namespace", said(claiming(**{"kubernetes.io": who(None)})), *UNKNOWN),
    Row("that says nothing of Kubernetes", said(claiming(**{"kubernetes.io": None})), *UNKNOWN),
    Row("with a namespace elsewhere", said(claiming(namespace="acme-dev", **{"kubernetes.io": None})), *UNKNOWN),
    Row("with two namespaces", said(claiming(**{"kubernetes.io": who(["acme-dev", "acme-prod"])})), *UNKNOWN),
    Row("with a namespace and a path", said(claiming(**{"kubernetes.io": who("acme-dev/../acme-prod")})), *UNKNOWN),
    Row("with an empty namespace", said(claiming(**{"kubernetes.io": who("")})), *UNKNOWN),
    Row(
        "whose subject is another than it says",
        said(of("globex-dev", sub="system:serviceaccount:acme-dev:default")),
        *UNKNOWN,
    ),
    Row("of the probe, for a model", said(of(PROBE.namespace, PROBE.account)), *NOT_ALLOWED),
    Row("of another account beside the probe's", said(of(PROBE.namespace)), *UNKNOWN),
)
LIVE: Final = said(key(ANYWHERE.account))
TEST: Final = said(key(TEST_KEY.account, "rf_test_"))
NEAR: Final = said(key(HERE.account))
OLD: Final = who(name=ANYWHERE.account, serviceaccount={"name": ANYWHERE.account, "uid": "uid-of-its-predecessor"})
KEY_ROWS: Final = (
    Row("a workload, dressed as a key", said(of("acme-dev", prefix="rf_live_")), *UNKNOWN),
    Row("a workload, dressed as a test key", said(of("acme-dev", prefix="rf_test_")), *UNKNOWN),
    Row("a live key, dressed as a test key", said(key(ANYWHERE.account, "rf_test_")), *UNKNOWN, LIVE),
    Row("a test key, dressed as a live key", said(key(TEST_KEY.account, "rf_live_")), *UNKNOWN, TEST),
    Row("a key without its prefix", said(key(ANYWHERE.account, "")), *UNKNOWN, LIVE),
    Row("a key with its prefix twice", said(key(ANYWHERE.account, "rf_live_rf_live_")), *NOBODY, LIVE),
    Row("a key with its prefix in capitals", said(key(ANYWHERE.account, "RF_LIVE_")), *NOBODY, LIVE),
    Row("a key that was deleted and made again", said(key(ANYWHERE.account, **{"kubernetes.io": OLD})), *UNKNOWN, LIVE),
    Row("a key that was revoked", said(key("ringfence-key-gone")), *UNKNOWN, LIVE),
    Row("a key of another namespace", said(of("acme-prod", ANYWHERE.account, "rf_live_")), *UNKNOWN, LIVE),
    Row("a key that expired", said(key(ANYWHERE.account, exp=1)), *NOBODY, LIVE),
    Row("a key from another place", said(key(FAR.account)), *UNKNOWN, NEAR),
    *(
        Row(
            f"a key from another place that says {name}: {value}",
            Request(bearer=key(FAR.account), headers=((name, value),)),
            *UNKNOWN,
            NEAR,
        )
        for name, value in (
            ("x-forwarded-for", "198.51.100.7"),
            ("x-forwarded-for", "198.51.100.7, 198.51.100.7"),
            ("forwarded", "for=198.51.100.7"),
            ("x-real-ip", "198.51.100.7"),
            ("x-client-ip", "198.51.100.7"),
            ("true-client-ip", "198.51.100.7"),
            ("x-envoy-external-address", "198.51.100.7"),
        )
    ),
)
ROWS: Final = (*HEADER_ROWS, *TOKEN_ROWS, *CALLER_ROWS, *KEY_ROWS)
FUTILE: Final = ()
