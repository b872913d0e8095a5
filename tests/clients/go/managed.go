package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metrics "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// mirror makes a Secret of each ConfigMap, which the ConfigMap owns.
type mirror struct{ client.Client }

func (m mirror) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	source := &corev1.ConfigMap{}
	if err := m.Get(ctx, request.NamespacedName, source); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: source.Name, Namespace: source.Namespace}}
	_, err := controllerutil.CreateOrUpdate(ctx, m.Client, secret, func() error {
		secret.StringData = source.Data
		return controllerutil.SetControllerReference(source, secret, m.Scheme())
	})
	return reconcile.Result{}, err
}

// A manager with a cache, a controller and leader election.
func managed(ctx context.Context, cfg *rest.Config, namespace string) error {
	log.SetLogger(zap.New(zap.UseDevMode(true), zap.WriteTo(nothing{})))
	manager, err := ctrl.NewManager(cfg, ctrl.Options{
		Cache:                   cache.Options{DefaultNamespaces: map[string]cache.Config{namespace: {}}},
		Metrics:                 metrics.Options{BindAddress: "0"},
		LeaderElection:          true,
		LeaderElectionID:        "mirror.towtank.dev",
		LeaderElectionNamespace: namespace,
	})
	if err != nil {
		return err
	}
	err = ctrl.NewControllerManagedBy(manager).For(&corev1.ConfigMap{}).Owns(&corev1.Secret{}).
		Complete(mirror{manager.GetClient()})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	source := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "source", Namespace: namespace},
		Data:       map[string]string{"a": "b"},
	}
	direct, err := client.New(cfg, client.Options{})
	if err != nil {
		return err
	}
	if err = direct.Create(ctx, source); err != nil {
		return err
	}
	err = until(ctx, "mirrored", func() (bool, error) {
		found := &corev1.Secret{}
		err := direct.Get(ctx, client.ObjectKeyFromObject(source), found)
		return err == nil && string(found.Data["a"]) == "b", client.IgnoreNotFound(err)
	})
	if err != nil {
		return err
	}
	source.Data["a"] = "c"
	if err = direct.Update(ctx, source); err != nil {
		return err
	}
	err = until(ctx, "mirrored again", func() (bool, error) {
		found := &corev1.Secret{}
		err := direct.Get(ctx, client.ObjectKeyFromObject(source), found)
		return err == nil && string(found.Data["a"]) == "c", err
	})
	if err != nil {
		return err
	}
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	if err = direct.List(ctx, list, client.InNamespace(namespace)); err != nil || len(list.Items) == 0 {
		return fmt.Errorf("metadata of %d, %v", len(list.Items), err)
	}
	cancel()
	return <-ended
}

type nothing struct{}

func (nothing) Write(line []byte) (int, error) { return len(line), nil }
