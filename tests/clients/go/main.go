// Command clients puts a cluster to the use that Go's clients make of one: client-go's typed
// clients and informers, which write protobuf and list by watching, and a controller-runtime
// manager with a controller. It prints a line for each thing that went well and ends with 1 at
// the first that did not.
//
//	clients KUBECONFIG
//	clients envtest         (KUBEBUILDER_ASSETS holds a kube-apiserver and an etcd)
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// A check is one use; it gets a namespace of its own.
type check struct {
	name string
	run  func(ctx context.Context, cfg *rest.Config, namespace string) error
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "clients KUBECONFIG")
		os.Exit(2)
	}
	if os.Args[1] == "envtest" {
		if err := suite(); err != nil {
			fail("envtest", err)
		}
		fmt.Println("ok envtest")
		return
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	if err != nil {
		fail("kubeconfig", err)
	}
	// The default of 5 requests a second is for people's clusters.
	cfg.QPS, cfg.Burst = 1000, 1000
	checks := []check{
		{"typed", typed},
		{"informer", informer},
		{"apply", apply},
		{"dynamic", dynamicClient},
		{"manager", managed},
		{"webhook", webhook},
	}
	for _, c := range checks {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		namespace := "go-" + c.name
		if err := makeNamespace(ctx, cfg, namespace); err != nil {
			fail(c.name, err)
		}
		if err := c.run(ctx, cfg, namespace); err != nil {
			fail(c.name, err)
		}
		cancel()
		fmt.Println("ok", c.name)
	}
}

func fail(name string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	os.Exit(1)
}

func clientset(cfg *rest.Config) kubernetes.Interface {
	return kubernetes.NewForConfigOrDie(cfg)
}
