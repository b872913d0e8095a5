package main

import (
	"math/rand"
	"reflect"
	"time"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// filler sets the fields of objects, each with the same chance.
type filler struct {
	random *rand.Rand
	chance float64
}

var (
	words      = []string{"a", "web", "prod", "", "a-longer-name-of-something", "ünïcode ✓", "<&>\"\\\n\t\u2028", "0", "true"}
	quantities = []string{"0", "1", "100m", "1Gi", "1.5", "1e3", "0.5Gi", "-2", "1000k", "3.1416", "123456789012345678901", "5n"}
	jsons      = []string{"{}", `{"a":[1,"x",null,true]}`, `"text"`, "7", "-1.5", `[{"b":{"c":"<&>"}}]`, "false"}
	fieldSets  = []string{"{}", `{"f:metadata":{"f:labels":{".":{},"f:a":{}}},"f:spec":{"k:{\"name\":\"x\"}":{".":{}}}}`}
	numbers    = []float64{0, 1, -1, 0.5, 1e20, 1e21, 1.7976931348623157e308, 5e-324, 123456.789}
	integers   = []int64{0, 1, -1, 80, 127, 128, 300, 65536, 2147483647, -2147483648}
)

func (f filler) fill(object runtime.Object) {
	f.value(reflect.ValueOf(object).Elem(), 0)
}

func (f filler) is() bool { return f.random.Float64() < f.chance }

func pick[T any](f filler, list []T) T { return list[f.random.Intn(len(list))] }

// value sets v. Where all is set, it is to something that is not zero.
func (f filler) value(v reflect.Value, depth int) {
	f.any(v, depth)
	for range 20 {
		if f.chance < 1 || !v.IsZero() {
			break
		}
		f.any(v, depth)
	}
}

func (f filler) any(v reflect.Value, depth int) {
	if f.special(v, depth) {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(pick(f, words))
	case reflect.Bool:
		v.SetBool(f.random.Intn(3) > 0)
	case reflect.Int32:
		v.SetInt(pick(f, integers))
	case reflect.Int64:
		v.SetInt(pick(f, append(integers, 1<<40, -1<<63, 1<<63-1)))
	case reflect.Float64:
		v.SetFloat(pick(f, numbers))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.value(v.Elem(), depth)
	case reflect.Slice:
		f.slice(v, depth)
	case reflect.Map:
		f.pairs(v, depth)
	case reflect.Struct:
		f.fields(v, depth)
	}
}

// fields sets those of a struct. Protobuf carries no type of an object inside another.
func (f filler) fields(v reflect.Value, depth int) {
	for i := range v.NumField() {
		field := v.Field(i)
		isType := field.Type() == reflect.TypeFor[metav1.TypeMeta]()
		isStruct := field.Kind() == reflect.Struct // of which an unset one tells nothing
		if !isType && v.Type().Field(i).IsExported() && (isStruct || f.is()) {
			f.value(field, depth)
		}
	}
}

func (f filler) slice(v reflect.Value, depth int) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		bytes := make([]byte, f.random.Intn(40))
		f.random.Read(bytes)
		v.SetBytes(bytes)
		return
	}
	length := 1 + f.random.Intn(2)
	v.Set(reflect.MakeSlice(v.Type(), length, length))
	for i := range length {
		f.value(v.Index(i), depth)
	}
}

func (f filler) pairs(v reflect.Value, depth int) {
	v.Set(reflect.MakeMap(v.Type()))
	for range 1 + f.random.Intn(3) {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		key.SetString(pick(f, words))
		f.value(value, depth)
		v.SetMapIndex(key, value)
	}
}

// special sets what is no plain struct, and ends what would go on for ever.
func (f filler) special(v reflect.Value, depth int) bool {
	var value any
	switch v.Interface().(type) {
	case metav1.Time:
		value = metav1.Unix(int64(f.random.Intn(4_000_000_000)), 0)
	case metav1.MicroTime:
		value = metav1.NewMicroTime(time.Unix(int64(f.random.Intn(4_000_000_000)), int64(f.random.Intn(1e6))*1000))
	case resource.Quantity:
		value = resource.MustParse(pick(f, quantities))
	case intstr.IntOrString:
		value = pick(f, []intstr.IntOrString{intstr.FromInt32(80), intstr.FromInt32(-1), intstr.FromString("http"), intstr.FromString("25%"), {}})
	case runtime.RawExtension:
		value = runtime.RawExtension{Raw: []byte(pick(f, jsons))}
	case apiextensions.JSON:
		value = apiextensions.JSON{Raw: []byte(pick(f, jsons))}
	case metav1.FieldsV1:
		value = *metav1.NewFieldsV1(pick(f, fieldSets))
	case apiextensions.JSONSchemaProps:
		if depth == 0 {
			f.fields(v, 1)
		} else if depth < 3 {
			filler{f.random, 0.06}.fields(v, depth+1)
		}
		return true
	case apiextensions.JSONSchemaPropsOrBool:
		value = pick(f, []apiextensions.JSONSchemaPropsOrBool{{}, {Allows: true}, {Allows: true, Schema: f.schema(depth)}})
	case apiextensions.JSONSchemaPropsOrArray:
		value = pick(f, []apiextensions.JSONSchemaPropsOrArray{{Schema: f.schema(depth)}, {JSONSchemas: []apiextensions.JSONSchemaProps{*f.schema(depth), *f.schema(depth)}}})
	case apiextensions.JSONSchemaPropsOrStringArray:
		value = pick(f, []apiextensions.JSONSchemaPropsOrStringArray{{Schema: f.schema(depth)}, {Property: []string{"a", "b"}}})
	default:
		return false
	}
	v.Set(reflect.ValueOf(value))
	return true
}

func (f filler) schema(depth int) *apiextensions.JSONSchemaProps {
	schema := &apiextensions.JSONSchemaProps{}
	f.value(reflect.ValueOf(schema).Elem(), max(depth, 1))
	return schema
}
