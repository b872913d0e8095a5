package main

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/wait"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

func makeNamespace(ctx context.Context, cfg *rest.Config, name string) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	_, err := clientset(cfg).CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
	return err
}

func until(ctx context.Context, what string, done func() (bool, error)) error {
	err := wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, 20*time.Second, true,
		func(context.Context) (bool, error) { return done() })
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func deployment(name string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "c", Image: "registry.example/c:1",
					Ports: []corev1.ContainerPort{{ContainerPort: 80}},
					Resources: corev1.ResourceRequirements{
						Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m")},
					},
					ReadinessProbe: &corev1.Probe{
						PeriodSeconds: 1,
						ProbeHandler: corev1.ProbeHandler{
							HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromInt32(80)},
						},
					},
				}}},
			},
		},
	}
}

// Create, read, update, patch, scale, wait, evict, delete; bodies and answers are protobuf.
func typed(ctx context.Context, cfg *rest.Config, namespace string) error {
	client := clientset(cfg)
	deployments := client.AppsV1().Deployments(namespace)
	made, err := deployments.Create(ctx, deployment("d", 2), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if made.UID == "" || made.Spec.RevisionHistoryLimit == nil || made.ManagedFields == nil {
		return fmt.Errorf("created without what a server fills in: %v", made)
	}
	if _, err = deployments.Create(ctx, deployment("d", 2), metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("created twice: %v", err)
	}
	err = until(ctx, "ready", func() (bool, error) {
		found, err := deployments.Get(ctx, "d", metav1.GetOptions{})
		return err == nil && found.Status.ReadyReplicas == 2, err
	})
	if err != nil {
		return err
	}
	pods, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=d", Limit: 1})
	if err != nil || len(pods.Items) != 1 || pods.Continue == "" {
		return fmt.Errorf("a page of pods: %v %v", pods, err)
	}
	eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pods.Items[0].Name, Namespace: namespace}}
	if err = client.PolicyV1().Evictions(namespace).Evict(ctx, eviction); err != nil {
		return err
	}
	stale := made.DeepCopy()
	stale.Spec.MinReadySeconds = 1
	if _, err = deployments.Update(ctx, stale, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		return fmt.Errorf("a stale update: %v", err)
	}
	scale, err := deployments.GetScale(ctx, "d", metav1.GetOptions{})
	if err != nil {
		return err
	}
	scale.Spec.Replicas = 3
	if _, err = deployments.UpdateScale(ctx, "d", scale, metav1.UpdateOptions{}); err != nil {
		return err
	}
	patch := []byte(`{"spec":{"template":{"metadata":{"annotations":{"a":"b"}}}}}`)
	if _, err = deployments.Patch(ctx, "d", types.StrategicMergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return err
	}
	foreground := metav1.DeletePropagationForeground
	if err = deployments.Delete(ctx, "d", metav1.DeleteOptions{PropagationPolicy: &foreground}); err != nil {
		return err
	}
	err = until(ctx, "gone", func() (bool, error) {
		_, err := deployments.Get(ctx, "d", metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
	if err != nil {
		return err
	}
	return client.CoreV1().Pods(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
}

// A shared informer lists by watching (sendInitialEvents) and follows.
func informer(ctx context.Context, cfg *rest.Config, namespace string) error {
	client := clientset(cfg)
	maps := client.CoreV1().ConfigMaps(namespace)
	for n := range 10 {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("m%d", n)}}
		if _, err := maps.Create(ctx, object, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	shared := factory.Core().V1().ConfigMaps()
	heard := make(chan string, 100)
	name := func(object any) string {
		key, _ := cache.DeletionHandlingMetaNamespaceKeyFunc(object)
		return key
	}
	tell := func(word string, object any) {
		// Every namespace has this one; when it comes is up to its controller.
		if key := name(object); key != namespace+"/kube-root-ca.crt" {
			heard <- word + " " + key
		}
	}
	_, err := shared.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { tell("add", object) },
		UpdateFunc: func(_, object any) { tell("update", object) },
		DeleteFunc: func(object any) { tell("delete", object) },
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), shared.Informer().HasSynced) {
		return fmt.Errorf("the cache does not fill")
	}
	expect := func(words ...string) error {
		for _, word := range words {
			select {
			case found := <-heard:
				if found != word {
					return fmt.Errorf("heard %q, expected %q", found, word)
				}
			case <-ctx.Done():
				return fmt.Errorf("did not hear %q", word)
			}
		}
		return nil
	}
	for range 10 {
		<-heard
	}
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "last"}}
	if _, err = maps.Create(ctx, object, metav1.CreateOptions{}); err != nil {
		return err
	}
	patch := []byte(`{"data":{"a":"1"}}`)
	if _, err = maps.Patch(ctx, "last", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return err
	}
	if err = maps.Delete(ctx, "last", metav1.DeleteOptions{}); err != nil {
		return err
	}
	key := namespace + "/last"
	return expect("add "+key, "update "+key, "delete "+key)
}

// Server-side apply with apply configurations, two managers, and their conflict.
func apply(ctx context.Context, cfg *rest.Config, namespace string) error {
	deployments := clientset(cfg).AppsV1().Deployments(namespace)
	wanted := func(image string) *appsac.DeploymentApplyConfiguration {
		labels := map[string]string{"app": "a"}
		container := coreac.Container().WithName("c").WithImage(image)
		template := coreac.PodTemplateSpec().WithLabels(labels).WithSpec(coreac.PodSpec().WithContainers(container))
		spec := appsac.DeploymentSpec().WithReplicas(1).WithTemplate(template).
			WithSelector(metaac.LabelSelector().WithMatchLabels(labels))
		return appsac.Deployment("a", namespace).WithSpec(spec)
	}
	if _, err := deployments.Apply(ctx, wanted("registry.example/c:1"), metav1.ApplyOptions{FieldManager: "one"}); err != nil {
		return err
	}
	_, err := deployments.Apply(ctx, wanted("registry.example/c:2"), metav1.ApplyOptions{FieldManager: "two"})
	if !apierrors.IsConflict(err) {
		return fmt.Errorf("no conflict: %v", err)
	}
	found, err := deployments.Apply(ctx, wanted("registry.example/c:2"), metav1.ApplyOptions{FieldManager: "two", Force: true})
	if err != nil {
		return err
	}
	if image := found.Spec.Template.Spec.Containers[0].Image; image != "registry.example/c:2" {
		return fmt.Errorf("the image is %s", image)
	}
	return nil
}

// The dynamic client takes JSON alone, and watches in JSON.
func dynamicClient(ctx context.Context, cfg *rest.Config, namespace string) error {
	resource := schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	secrets := dynamic.NewForConfigOrDie(cfg).Resource(resource).Namespace(namespace)
	watch, err := secrets.Watch(ctx, metav1.ListOptions{ResourceVersion: "0", AllowWatchBookmarks: true})
	if err != nil {
		return err
	}
	defer watch.Stop()
	typed := clientset(cfg).CoreV1().Secrets(namespace)
	object := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "x"}}
	if _, err = typed.Create(ctx, object, metav1.CreateOptions{}); err != nil {
		return err
	}
	// Where the list ends that a watch from "0" begins with, a bookmark says so.
	for heard := false; !heard; {
		select {
		case event := <-watch.ResultChan():
			heard = event.Type == "ADDED"
			if !heard && event.Type != "BOOKMARK" {
				return fmt.Errorf("heard %v", event)
			}
		case <-ctx.Done():
			return fmt.Errorf("heard nothing")
		}
	}
	list, err := secrets.List(ctx, metav1.ListOptions{})
	if err != nil || len(list.Items) != 1 {
		return fmt.Errorf("listed %v, %v", list, err)
	}
	return nil
}
