// Records what structured-merge-diff makes of random applies and updates over a schema with every
// form that a type may take, custom resources' above all.
//
//	cd scripts/baseline-merge && go run . > ../../tests/baseline/fields/merge.jsonl
//
// Each line is one operation: who, how, what, and the object and owners that came of it, or the
// conflicts. A line with "start" begins with an empty object. The schema stands in tests/it/merge.rs too.
package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"sort"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/merge"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

const types = typed.YAMLObject(`types:
- name: root
  map:
    fields:
    - name: text
      type: {scalar: string}
    - name: number
      type: {scalar: numeric}
    - name: names
      type: {list: {elementType: {scalar: string}, elementRelationship: associative}}
    - name: atoms
      type: {list: {elementType: {scalar: string}, elementRelationship: atomic}}
    - name: items
      type: {list: {elementType: {namedType: item}, elementRelationship: associative, keys: [name, port]}}
    - name: labels
      type: {map: {elementType: {scalar: string}}}
    - name: block
      type: {map: {elementType: {scalar: string}, elementRelationship: atomic}}
    - name: nested
      type: {namedType: nested}
    - name: any
      type: {namedType: __untyped_deduced_}
- name: item
  map:
    fields:
    - name: name
      type: {scalar: string}
    - name: port
      type: {scalar: numeric}
      default: 1
    - name: value
      type: {scalar: string}
    - name: inner
      type: {list: {elementType: {scalar: string}, elementRelationship: associative}}
- name: nested
  map:
    fields:
    - name: a
      type: {scalar: string}
    - name: down
      type: {namedType: nested}
    - name: table
      type: {map: {elementType: {namedType: nested}}}
- name: __untyped_atomic_
  scalar: untyped
  list: {elementType: {namedType: __untyped_atomic_}, elementRelationship: atomic}
  map: {elementType: {namedType: __untyped_atomic_}, elementRelationship: atomic}
- name: __untyped_deduced_
  scalar: untyped
  list: {elementType: {namedType: __untyped_atomic_}, elementRelationship: atomic}
  map: {elementType: {namedType: __untyped_deduced_}, elementRelationship: separable}
`)

type object = map[string]interface{}
type list = []interface{}

type same struct{}

func (same) Convert(o *typed.TypedValue, _ fieldpath.APIVersion) (*typed.TypedValue, error) {
	return o, nil
}
func (same) IsMissingVersionError(error) bool { return false }

var rng *rand.Rand

func maybe(p float64) bool { return rng.Float64() < p }

func word() string { return []string{"x", "y", "z"}[rng.Intn(3)] }

func words(duplicates bool) list {
	out := list{}
	for i := rng.Intn(4); i > 0; i-- {
		w := word()
		seen := false
		for _, o := range out {
			seen = seen || o == w
		}
		if !seen || (duplicates && maybe(0.3)) {
			out = append(out, w)
		}
	}
	return out
}

func texts() object {
	out := object{}
	for i := rng.Intn(3); i > 0; i-- {
		out[word()] = word()
	}
	return out
}

func nested(depth int) object {
	out := object{}
	if maybe(0.5) {
		out["a"] = word()
	}
	if depth > 0 && maybe(0.5) {
		out["down"] = nested(depth - 1)
	}
	if depth > 0 && maybe(0.4) {
		table := object{}
		for i := rng.Intn(3); i > 0; i-- {
			table[word()] = nested(depth - 1)
		}
		out["table"] = table
	}
	return out
}

func anything(depth int) interface{} {
	switch rng.Intn(7) {
	case 0:
		return word()
	case 1:
		return rng.Intn(3)
	case 2:
		return words(true)
	case 3:
		return nil
	default:
		out := object{}
		for i := rng.Intn(3); depth > 0 && i > 0; i-- {
			out[word()] = anything(depth - 1)
		}
		return out
	}
}

func items(duplicates bool) list {
	out, seen := list{}, map[string]bool{}
	for i := rng.Intn(4); i > 0; i-- {
		item := object{"name": word()}
		if maybe(0.4) {
			item["port"] = 1 + rng.Intn(2)
		}
		key := fmt.Sprint(item["name"], item["port"] == 2)
		if seen[key] && !(duplicates && maybe(0.3)) {
			continue
		}
		seen[key] = true
		if maybe(0.6) {
			item["value"] = word()
		}
		if maybe(0.3) {
			item["inner"] = words(false)
		}
		out = append(out, item)
	}
	return out
}

func random(duplicates bool) object {
	out := object{}
	put := func(name string, p float64, make func() interface{}) {
		if maybe(p) {
			out[name] = make()
			if maybe(0.05) {
				out[name] = nil
			}
		}
	}
	put("text", 0.3, func() interface{} { return word() })
	put("number", 0.3, func() interface{} { return rng.Intn(3) })
	put("names", 0.4, func() interface{} { return words(duplicates) })
	put("atoms", 0.3, func() interface{} { return words(true) })
	put("items", 0.6, func() interface{} { return items(duplicates) })
	put("labels", 0.4, func() interface{} { return texts() })
	put("block", 0.3, func() interface{} { return texts() })
	put("nested", 0.4, func() interface{} { return nested(2) })
	put("any", 0.4, func() interface{} { return anything(2) })
	return out
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	parser, err := typed.NewParser(types)
	check(err)
	root := parser.Type("root")
	parse := func(o object, options ...typed.ValidationOptions) *typed.TypedValue {
		// Through JSON, so that numbers are as a server reads them.
		raw, err := json.Marshal(o)
		check(err)
		v, err := value.FromJSON(raw)
		check(err)
		out, err := typed.AsTyped(v, &parser.Schema, root.TypeRef, options...)
		check(err)
		return out
	}
	out := json.NewEncoder(os.Stdout)
	for seed := int64(0); seed < 40; seed++ {
		rng = rand.New(rand.NewSource(seed))
		updater := (&merge.UpdaterBuilder{Converter: same{}, ReturnInputOnNoop: true}).BuildUpdater()
		live, owners := parse(object{}), fieldpath.ManagedFields{}
		for step := 0; step < 8; step++ {
			line := object{"manager": []string{"a", "b"}[rng.Intn(2)]}
			if step == 0 {
				line["start"] = seed
			}
			var next *typed.TypedValue
			var managed fieldpath.ManagedFields
			var err error
			if maybe(0.7) {
				config := random(false)
				force := maybe(0.5)
				line["op"], line["force"], line["body"] = "apply", force, config
				next, managed, err = updater.Apply(live, parse(config), "v1", owners.Copy(), line["manager"].(string), force)
			} else {
				line["manager"] = "u"
				body := random(true)
				line["op"], line["body"] = "update", body
				next, managed, err = updater.Update(live, parse(body, typed.AllowDuplicates), "v1", owners.Copy(), "u")
			}
			if conflicts, ok := err.(merge.Conflicts); ok {
				found := []string{}
				for _, c := range conflicts {
					found = append(found, c.Manager+" "+c.Path.String())
				}
				sort.Strings(found)
				line["conflicts"] = found
			} else {
				check(err)
				live, owners = next, managed
				sets := map[string]json.RawMessage{}
				for name, set := range owners {
					raw, err := set.Set().ToJSON()
					check(err)
					sets[name] = raw
				}
				line["object"], line["owners"] = live.AsValue().Unstructured(), sets
			}
			check(out.Encode(line))
		}
	}
}
