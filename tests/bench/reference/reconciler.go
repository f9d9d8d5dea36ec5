package main

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

const finalizer = "reference.ringfence.dev/finalizer"

type reconciler struct{ client.Client }

// Reconcile brings one Namespace object's children to their desired state and says so in its status.
func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	subject := &unstructured.Unstructured{}
	subject.SetGroupVersionKind(namespaceKind)
	if err := r.Get(ctx, request.NamespacedName, subject); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !subject.GetDeletionTimestamp().IsZero() {
		return ctrl.Result{}, r.release(ctx, subject)
	}
	if controllerutil.ContainsFinalizer(subject, finalizer) {
		return ctrl.Result{}, r.converge(ctx, subject)
	}
	before := subject.DeepCopy()
	controllerutil.AddFinalizer(subject, finalizer)
	if err := r.Patch(ctx, subject, client.MergeFrom(before)); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, r.converge(ctx, subject)
}

func (r *reconciler) converge(ctx context.Context, subject *unstructured.Unstructured) error {
	for _, child := range children(subject.GetNamespace(), subject.GetName()) {
		if err := r.ensure(ctx, child); err != nil {
			return err
		}
	}
	return r.report(ctx, subject)
}

// ensure writes only where the cache differs, as careful controllers do.
func (r *reconciler) ensure(ctx context.Context, desired client.Object) error {
	live := desired.DeepCopyObject().(client.Object)
	err := r.Get(ctx, client.ObjectKeyFromObject(desired), live)
	switch {
	case apierrors.IsNotFound(err):
		return r.createOrTake(ctx, desired)
	case err != nil:
		return err
	}
	// Times and numbers are compared even where they are not set.
	desired.SetCreationTimestamp(live.GetCreationTimestamp())
	desired.SetGeneration(live.GetGeneration())
	if equality.Semantic.DeepDerivative(desired, live) {
		return nil
	}
	desired.SetResourceVersion(live.GetResourceVersion())
	return r.Update(ctx, desired)
}

// createOrTake also labels what exists without the label, such as the default ServiceAccount.
func (r *reconciler) createOrTake(ctx context.Context, desired client.Object) error {
	err := r.Create(ctx, desired)
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	desired.SetResourceVersion("")
	return r.Update(ctx, desired)
}

func (r *reconciler) report(ctx context.Context, subject *unstructured.Unstructured) error {
	if observed, _, _ := unstructured.NestedInt64(subject.Object, "status", "observedGeneration"); observed == subject.GetGeneration() {
		return nil
	}
	before := subject.DeepCopy()
	condition := map[string]any{
		"type": "Ready", "status": "True", "reason": "Reconciled", "message": "everything is there",
		"observedGeneration": subject.GetGeneration(), "lastTransitionTime": "2026-01-01T00:00:00Z",
	}
	status := map[string]any{"observedGeneration": subject.GetGeneration(), "conditions": []any{condition}}
	if err := unstructured.SetNestedMap(subject.Object, status, "status"); err != nil {
		return err
	}
	return r.Status().Patch(ctx, subject, client.MergeFrom(before))
}

func (r *reconciler) release(ctx context.Context, subject *unstructured.Unstructured) error {
	before := subject.DeepCopy()
	controllerutil.RemoveFinalizer(subject, finalizer)
	return client.IgnoreNotFound(r.Patch(ctx, subject, client.MergeFrom(before)))
}
