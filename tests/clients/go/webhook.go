package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	admissionv1 "k8s.io/api/admission/v1"
	registrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// judge marks every object, and refuses those called "no".
func judge(w http.ResponseWriter, r *http.Request) {
	review := admissionv1.AdmissionReview{}
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	if strings.HasPrefix(r.URL.Path, "/mutate") {
		kind := admissionv1.PatchTypeJSONPatch
		answer.PatchType = &kind
		answer.Patch = []byte(`[{"op":"add","path":"/data","value":{"marked":"yes"}}]`)
	} else if review.Request.Name == "no" {
		answer.Allowed = false
		answer.Result = &metav1.Status{Message: "not that"}
	}
	_ = json.NewEncoder(w).Encode(admissionv1.AdmissionReview{TypeMeta: review.TypeMeta, Response: answer})
}

// Webhooks beside the server change what is written, and refuse it.
func webhook(ctx context.Context, cfg *rest.Config, namespace string) error {
	server := httptest.NewTLSServer(http.HandlerFunc(judge))
	defer server.Close()
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	config := func(path string) registrationv1.WebhookClientConfig {
		url := server.URL + path
		return registrationv1.WebhookClientConfig{URL: &url, CABundle: bundle}
	}
	rules := []registrationv1.RuleWithOperations{{
		Operations: []registrationv1.OperationType{registrationv1.Create},
		Rule:       registrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
	}}
	only := &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": namespace}}
	none := registrationv1.SideEffectClassNone
	registration := clientset(cfg).AdmissionregistrationV1()
	_, err := registration.MutatingWebhookConfigurations().Create(ctx, &registrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "mark"},
		Webhooks: []registrationv1.MutatingWebhook{{
			Name: "mark.towtank.dev", ClientConfig: config("/mutate"), Rules: rules, NamespaceSelector: only,
			SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	_, err = registration.ValidatingWebhookConfigurations().Create(ctx, &registrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "judge"},
		Webhooks: []registrationv1.ValidatingWebhook{{
			Name: "judge.towtank.dev", ClientConfig: config("/validate"), Rules: rules, NamespaceSelector: only,
			SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	maps := clientset(cfg).CoreV1().ConfigMaps(namespace)
	made, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "yes"}}, metav1.CreateOptions{})
	if err != nil || made.Data["marked"] != "yes" {
		return fmt.Errorf("made %v, %v", made, err)
	}
	_, err = maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "no"}}, metav1.CreateOptions{})
	if err == nil || !strings.Contains(err.Error(), `admission webhook "judge.towtank.dev" denied the request: not that`) {
		return fmt.Errorf("not refused: %v", err)
	}
	return nil
}
