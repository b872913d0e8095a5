package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// A suite starts and stops a control plane as suites do, twice, with users of its own.
func suite() error {
	for range 2 {
		if err := environment(); err != nil {
			return err
		}
	}
	return nil
}

func environment() error {
	control := &envtest.Environment{ControlPlaneStartTimeout: 10 * time.Second, ControlPlaneStopTimeout: 10 * time.Second}
	cfg, err := control.Start()
	if err != nil {
		return err
	}
	ctx := context.Background()
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x"}}
	maps := clientset(cfg).CoreV1().ConfigMaps("default")
	if _, err = maps.Create(ctx, object, metav1.CreateOptions{}); err != nil {
		return err
	}
	viewer, err := control.AddUser(envtest.User{Name: "eve", Groups: []string{"readers", "others"}}, nil)
	if err != nil {
		return err
	}
	if _, err = clientset(viewer.Config()).CoreV1().ConfigMaps("default").List(ctx, metav1.ListOptions{}); err == nil {
		return fmt.Errorf("somebody without roles could list")
	}
	return control.Stop()
}
