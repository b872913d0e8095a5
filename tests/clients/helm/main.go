// Helm's SDK against an API server: a small chart is installed, upgraded, rolled back, upgraded to
// something that is refused, and uninstalled. A line for each step that went well.
//
//	helm KUBECONFIG
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

const manifests = `
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-settings}
data: {color: {{ .Values.color | quote }}}
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec: {selector: {app: {{ .Release.Name }}}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: web, image: "registry.example/web:{{ .Values.tag }}"}]}
`

const hook = `
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-migrate
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: "before-hook-creation"}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: migrate, image: "registry.example/migrate:1"}]}
`

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.helm.example.com}
spec:
  group: helm.example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`

const custom = `
apiVersion: helm.example.com/v1
kind: Widget
metadata: {name: {{ .Release.Name }}}
spec: {color: {{ .Values.color | quote }}}
`

func shop() *chart.Chart {
	return &chart.Chart{
		Metadata: &chart.Metadata{APIVersion: "v2", Name: "shop", Version: "0.1.0", KubeVersion: ">=1.30.0-0"},
		Values:   map[string]any{"color": "red", "replicas": 2, "tag": "1"},
		Templates: []*chart.File{
			{Name: "templates/all.yaml", Data: []byte(manifests)},
			{Name: "templates/hook.yaml", Data: []byte(hook)},
			{Name: "templates/widget.yaml", Data: []byte(custom)},
		},
		Files: []*chart.File{{Name: "crds/widgets.yaml", Data: []byte(definition)}},
		Raw:   []*chart.File{{Name: "crds/widgets.yaml", Data: []byte(definition)}},
	}
}

func must(err error, step string) {
	if err != nil {
		log.Fatalf("%s: %v", step, err)
	}
}

func main() {
	log.SetFlags(0)
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig = &os.Args[1]
	namespace := "helm"
	flags.Namespace = &namespace
	config := new(action.Configuration)
	config.Log = func(string, ...any) {}
	must(config.Init(flags, namespace, "secret", config.Log), "init")

	install := action.NewInstall(config)
	install.ReleaseName, install.Namespace, install.CreateNamespace = "shop", namespace, true
	install.Wait, install.WaitForJobs, install.Timeout = true, true, 30*time.Second
	installed, err := install.Run(shop(), nil)
	must(err, "install")
	is(installed, release.StatusDeployed, 1, "install")

	upgrade := func(values map[string]any) (*release.Release, error) {
		upgrade := action.NewUpgrade(config)
		upgrade.Namespace, upgrade.Wait, upgrade.Timeout = namespace, true, 30*time.Second
		return upgrade.Run("shop", shop(), values)
	}
	upgraded, err := upgrade(map[string]any{"color": "blue", "replicas": 3, "tag": "2"})
	must(err, "upgrade")
	is(upgraded, release.StatusDeployed, 2, "upgrade")
	found(config, "ConfigMap", "shop-settings", "blue")

	if _, err := upgrade(map[string]any{"replicas": "many"}); err == nil {
		log.Fatal("an upgrade that the server refuses went well")
	}
	fmt.Println("refused")

	rollback := action.NewRollback(config)
	rollback.Version, rollback.Wait, rollback.Timeout = 1, true, 30*time.Second
	must(rollback.Run("shop"), "rollback")
	history, err := action.NewHistory(config).Run("shop")
	must(err, "history")
	if len(history) != 4 {
		log.Fatalf("history: %d revisions", len(history))
	}
	fmt.Println("rolled back")
	found(config, "ConfigMap", "shop-settings", "red")

	status, err := action.NewStatus(config).Run("shop")
	must(err, "status")
	is(status, release.StatusDeployed, 4, "status")
	listed, err := action.NewList(config).Run()
	must(err, "list")
	if len(listed) != 1 {
		log.Fatalf("list: %d releases", len(listed))
	}

	uninstall := action.NewUninstall(config)
	uninstall.Wait, uninstall.Timeout = true, 60*time.Second
	_, err = uninstall.Run("shop")
	must(err, "uninstall")
	fmt.Println("uninstalled")
}

func is(found *release.Release, status release.Status, version int, step string) {
	if found.Info.Status != status || found.Version != version {
		log.Fatalf("%s: %s, revision %d", step, found.Info.Status, found.Version)
	}
	fmt.Println(step, version)
}

// found reads an object back, and looks for a text in it.
func found(config *action.Configuration, kind, name, text string) {
	manifest := fmt.Sprintf("apiVersion: v1\nkind: %s\nmetadata: {name: %s, namespace: helm}\n", kind, name)
	resources, err := config.KubeClient.Build(strings.NewReader(manifest), false)
	must(err, "build")
	got, err := config.KubeClient.(kube.InterfaceResources).Get(resources, false)
	must(err, "get")
	for _, objects := range got {
		for _, object := range objects {
			if strings.Contains(fmt.Sprint(object), text) {
				fmt.Fprintln(io.Discard, object)
				fmt.Println("found", text)
				return
			}
		}
	}
	log.Fatalf("%s %s does not hold %q", kind, name, text)
}
