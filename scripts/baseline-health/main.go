// Records what kstatus, as Flux has it, says of objects.
//
//	cd scripts/baseline-health
//	zcat ../../tests/baseline/health/cases.jsonl.gz | go run . | gzip -9n > ../../tests/baseline/health/kstatus.jsonl.gz
//
// A line of the cases is {name, object, age_seconds?}: an object that has an age was created so long
// ago. A line of the output is {name, status, reason, message}, in the order of the cases; the reason
// is that of the condition which kstatus adds, empty where it adds none. Jobs go through Flux's own
// reader, all else through kstatus itself, as in kustomize-controller and helm-controller.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/runtime/statusreaders"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

type testCase struct {
	Name       string         `json:"name"`
	Object     map[string]any `json:"object"`
	AgeSeconds *int           `json:"age_seconds"`
}

type record struct {
	Name    string `json:"name"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for lines.Scan() {
		var c testCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			panic(err)
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(mustJSON(c.Object)); err != nil {
			panic(err)
		}
		if c.AgeSeconds != nil {
			created := time.Now().Add(-time.Duration(*c.AgeSeconds) * time.Second)
			unstructured.SetNestedField(object.Object, created.UTC().Format(time.RFC3339), "metadata", "creationTimestamp")
		}
		if err := out.Encode(judged(c.Name, object)); err != nil {
			panic(err)
		}
	}
}

// judged is what the library says of an object.
func judged(name string, object *unstructured.Unstructured) record {
	if object.GetKind() == "Job" {
		mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{})
		read, err := statusreaders.NewCustomJobStatusReader(mapper).ReadStatusForObject(context.Background(), nil, object)
		if err != nil {
			return record{Name: name, Status: "error", Message: err.Error()}
		}
		return record{Name: name, Status: read.Status.String(), Message: read.Message}
	}
	result, err := status.Compute(object)
	if err != nil {
		return record{Name: name, Status: "error", Message: err.Error()}
	}
	of := record{Name: name, Status: result.Status.String(), Message: result.Message}
	for _, condition := range result.Conditions {
		of.Reason = condition.Reason
	}
	return of
}

func mustJSON(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return data
}
