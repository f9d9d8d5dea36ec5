// Command reference is the peer that the benchmark measures Ringfence against: a controller-runtime reconciler that
// makes the same twelve children for each Namespace object, compares with its cache before it writes, repairs drift,
// keeps a finalizer and reports a condition. It records nothing: what a record costs is part of the comparison.
package main

import (
	"context"
	"flag"
	"log"

	"go.uber.org/zap/zapcore"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const managedBy = "reference"

var namespaceKind = schema.GroupVersionKind{Group: "ringfence.dev", Version: "v1alpha1", Kind: "Namespace"}

func main() {
	workers := flag.Int("workers", 16, "objects reconciled side by side")
	flag.Parse() // controller-runtime has its own -kubeconfig
	if err := run(*workers); err != nil {
		log.Fatal(err)
	}
}

func run(workers int) error {
	ctrl.SetLogger(zap.New(zap.Level(zapcore.ErrorLevel)))
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	config.QPS = -1 // no self-imposed limit: the default of 20 a second would make the comparison unfair to the peer
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	ours := cache.ByObject{Label: labels.SelectorFromSet(labels.Set{"app.kubernetes.io/managed-by": managedBy})}
	byObject := map[client.Object]cache.ByObject{}
	for _, kind := range childKinds() {
		byObject[kind] = ours
	}
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:  scheme,
		Metrics: metricsserver.Options{BindAddress: "0"},
		Cache:   cache.Options{ByObject: byObject},
		Client:  client.Options{Cache: &client.CacheOptions{Unstructured: true}},
	})
	if err != nil {
		return err
	}
	subject := &unstructured.Unstructured{}
	subject.SetGroupVersionKind(namespaceKind)
	builder := ctrl.NewControllerManagedBy(manager).For(subject).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers})
	for _, kind := range childKinds() {
		builder = builder.Watches(kind, handler.EnqueueRequestsFromMapFunc(owner))
	}
	if err := builder.Complete(&reconciler{manager.GetClient()}); err != nil {
		return err
	}
	return manager.Start(ctrl.SetupSignalHandler())
}

func childKinds() []client.Object {
	guardrail := &unstructured.Unstructured{}
	guardrail.SetGroupVersionKind(schema.GroupVersionKind{Group: "ringfence.dev", Version: "v1alpha1", Kind: "Guardrail"})
	return []client.Object{
		guardrail,
		&corev1.Namespace{}, &corev1.ConfigMap{}, &corev1.LimitRange{}, &corev1.ResourceQuota{}, &corev1.ServiceAccount{},
		&networkingv1.NetworkPolicy{}, &rbacv1.RoleBinding{},
	}
}

func owner(_ context.Context, object client.Object) []reconcile.Request {
	found := object.GetLabels()
	return []reconcile.Request{{NamespacedName: types.NamespacedName{
		Namespace: found["ringfence.dev/tenant"], Name: found["ringfence.dev/namespace"],
	}}}
}
