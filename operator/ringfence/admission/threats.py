"""What a tenant, a careless administrator or a stolen token may try: the list that policies and the attack table name.

Law: a number, once given, keeps its meaning; policies and tests refer to it.
"""

from enum import Enum


class Threat(Enum):
    """A line of the attack list; the value says what is tried."""

    TAKEN_NAMES = 1, "a Namespace object that takes kube-system or somebody else's namespace"
    SPOOFED_LABELS = 2, "forged labels and annotations of namespaces, also by /status, /finalize and a forced apply"
    REMOVED_FENCE = 3, "changing or deleting what the operator made; taking its labels or owners away"
    OPENED_NETWORK = 4, "NetworkPolicies that open the fence; Ingress or HTTPRoute with somebody else's host"
    ORDER_OF_DELETION = 5, "policies that go before the pods they guard"
    ESCALATED_ROLES = 6, "bindings of cluster-admin or edit, of strangers and of system: groups; Roles of one's own"
    CONFUSED_DEPUTY = 7, "the operator made to write roles, bindings, workloads or foreign namespaces"
    READ_SECRETS = 8, "reading secrets by the operator, dry runs, deletions or another tenant's store keys"
    FORGED_HOSTS = 9, "provider hosts that are addresses or internal names; keys sent to another host"
    INJECTED_TEXT = 10, "injection into templates, YAML or headers; path traversal"
    EXPENSIVE_RULES = 11, "expressions and patterns that cost too much"
    HUGE_OBJECTS = 12, "huge objects and bloated annotations"
    FOREIGN_FINALIZERS = 13, "finalizers and ownerReferences of a tenant's making"
    QUOTA_RACES = 14, "races for the budget"
    SQUATTED_NAMES = 15, "squatted, look-alike and ambiguous names"
    FORGED_STATUS = 16, "status written by hand"
    FORGED_AUTHORS = 17, "forged authors, promotions and approvals; one person where two are needed"
    CHANGED_PLACE = 18, "environment, region or storage other than agreed"
    ABSENT_OPERATOR = 19, "whatever the operator would repair, while it is down"
    SIDE_ENTRANCES = 20, "rules that hold at one entrance only"
    EXPOSED_SERVICES = 21, "externalIPs, NodePort, LoadBalancer, ExternalName, Services without selector, Endpoints"
    BROKEN_PODS = 22, "privileged pods, host namespaces and paths, nodeName, tolerations, priority"
    STOLEN_TOKENS = 23, "tokens for other audiences, of great age, mounted by default, or kept in Secrets"
    OPENED_SHELLS = 24, "exec, attach, port-forward and ephemeral containers where nobody may look"
    POISONED_GATEWAY = 25, "a forged configuration of the gateway"
    MASS_DELETION = 26, "deleting a definition, a Tenant or a home namespace, and everything with it"
    TAMPERED_RECORDS = 27, "records and holds that are changed or released by one person"
    FORGED_OPERATOR = 28, "a token of the operator, or its role for somebody else"
    WILDCARD_ROLES = 29, "a role with wildcards, such as a GitOps controller's, that passes by the fence"
    FORGED_HEADERS = 30, "headers that the gateway believes"
    EXFILTRATION = 31, "data that leaves by DNS or by the gateway"
    CLUSTER_LISTS = 32, "lists over all tenants"
    SHELLS_IN_IMAGES = 33, "a shell in the image"
    FORGED_FRAMEWORK = 34, "annotations and finalizers of the operator's framework"

    @property
    def number(self) -> int:
        """Its place in the list."""
        return self.value[0]

    @property
    def text(self) -> str:
        """What is tried."""
        return self.value[1]
