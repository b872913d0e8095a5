//! What becomes of a file, byte by byte, when a field of it is set.

use super::*;
use crate::object::json;

const SHOP: &str = "\
# the shop
apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart   # the cart
  labels:
    app.kubernetes.io/name: cart
spec:
  replicas: 2
  paused:
  template:
    spec:
      containers:
      - name: cart
        image: 'shop/cart:1.0'
      - name: side
        image: \"side\"
        env: [{name: A, value: a}]
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec:
  ports:
  - port: 80
";

/// Sets a field and expects the text with `old` replaced by `new`, and nothing else changed.
#[track_caller]
fn check(path: &str, value: Value, old: &str, new: &str) {
    for text in [SHOP.to_owned(), SHOP.replace('\n', "\r\n")] {
        let (old, new) = if text.contains('\r') {
            (old.replace('\n', "\r\n"), new.replace('\n', "\r\n"))
        } else {
            (old.to_owned(), new.to_owned())
        };
        assert_eq!(text.matches(&old).count(), 1, "{old}");
        let got = set(&text, &Document::Any, path, &value);
        assert_eq!(got, Ok(text.replace(&old, &new)));
    }
}

#[track_caller]
fn refuse(document: &Document, path: &str, value: Value, want: &str) {
    assert_eq!(set(SHOP, document, path, &value), Err(want.to_owned()));
}

#[test]
fn a_scalar_is_replaced_where_it_stands() {
    check("spec.replicas", json!(9), "replicas: 2", "replicas: 9");
    check("spec.paused", json!(true), "paused:\n", "paused: true\n");
    check(
        "metadata.labels.\"app.kubernetes.io/name\"",
        json!("x"),
        "name: cart\nspec",
        "name: x\nspec",
    );
    check(
        "metadata.labels[app.kubernetes.io/name]",
        json!("x"),
        "name: cart\nspec",
        "name: x\nspec",
    );
    check("spec.ports[0].port", json!(8080), "port: 80\n", "port: 8080\n");
}

#[test]
fn items_are_found_by_place_and_by_key_and_quotes_stay() {
    let containers = "spec.template.spec.containers";
    let image = |item: &str| format!("{containers}[{item}].image");
    check(&image("0"), json!("x:2"), "'shop/cart:1.0'", "'x:2'");
    check(&image("name=side"), json!("x:2"), "\"side\"", "\"x:2\"");
    check(
        &format!("{containers}[name=side].env[name=A].value"),
        json!("b c"),
        "value: a}",
        "value: \"b c\"}",
    );
}

#[test]
fn null_takes_a_field_out_with_its_lines() {
    check("spec.replicas", json!(null), "  replicas: 2\n", "");
    check("spec.paused", json!(null), "  paused:\n", "");
    check("metadata.labels", json!(null), "  labels:\n    app.kubernetes.io/name: cart\n", "");
    let any = &Document::Any;
    refuse(
        any,
        "spec.ports",
        json!(null),
        "spec.ports cannot be taken out: it is the only field there; write the file anew",
    );
    refuse(
        any,
        "metadata.namespace",
        json!(null),
        "metadata.namespace cannot be taken out: it is in a map in braces; write the file anew",
    );
}

#[test]
fn the_document_can_be_named() {
    let service = |name: &str| Document::Object {
        kind: "service".to_owned(),
        namespace: Some("shop".to_owned()),
        name: name.to_owned(),
    };
    let want = SHOP.replace("metadata: {name: cart,", "metadata: {name: till,");
    assert_eq!(set(SHOP, &service("cart"), "metadata.name", &json!("till")), Ok(want.clone()));
    assert_eq!(set(SHOP, &Document::Nth(2), "metadata.name", &json!("till")), Ok(want));
    refuse(
        &service("cat"),
        "metadata.name",
        json!("x"),
        "there is no service/cat in it; there are: Deployment/cart, Service/cart",
    );
    refuse(&Document::Nth(3), "metadata.name", json!("x"), "there is no document 3, it has 2");
    refuse(
        &Document::Any,
        "metadata.name",
        json!("x"),
        "several of its 2 documents have metadata.name; name the object that is meant",
    );
}

#[test]
fn what_cannot_be_set_is_told_with_the_nearest_field() {
    let any = &Document::Any;
    refuse(
        any,
        "spec.replica",
        json!(1),
        "there is no field replica in spec; the nearest is replicas",
    );
    refuse(
        any,
        "spec.xyzzy",
        json!(1),
        "there is no field xyzzy in spec; there are: replicas, paused, template",
    );
    refuse(
        any,
        "spec.template.spec.containers.name",
        json!("x"),
        "there is no field name in spec.template.spec.containers: it is a list; name an item, as spec.template.spec.containers[0] or spec.template.spec.containers[name=…]",
    );
    refuse(
        any,
        "spec.template.spec.containers[name=web].image",
        json!("x"),
        "spec.template.spec.containers has no item [name=web]; it has 2: cart, side",
    );
    refuse(any, "spec.replicas[0]", json!(1), "spec.replicas is not a list, so it has no item [0]");
    refuse(
        &Document::Nth(1),
        "metadata",
        json!(1),
        "metadata is a map; name one of its fields: name, labels",
    );
    refuse(
        any,
        "a..b",
        json!(1),
        "`a..b` is no path; write it as spec.replicas or spec.containers[name=web].image",
    );
}

#[test]
fn a_file_that_is_no_yaml_is_refused() {
    let got = set("a: [", &Document::Any, "a", &json!(1)).unwrap_err();
    assert!(got.starts_with("it is not YAML: "), "{got}");
}

#[test]
fn an_object_is_named_as_kubectl_names_it() {
    for kind in ["deployment", "Deployment", "deployments", "deploy", "deployments.apps"] {
        let (kind, name) = (kind.to_owned(), "cart".to_owned());
        let document = Document::Object { kind: kind.clone(), namespace: None, name };
        let got = set(SHOP, &document, "spec.replicas", &json!(3));
        assert_eq!(got, Ok(SHOP.replace("replicas: 2", "replicas: 3")), "{kind}");
    }
}
