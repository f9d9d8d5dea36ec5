package main

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// children are the twelve objects of one Namespace: the same kinds and about the same bytes as Ringfence makes. The
// Guardrail, Ringfence's own kind, is a ConfigMap here.
func children(tenant, name string) []client.Object {
	namespace := tenant + "-" + name
	meta := func(object string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: object, Namespace: namespace, Labels: map[string]string{
			"app.kubernetes.io/managed-by": managedBy, "ringfence.dev/tenant": tenant, "ringfence.dev/namespace": name,
			"ringfence.dev/environment": "dev",
		}}
	}
	core := meta(namespace)
	core.Namespace = ""
	core.Labels["pod-security.kubernetes.io/enforce"] = "restricted"
	no := false
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: core},
		&corev1.ConfigMap{ObjectMeta: meta("reference-guardrail"), Data: map[string]string{"tenant": tenant, "regions": "local"}},
		denyAll(meta("reference-deny-all")),
		allowDNS(meta("reference-allow-dns")),
		allowGateway(meta("reference-allow-gateway"), tenant),
		&corev1.ResourceQuota{ObjectMeta: meta("reference"), Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{
			"requests.cpu": resource.MustParse("1"), "requests.memory": resource.MustParse("1Gi"), "pods": resource.MustParse("10"),
			"services.nodeports": resource.MustParse("0"), "services.loadbalancers": resource.MustParse("0"),
		}}},
		&corev1.LimitRange{ObjectMeta: meta("reference"), Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
			Type:           corev1.LimitTypeContainer,
			Default:        corev1.ResourceList{"cpu": resource.MustParse("500m"), "memory": resource.MustParse("512Mi")},
			DefaultRequest: corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("128Mi")},
		}}}},
		&corev1.ServiceAccount{ObjectMeta: meta("default"), AutomountServiceAccountToken: &no},
		&corev1.ConfigMap{ObjectMeta: meta("reference-gateway"), Data: map[string]string{"url": "https://gateway." + tenant + ".svc"}},
	}
	for _, role := range []string{"owner", "developer", "shell"} {
		objects = append(objects, binding(meta("reference-"+role), tenant, role))
	}
	return objects
}

func binding(meta metav1.ObjectMeta, tenant, role string) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{
		ObjectMeta: meta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "ringfence-tenant-" + role},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "Group", Name: "oidc:" + tenant + "-" + role}},
	}
}

func denyAll(meta metav1.ObjectMeta) *networkingv1.NetworkPolicy {
	return &networkingv1.NetworkPolicy{ObjectMeta: meta, Spec: networkingv1.NetworkPolicySpec{PolicyTypes: both()}}
}

func both() []networkingv1.PolicyType {
	return []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}
}

func allowDNS(meta metav1.ObjectMeta) *networkingv1.NetworkPolicy {
	peer := peerIn("kube-system", map[string]string{"k8s-app": "kube-dns"})
	return egress(meta, peer, port(corev1.ProtocolUDP, 53), port(corev1.ProtocolTCP, 53))
}

func allowGateway(meta metav1.ObjectMeta, tenant string) *networkingv1.NetworkPolicy {
	return egress(meta, peerIn(tenant, map[string]string{"ringfence.dev/gateway": "true"}), port(corev1.ProtocolTCP, 8443))
}

func egress(meta metav1.ObjectMeta, peer networkingv1.NetworkPolicyPeer, ports ...networkingv1.NetworkPolicyPort) *networkingv1.NetworkPolicy {
	rule := networkingv1.NetworkPolicyEgressRule{To: []networkingv1.NetworkPolicyPeer{peer}, Ports: ports}
	return &networkingv1.NetworkPolicy{ObjectMeta: meta, Spec: networkingv1.NetworkPolicySpec{
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress}, Egress: []networkingv1.NetworkPolicyEgressRule{rule},
	}}
}

func peerIn(namespace string, pods map[string]string) networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": namespace}},
		PodSelector:       &metav1.LabelSelector{MatchLabels: pods},
	}
}

func port(protocol corev1.Protocol, number int) networkingv1.NetworkPolicyPort {
	target := intstr.FromInt(number)
	return networkingv1.NetworkPolicyPort{Protocol: &protocol, Port: &target}
}
