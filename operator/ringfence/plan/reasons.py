"""Condition types and reasons: one enum each, documented here, from which the reference is generated.

Law: a reason is an identifier that scripts match on; once released it is never renamed, and it means one thing.
"""

from enum import StrEnum


class _Documented(StrEnum):
    """A string enum whose members carry their documentation."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> "_Documented":
        """Make the member ``value`` with its ``meaning``."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member


class ConditionType(_Documented):
    """Types of conditions. ``Ready`` is on every object; kstatus reads ``Reconciling`` and ``Stalled``."""

    READY = "Ready", "The object is served as its spec says."
    RECONCILING = "Reconciling", "Work is going on or waited for; present only while true."
    STALLED = "Stalled", "Nothing will change until somebody changes something; present only while true."
    ACCEPTED = "Accepted", "Every reference of the object into its Tenant can be served."
    ISOLATED = "Isolated", "The fence stands in every namespace of the object."
    SECRETS_RESOLVED = "SecretsResolved", "Every secret reference points to something that exists."
    LINEAGE_RECORDED = "LineageRecorded", "The last change is durable in the ledger."
    BUDGET_EXCEEDED = "BudgetExceeded", "The asked quota does not fit into the Tenant's budget."
    PAUSED = "Paused", "Repair is suspended until the time in ringfence.dev/paused-until."
    ACCESS_REVIEW_DUE = "AccessReviewDue", "The last access review is older than the Tenant's interval."
    ROTATION_DUE = "RotationDue", "A credential is older than its rotation interval."
    EXCEPTION_EXPIRED = "ExceptionExpired", "An exception of the Tenant is past its date."
    GATEWAY_READY = "GatewayReady", "The tenant's gateway serves the configuration that was rendered."


class Reason(_Documented):
    """Reasons of conditions, Events and records."""

    RECONCILED = "Reconciled", "Everything that the spec asks for is there."
    INVALID_SPEC = "InvalidSpec", "The object breaks a rule of its kind; the message names the field."
    NAME_TAKEN = "NameTaken", "A namespace of that name exists and is not this tenant's; nothing was written to it."
    TENANT_NOT_FOUND = "TenantNotFound", "The object's namespace is no home of a Tenant."
    TENANT_INVALID = "TenantInvalid", "The object's Tenant can't be judged until its own problems are solved."
    APPLY_FAILED = "ApplyFailed", "The API server refused a write; it is tried again."
    INTERNAL_ERROR = "InternalError", "Ringfence failed at this object; its log has the details, others go on."
    LEDGER_UNAVAILABLE = "LedgerUnavailable", "The change can't be recorded, therefore it is not made."
    RECORDED = "Recorded", "The last change is durable in the ledger."
    WAITING_FOR_NAMESPACE = "WaitingForNamespace", "A namespace of the object is being removed or made."
    UNKNOWN_ENVIRONMENT = "UnknownEnvironment", "The Tenant has no environment of that name."
    UNKNOWN_REGION = "UnknownRegion", "The region is missing, or not one of the Tenant's."
    POD_SECURITY_NOT_ALLOWED = "PodSecurityNotAllowed", "The Tenant does not allow that Pod Security level."
    TEST_KEY_REFUSED = "TestKeyRefused", "A gateway key of mode Test is not served in a protected environment."
    PROXY_DOUBTED = (
        "ProxyDoubted",
        "Proxies are trusted in a network that pods may have addresses in: keys with allowCIDRs are not served.",
    )
    UNKNOWN_SUBJECT = "UnknownSubject", "Access is given to somebody whom the Tenant does not know."
    WORKLOAD_REFUSED = "WorkloadRefused", "Access is given to a ServiceAccount of a tenant's namespace; it gets none."
    PEER_NOT_DECLARED = "PeerNotDeclared", "The other Namespace does not declare this connection, or can't have it."
    BUDGET_EXCEEDED = "BudgetExceeded", "The Tenant's budget does not cover it; the last granted quota stays."
    TOO_MANY_NAMESPACES = "TooManyNamespaces", "The Tenant's budget has no Namespace left."
    PROTECTED_RANGE = "ProtectedRange", "An egress exception would reach addresses that are protected or unknown."
    SECRET_MISSING = "SecretMissing", "A referenced Secret does not exist."
    SECRET_UNKNOWN = "SecretUnknown", "Whether a referenced Secret exists could not be asked."
    EXTERNAL_SECRETS_NOT_SERVED = "ExternalSecretsNotServed", "The cluster does not serve ExternalSecret."
    SECRET_KEY_NOT_ALLOWED = "SecretKeyNotAllowed", "The store or the key's prefix is not one that the Tenant may use."
    RESOLVED = "Resolved", "Everything that is referenced is there."
    FENCED = "Fenced", "Every policy of the fence is in place."
    QUARANTINED = "Quarantined", "An incident is declared: only the closed fence and read-only access remain."
    PAUSED = "Paused", "Somebody with the right to do so suspended repair for a while."
    DELETION_BLOCKED = "DeletionBlocked", "Deleting would destroy data that nobody confirmed to be destroyed."
    DELETING = "Deleting", "The object is being removed; the message says what is waited for."
    ORPHANED = "Orphaned", "The namespace stays, fenced and without access, as the deletion policy says."
    ADOPTED = "Adopted", "A namespace made by somebody else was taken over, as its annotation asks."
    NOT_SERVED_YET = "NotServedYet", "This release judges the object but does not serve it yet."
    UNKNOWN_PROVIDER = "UnknownProvider", "The Tenant has no provider of that name with that model."
    MODEL_TAKEN = "ModelTaken", "An older route serves the same model in the same environment."
    AWAITING_PROMOTION = "AwaitingPromotion", "The first environment is protected, and nothing is promoted to it yet."
    AWAITING_APPROVAL = "AwaitingApproval", "A promotion waits for a second person; the old revision serves meanwhile."
    UNKNOWN_REVISION = (
        "UnknownRevision",
        "The route never had the promoted revision, or too long ago, or its spec has the name of another content.",
    )
    NOT_SERVED_BEFORE = "NotServedBefore", "The promoted revision was not seen to serve in the environment before."
    PROVIDER_MOVED = "ProviderMoved", "A provider has another host than when the revision was made; it gets no request."
    NOTHING_TO_SERVE = "NothingToServe", "No backend of the route may be used in an environment that it is to serve."
    GATEWAY_SERVES = "GatewayServes", "Every replica was seen to serve the configuration that was rendered."
    GATEWAY_BEHIND = "GatewayBehind", "Not every replica serves the configuration that was rendered last."
    GATEWAY_FAILS = "GatewayFails", "A look at the gateway found what is wrong with it; the message names the replica."
    GATEWAY_UNSEEN = "GatewayUnseen", "Nobody has looked yet, or could: whether the gateway serves can't be known."
    GATEWAY_STARTING = "GatewayStarting", "What the gateway needs before it can start is not known yet."
    CONFIGURATION_REFUSED = (
        "ConfigurationRefused",
        "What is to be served breaks a rule, is too large, or was refused by Envoy; what served before serves on.",
    )
    TOO_MANY_ROUTES = "TooManyRoutes", "The Tenant's gateway has no room for its newest ModelRoutes."
    NOT_SERVED = "NotServed", "The gateway was not seen to serve what the route says."
    NO_GATEWAY = "NoGateway", "The Tenant has no gateway: spec.gateway.dataPlane is None."
    OUTSIDE_BOUNDARY = "OutsideBoundary", "The provider is outside of what the Tenant's data must not leave."
    PLAINTEXT_UPSTREAM = "PlaintextUpstream", "A model frontend is spoken to without TLS, inside the cluster."
    PLAINTEXT_CREDENTIAL = "PlaintextCredential", "A provider's key would be sent in plain text; nothing is sent to it."
    LESS_PROTECTED = (
        "LessProtected",
        "A model frontend runs in an environment that is less protected than the one whose requests it would get.",
    )
    SERVICE_MISSING = "ServiceMissing", "A model frontend's Service is not there, or has not the port that is named."
    SERVICE_REFUSED = "ServiceRefused", "A model frontend's Service does not select pods of its own namespace."
    AUTHORITY_MISSING = "AuthorityMissing", "The ConfigMap with a frontend's authority has no certificate to trust."
    DUE = "Due", "The date has passed."
    NOT_DUE = "NotDue", "The date has not come."
    AGE_UNKNOWN = "AgeUnknown", "When it falls due can't be known: nobody declared when it was last renewed."
    WITHIN_BUDGET = "WithinBudget", "The asked quota is granted."
    PAUSE_REFUSED = "PauseRefused", "The asked pause is no time, or too far ahead; repair goes on."
    UNKNOWN_NAMESPACE = "UnknownNamespace", "The tenant has no Namespace of that name."
    POLICIES_INACTIVE = (
        "PoliciesInactive",
        "An admission policy does not refuse what it should, or was not asked yet; meanwhile nothing new is opened.",
    )
    POLICY_DRIFT = (
        "PolicyDrift",
        "An admission policy is not as this release ships it; nobody can say what it lets pass.",
    )
    POLICIES_UNCHECKED = "PoliciesUnchecked", "The operator was told to work without admission policies."
    DRIFT_REPAIRED = "DriftRepaired", "Somebody changed what Ringfence keeps; it was put back."
