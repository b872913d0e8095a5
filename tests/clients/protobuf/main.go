// Command protobuf records how the Go libraries of Kubernetes read and write protobuf.
//
//	go run . record KINDS [OBJECTS ...]
//
// KINDS is src/serve/protobuf/table.txt, of which only the kinds are taken. The files hold
// Kubernetes objects in JSON or YAML, any number of them, or lists. It prints one record a line:
//
//	{"p": protobuf, "j": JSON}              the same object; either can be made of the other
//	{"p": protobuf, "j": JSON, "d": true}   what is read; written again it would be other bytes
//	{"p": protobuf, "e": text}              what is refused; "k" is the kind where it was read
//	{"w": frame, "j": JSON, "t": word}      an event of a watch
//
// Protobuf is in base64, as it stands in a body. Every kind is there unset, with all fields set,
// and with some, all made from a fixed seed; then the given objects; then broken bytes.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"os"
	"sort"
	"strings"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1beta1 "k8s.io/apimachinery/pkg/apis/meta/v1beta1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

var (
	codec = protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)
	out   = json.NewEncoder(os.Stdout)
	done  = map[string]bool{}
)

func main() {
	if len(os.Args) < 3 || os.Args[1] != "record" {
		fmt.Fprintln(os.Stderr, "usage: go run . record KINDS [OBJECTS ...]")
		os.Exit(2)
	}
	out.SetEscapeHTML(false)
	must(apiextensions.AddToScheme(scheme.Scheme))
	must(apiregistration.AddToScheme(scheme.Scheme))
	must(apidiscovery.AddToScheme(scheme.Scheme))
	must(metav1.AddMetaToScheme(scheme.Scheme))
	must(metav1beta1.AddMetaToScheme(scheme.Scheme))
	kinds := kindsOf(os.Args[2])
	small := recordKinds(kinds)
	for _, path := range os.Args[3:] {
		recordFile(path)
	}
	recordEvents()
	recordBroken(small)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// kindsOf reads the K lines of a table. What is of every group stands for that of the core group
// and of another.
func kindsOf(path string) []schema.GroupVersionKind {
	text, err := os.ReadFile(path)
	must(err)
	var kinds []schema.GroupVersionKind
	for _, line := range strings.Split(string(text), "\n") {
		columns := strings.Split(line, "\t")
		if columns[0] != "K" {
			continue
		}
		versions := []schema.GroupVersion{{Group: strings.TrimPrefix(columns[1], "-"), Version: columns[2]}}
		if columns[1] == "*" {
			versions = []schema.GroupVersion{{Version: "v1"}, {Group: "apps", Version: "v1"}}
		}
		for _, pair := range strings.Split(columns[3], " ") {
			kind, _, _ := strings.Cut(pair, "=")
			for _, version := range versions {
				kinds = append(kinds, version.WithKind(kind))
			}
		}
	}
	return kinds
}

// recordKinds prints the records of all kinds and gives those that are small.
func recordKinds(kinds []schema.GroupVersionKind) [][]byte {
	var small [][]byte
	for i, kind := range kinds {
		chances := []float64{0, 1, 0.4, 0.2}
		switch {
		case strings.HasSuffix(kind.Kind, "List") && kind.Kind != "APIResourceList":
			chances = []float64{0, 0.15, 0.3}
		case kind.Kind == "CustomResourceDefinition": // a schema has what is this or that
			chances = append(chances, 1, 1)
		}
		for j, chance := range chances {
			random := rand.New(rand.NewSource(int64(i*10 + j)))
			object := filled(kind, random, chance)
			for meta.IsListType(object) && chance > 0 && meta.LenList(object) == 0 {
				object = filled(kind, random, chance)
			}
			object.GetObjectKind().SetGroupVersionKind(kind)
			if body := recordObject(object); len(body) < 400 {
				small = append(small, body)
			}
		}
	}
	return small
}

func filled(kind schema.GroupVersionKind, random *rand.Rand, chance float64) runtime.Object {
	object, err := scheme.Scheme.New(kind)
	must(err)
	filler{random, chance}.fill(object)
	return object
}

// recordObject prints what is written for an object and what that is read as; where writing that
// again gives other bytes, both.
func recordObject(object runtime.Object) []byte {
	body := encoded(object)
	text, _, err := decoded(body)
	must(err)
	again := encoded(typed(text))
	if !bytes.Equal(body, again) {
		print(record{Protobuf: body, JSON: text, ReadOnly: true})
		body = again
		text, _, err = decoded(body)
		must(err)
	}
	if !bytes.Equal(body, encoded(typed(text))) {
		panic(fmt.Sprintf("no end of changes: %s", text))
	}
	print(record{Protobuf: body, JSON: text})
	return body
}

func encoded(object runtime.Object) []byte {
	var buffer bytes.Buffer
	must(codec.Encode(object, &buffer))
	return buffer.Bytes()
}

// decoded is the JSON of a body. A kind is also given with an error, if it could be read.
func decoded(body []byte) (json.RawMessage, string, error) {
	object, gvk, err := codec.Decode(body, nil, nil)
	if err != nil {
		if gvk != nil {
			return nil, gvk.String(), err
		}
		return nil, "", err
	}
	text, err := json.Marshal(object)
	if err != nil {
		return nil, "json", err
	}
	return plain(text), "", nil
}

// plain is JSON without spaces and escapes, keys sorted, so that JSON inside is the same bytes in
// every language.
func plain(text []byte) json.RawMessage {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	must(decoder.Decode(&value))
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	must(encoder.Encode(value))
	return bytes.TrimSpace(buffer.Bytes())
}

// typed reads JSON as its kind.
func typed(text []byte) runtime.Object {
	var named metav1.TypeMeta
	must(json.Unmarshal(text, &named))
	object, err := scheme.Scheme.New(named.GroupVersionKind())
	must(err)
	must(json.Unmarshal(text, object))
	return object
}

// recordFile prints the records of the objects in a file that are of a known kind.
func recordFile(path string) {
	file, err := os.Open(path)
	must(err)
	defer file.Close()
	decoder := yaml.NewYAMLOrJSONDecoder(bufio.NewReader(file), 4096)
	for {
		var text json.RawMessage
		if err := decoder.Decode(&text); err == io.EOF {
			return
		} else if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
			return
		}
		recordText(text)
	}
}

func recordText(text json.RawMessage) {
	var list struct {
		metav1.TypeMeta
		Items []json.RawMessage
		Body  json.RawMessage // of a record of scripts/baseline
	}
	if json.Unmarshal(text, &list) != nil {
		return
	}
	if list.Body != nil {
		recordText(list.Body)
	}
	kind := list.GroupVersionKind()
	if len(list.Items) > 0 {
		for _, item := range list.Items {
			var object map[string]any
			must(json.Unmarshal(item, &object))
			object["apiVersion"], object["kind"] = list.APIVersion, strings.TrimSuffix(kind.Kind, "List")
			text, err := json.Marshal(object)
			must(err)
			recordText(text)
		}
		return
	}
	if !scheme.Scheme.Recognizes(kind) {
		return
	}
	object, err := scheme.Scheme.New(kind)
	must(err)
	if err := json.Unmarshal(plain(text), object); err != nil {
		return
	}
	recordObject(object)
}

func recordEvents() {
	framer := protobuf.LengthDelimitedFramer
	raw := protobuf.NewRawSerializer(scheme.Scheme, scheme.Scheme)
	labels := map[string]string{"a": strings.Repeat("long ", 50)}
	objects := []runtime.Object{
		&metav1.Status{Status: "Failure", Reason: "Expired", Code: 410},
		&metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "a", ResourceVersion: "7"}},
		&metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: labels}},
	}
	for i, word := range []string{"ERROR", "BOOKMARK", "ADDED"} {
		kinds, _, err := scheme.Scheme.ObjectKinds(objects[i])
		must(err)
		sort.Slice(kinds, func(a, b int) bool { return kinds[a].Version < kinds[b].Version })
		objects[i].GetObjectKind().SetGroupVersionKind(kinds[0])
		body := encoded(objects[i])
		text, _, err := decoded(body)
		must(err)
		var frame bytes.Buffer
		event := &metav1.WatchEvent{Type: word, Object: runtime.RawExtension{Raw: body}}
		must(raw.Encode(event, framer.NewFrameWriter(&frame)))
		print(record{Frame: frame.Bytes(), JSON: text, Word: word})
	}
}

// recordBroken prints what becomes of bodies with something wrong in them.
func recordBroken(small [][]byte) {
	random := rand.New(rand.NewSource(1))
	broken := [][]byte{{}, []byte("k8s"), []byte("k8s\x00"), []byte("k8s\x00\x0a\x00"), []byte("{}")}
	unknown := &runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: "apps/v1", Kind: "Gadget"}, Raw: []byte{0}}
	broken = append(broken, encoded(unknown))
	for i := range 1600 {
		body := bytes.Clone(small[random.Intn(len(small))])
		if i%4 > 0 { // inside the envelope
			must(unknown.Unmarshal(body[4:]))
			unknown.Raw = mutated(random, mutated(random, unknown.Raw))
			body = encoded(unknown)
		} else {
			body = mutated(random, body)
		}
		broken = append(broken, body)
	}
	for _, body := range broken {
		text, kind, err := decoded(body)
		if err != nil {
			print(record{Protobuf: body, Error: err.Error(), Kind: kind})
		} else {
			print(record{Protobuf: body, JSON: text, ReadOnly: true})
		}
	}
}

func mutated(random *rand.Rand, body []byte) []byte {
	if len(body) == 0 {
		return []byte{byte(random.Intn(256))}
	}
	at := random.Intn(len(body))
	switch random.Intn(7) {
	case 0:
		return body[:at]
	case 1:
		body[at] ^= 1 << random.Intn(8)
	case 2:
		body[at] = byte(random.Intn(256))
	case 3:
		return append(body[:at:at], body[at+1:]...)
	case 4:
		return append(append(body[:at:at], byte(random.Intn(256))), body[at:]...)
	case 5:
		overlong := bytes.Repeat([]byte{0x80 | byte(random.Intn(128))}, 1+random.Intn(11))
		return append(append(body[:at:at], overlong...), body[at:]...)
	case 6:
		from := random.Intn(len(body))
		return append(append(body[:at:at], body[min(from, at):max(from, at)]...), body[at:]...)
	}
	return body
}

type record struct {
	Protobuf []byte
	JSON     json.RawMessage
	ReadOnly bool
	Error    string
	Kind     string
	Frame    []byte
	Word     string
}

func print(r record) {
	line := map[string]any{}
	for key, value := range map[string]string{"e": r.Error, "k": r.Kind, "t": r.Word} {
		if value != "" {
			line[key] = value
		}
	}
	if r.Frame != nil {
		line["w"] = base64.StdEncoding.EncodeToString(r.Frame)
	} else {
		line["p"] = base64.StdEncoding.EncodeToString(r.Protobuf)
	}
	if r.JSON != nil {
		line["j"] = r.JSON
	}
	if r.ReadOnly {
		line["d"] = true
	}
	if key := fmt.Sprint(line["p"], line["w"]); !done[key] {
		done[key] = true
		must(out.Encode(line))
	}
}
