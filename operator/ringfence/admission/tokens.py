"""Tokens of ServiceAccounts, and Secrets that would answer with their content.

Law: a token that a person of a tenant asks for is a declared gateway key, for the gateway alone and no older than the
key says: any other one would be a key without mode, networks or owner. Tokens of pods, and the operator's, are asked
for by the node on which they run.
"""

from typing import Final

from ringfence import names
from ringfence.admission.cel import GLASS_WHOLE, ME, NODE, OPERATOR
from ringfence.admission.policy import CREATE, Expression, Policy, Resources, Validation
from ringfence.admission.threats import Threat

_NOT_A_NODE: Final = Expression("not-a-node", f"!({NODE})")
_TOKENS: Final = Resources("", ("serviceaccounts/token",), CREATE)
_TOKEN_SECRET: Final = "kubernetes.io/service-account-token"  # noqa: S105 -- a Secret's type
_DEFAULT_AGE: Final = 3600
"""In seconds: what the API server takes where a request says nothing."""
OWN_TOKEN_AGE: Final = 600
"""In seconds: the least that the API server gives."""

TOKENS: Final = Policy(
    name="ringfence-tokens",
    about="Nobody asks for tokens of a tenant's ServiceAccounts but gateway keys, for the gateway, of bounded age.",
    resources=(_TOKENS,),
    unless=(_NOT_A_NODE, GLASS_WHOLE),
    missing="Deny",
    variables=(
        Expression("keys", "params.spec.?tokens.?keys.orValue([]).filter(k, k.serviceAccount == request.name)"),
        Expression(
            "greatest",
            """
            variables.keys.size() > 0 ? variables.keys[0].maxAgeSeconds
              : params.spec.?tokens.?maxAgeSeconds.orValue(0)
            """,
        ),
    ),
    validations=(
        Validation(
            "token-key",
            (Threat.STOLEN_TOKENS,),
            "variables.greatest > 0",
            "tokens are for gateway keys only; declare one in spec.gatewayKeys of the Namespace object "
            "(none of mode Test in a protected environment)",
        ),
        Validation(
            "token-audience",
            (Threat.STOLEN_TOKENS,),
            """
            object.spec.?audiences.orValue([]).size() > 0
              && object.spec.audiences.all(a, a in params.spec.?tokens.?audiences.orValue([]))
            """,
            f"tokens are for audience {names.GATEWAY_AUDIENCE} only",
        ),
        Validation(
            "token-age",
            (Threat.STOLEN_TOKENS,),
            f"""
            variables.greatest == 0 || object.spec.?expirationSeconds.orValue({_DEFAULT_AGE}) <= variables.greatest
            """,
            "greatest age in seconds of a token of this ServiceAccount:",
            "string(variables.greatest)",
        ),
    ),
)

TOKEN_SECRETS: Final = Policy(
    name="ringfence-token-secrets",
    about="No Secret of a tenant holds a ServiceAccount's token, which would never end.",
    resources=(Resources("", ("secrets",), CREATE),),
    unless=(GLASS_WHOLE,),
    validations=(
        Validation(
            "secret-token",
            (Threat.STOLEN_TOKENS,),
            f"object.?type.orValue('') != '{_TOKEN_SECRET}'",
            "no Secrets with tokens; ask for a token of bounded age",
        ),
    ),
)

SECRET_DELETION: Final = Policy(
    name="ringfence-secret-deletion",
    about="Whoever may delete a Secret and not read it learns nothing from the answer.",
    resources=(Resources("", ("secrets",), ("DELETE",)),),
    unless=(
        Expression(
            "cannot-read",
            f"""
            !authorizer.group('').resource('secrets').namespace(request.namespace).check('get').allowed()
              && !{ME}.startsWith('system:serviceaccount:kube-system:')
            """,
        ),
    ),
    validations=(
        Validation(
            "secret-deletion-answer",
            (Threat.READ_SECRETS,),
            """
            request.?options.?propagationPolicy.orValue('Background') == 'Background'
              && !request.?options.?orphanDependents.hasValue()
            """,
            "delete Secrets with --cascade=background: other ways answer with the content",
        ),
        Validation(
            "secret-deletion-finalizer",
            (Threat.READ_SECRETS, Threat.FOREIGN_FINALIZERS),
            "oldObject.metadata.?finalizers.orValue([]).size() == 0",
            "this Secret has a finalizer: its deletion would answer with the content",
        ),
    ),
)

OPERATOR_TOKENS: Final = Policy(
    name="ringfence-operator-tokens",
    about="Nobody makes himself a token of the operator, and the operator none but the canary's and the probe's.",
    resources=(_TOKENS, Resources("", ("secrets",), CREATE)),
    namespaces=({"key": "kubernetes.io/metadata.name", "operator": "In", "values": [names.OPERATOR_NAMESPACE]},),
    unless=(_NOT_A_NODE, GLASS_WHOLE),
    validations=(
        Validation(
            "operator-token",
            (Threat.FORGED_OPERATOR, Threat.WILDCARD_ROLES),
            f"request.resource.resource == 'secrets' || request.name != '{names.OPERATOR_SERVICE_ACCOUNT}'",
            f"the operator's pod has its token; say why in annotation {names.BREAK_GLASS_ANNOTATION} of the request",
        ),
        Validation(
            "operator-token-secret",
            (Threat.FORGED_OPERATOR,),
            f"request.resource.resource != 'secrets' || object.?type.orValue('') != '{_TOKEN_SECRET}'",
            "no Secrets with tokens in the operator's namespace",
        ),
        Validation(
            "operator-canary-token",
            (Threat.CONFUSED_DEPUTY, Threat.FORGED_OPERATOR),
            f"""
            request.resource.resource == 'secrets' || !({OPERATOR})
              || (object.spec.?expirationSeconds.orValue({_DEFAULT_AGE}) <= {OWN_TOKEN_AGE}
                && (request.name == '{names.CANARY}' || (request.name == '{names.PROBE}'
                  && object.spec.?audiences.orValue([]) == ['{names.GATEWAY_AUDIENCE}'])))
            """,
            f"the operator asks for tokens of {names.CANARY}, and for the gateway of {names.PROBE}, "
            f"for {OWN_TOKEN_AGE} seconds",
        ),
    ),
)

POLICIES: Final = (TOKENS, TOKEN_SECRETS, SECRET_DELETION, OPERATOR_TOKENS)
