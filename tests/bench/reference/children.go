package main

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ownerUID stands for the Tenant's uid, which this reconciler does not look up.
const ownerUID = "00000000-0000-4000-8000-000000000000"

// children are the twelve objects of one Namespace: the same kinds with the same content as Ringfence makes.
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
	core.Labels["ringfence.dev/owner-uid"] = ownerUID
	for _, mode := range []string{"enforce", "audit", "warn"} {
		core.Labels["pod-security.kubernetes.io/"+mode] = "restricted"
	}
	no := false
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: core},
		guardrail(meta("ringfence"), tenant, name),
		denyAll(meta("reference-deny-all")),
		allowDNS(meta("reference-allow-dns")),
		allowGateway(meta("reference-allow-gateway"), tenant),
		&corev1.ResourceQuota{ObjectMeta: meta("reference"), Spec: corev1.ResourceQuotaSpec{Hard: quota()}},
		&corev1.LimitRange{ObjectMeta: meta("reference"), Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
			Type:           corev1.LimitTypeContainer,
			Default:        corev1.ResourceList{"cpu": resource.MustParse("500m"), "memory": resource.MustParse("512Mi")},
			DefaultRequest: corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("128Mi")},
		}}}},
		&corev1.ServiceAccount{ObjectMeta: meta("default"), AutomountServiceAccountToken: &no},
		&corev1.ConfigMap{ObjectMeta: meta("reference-gateway"), Data: map[string]string{
			"audience": "ringfence-gateway", "ca.crt": "", "served": "false", "url": "https://ringfence-gateway." + tenant + ".svc:8443/v1",
		}},
	}
	for _, role := range []string{"owner", "developer", "shell"} {
		objects = append(objects, binding(meta("reference-"+role), tenant, role))
	}
	return objects
}

// guardrail is Ringfence's own kind; the API server judges its structure as it does for any custom resource.
func guardrail(meta metav1.ObjectMeta, tenant, name string) client.Object {
	labels := map[string]any{}
	for key, value := range meta.Labels {
		labels[key] = value
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "ringfence.dev/v1alpha1", "kind": "Guardrail",
		"metadata": map[string]any{"name": meta.Name, "namespace": meta.Namespace, "labels": labels},
		"spec": map[string]any{
			"tenant": tenant, "namespace": name, "environment": "dev", "protected": false, "execAllowed": true, "quarantined": false,
			"environments": []any{map[string]any{"name": "dev", "protected": false, "approvers": []any{}}},
			"providers":    []any{}, "regions": []any{"local"}, "storageClasses": []any{"standard"}, "hosts": []any{},
			"podSecurity": []any{"restricted"}, "secretStores": []any{},
			"scheduling": map[string]any{
				"tolerations": []any{}, "nodeSelector": map[string]any{}, "runtimeClasses": []any{}, "priorityClasses": []any{},
			},
			"tokens": map[string]any{"audiences": []any{"ringfence-gateway"}, "keys": []any{}},
			"subjects": []any{
				"Group:oidc:" + tenant + "-developer", "Group:oidc:" + tenant + "-owner", "Group:oidc:" + tenant + "-viewer",
			},
		},
	}}
}

func quota() corev1.ResourceList {
	hard := corev1.ResourceList{}
	for name, amount := range map[corev1.ResourceName]string{
		"configmaps": "1k", "count/cronjobs.batch": "200", "count/deployments.apps": "200", "count/jobs.batch": "1k",
		"count/replicasets.apps": "2k", "count/statefulsets.apps": "100", "persistentvolumeclaims": "200", "pods": "10",
		"requests.cpu": "1", "requests.memory": "1Gi", "secrets": "500", "services": "200", "services.loadbalancers": "0",
		"services.nodeports": "0",
	} {
		hard[name] = resource.MustParse(amount)
	}
	return hard
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
	peer := peerIn(map[string]string{"kubernetes.io/metadata.name": "kube-system"}, map[string]string{"k8s-app": "kube-dns"})
	peer.NamespaceSelector.MatchExpressions = []metav1.LabelSelectorRequirement{
		{Key: "ringfence.dev/tenant", Operator: metav1.LabelSelectorOpDoesNotExist},
	}
	return egress(meta, peer, port(corev1.ProtocolUDP, 53), port(corev1.ProtocolTCP, 53))
}

func allowGateway(meta metav1.ObjectMeta, tenant string) *networkingv1.NetworkPolicy {
	home := map[string]string{
		"ringfence.dev/tenant": tenant, "ringfence.dev/owner-uid": ownerUID, "ringfence.dev/home": "true",
	}
	return egress(meta, peerIn(home, map[string]string{"ringfence.dev/gateway": "true"}), port(corev1.ProtocolTCP, 8443))
}

func egress(meta metav1.ObjectMeta, peer networkingv1.NetworkPolicyPeer, ports ...networkingv1.NetworkPolicyPort) *networkingv1.NetworkPolicy {
	rule := networkingv1.NetworkPolicyEgressRule{To: []networkingv1.NetworkPolicyPeer{peer}, Ports: ports}
	return &networkingv1.NetworkPolicy{ObjectMeta: meta, Spec: networkingv1.NetworkPolicySpec{
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress}, Egress: []networkingv1.NetworkPolicyEgressRule{rule},
	}}
}

func peerIn(namespace, pods map[string]string) networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: namespace},
		PodSelector:       &metav1.LabelSelector{MatchLabels: pods},
	}
}

func port(protocol corev1.Protocol, number int) networkingv1.NetworkPolicyPort {
	target := intstr.FromInt(number)
	return networkingv1.NetworkPolicyPort{Protocol: &protocol, Port: &target}
}
