//! Which bytes of a file change when an image gets another tag.

use super::*;
use crate::object::yaml::spanned;

const DIGEST: &str = "sha256:0123456789012345678901234567890123456789012345678901234567890123";

fn set(path: &str, text: &str, image: &str, tag: &str) -> Result<Option<(String, bool)>, GitError> {
    let documents = spanned::documents(text).unwrap();
    let places = find(path, text, &documents, image, &Tag::parse(tag).unwrap())?;
    if places.is_empty() {
        return Ok(None);
    }
    let pinned = places.iter().any(|place| place.pinned);
    let splices = places.into_iter().flat_map(|place| place.splices).collect();
    Ok(Some((edit::splice(text, splices), pinned)))
}

/// In a file that pins `shop/cart`, `before` becomes `after`, with line feeds and with CRLF.
#[track_caller]
fn check(path: &str, before: &str, tag: &str, after: &str) {
    for eol in ["\n", "\r\n"] {
        let (before, after) = (before.replace('\n', eol), after.replace('\n', eol));
        let got = set(path, &before, "shop/cart", tag).unwrap();
        assert_eq!(got.map(|(text, _)| text).as_deref(), Some(after.as_str()), "{before}");
    }
}

#[test]
fn an_image_of_a_manifest_keeps_its_quotes_and_comments() {
    check("d.yaml", "image: shop/cart:1.0 # now\n", "good", "image: shop/cart:good # now\n");
    check("d.yaml", "image: 'shop/cart:1.0'\n", "good", "image: 'shop/cart:good'\n");
    check("d.yaml", "image: \"shop/cart\"\nb: 1", "2", "image: \"shop/cart:2\"\nb: 1");
    check("d.json", "{\"image\": \"shop/cart:1\"}", "2", "{\"image\": \"shop/cart:2\"}");
    check(
        "d.yaml",
        "a: 1\n---\nc:\n- name: x\n  image: shop/cart:1\n- {name: y, image: shop/cart:1}\n",
        "2",
        "a: 1\n---\nc:\n- name: x\n  image: shop/cart:2\n- {name: y, image: shop/cart:2}\n",
    );
}

#[test]
fn a_digest_gives_way_to_a_tag_and_a_tag_to_a_digest() {
    let by_digest = format!("image: shop/cart@{DIGEST}\n");
    let both = format!("image: shop/cart:1.0@{DIGEST}\n");
    check("d.yaml", &by_digest, "2", "image: shop/cart:2\n");
    check("d.yaml", &both, "2", "image: shop/cart:2\n");
    check("d.yaml", "image: shop/cart:1\n", DIGEST, &by_digest);
    let entry = |pin: &str| format!("images:\n- name: shop/cart\n  {pin}\n");
    let digest_entry = entry(&format!("digest: {DIGEST}"));
    check("kustomization.yaml", &digest_entry, "v2", &entry("newTag: v2"));
    check("kustomization.yaml", &entry("newTag: v2"), DIGEST, &digest_entry);
}

#[test]
fn only_the_same_name_counts() {
    for text in [
        "image: shop/cart2:1\n",
        "image: eu/shop/cart:1\n",
        "image: cart:1\n",
        "image: localhost:5000/shop/cart:1\n",
        "note: shop/cart:1\n",
        "image: |\n  shop/cart:1\n",
    ] {
        assert_eq!(set("d.yaml", text, "shop/cart", "2").unwrap(), None, "{text}");
    }
    let port = set("d.yaml", "image: host:5000/cart\n", "host:5000/cart", "2").unwrap();
    assert_eq!(port, Some(("image: host:5000/cart:2\n".to_owned(), false)));
}

#[test]
fn an_entry_of_a_kustomization_gets_the_tag() {
    let at = "overlays/prod/kustomization.yaml";
    check(
        at,
        "images:\n- name: shop/cart\n  newTag: '1'\n",
        "2",
        "images:\n- name: shop/cart\n  newTag: '2'\n",
    );
    check(
        at,
        "images:\n- newTag: v1 # old\n  name: cart\n  newName: shop/cart\n",
        "1.27",
        "images:\n- newTag: \"1.27\" # old\n  name: cart\n  newName: shop/cart\n",
    );
    check(
        at,
        "images:\n  - name: a\n  - name: shop/cart # c\nx: 1\n",
        "v2",
        "images:\n  - name: a\n  - name: shop/cart # c\n    newTag: v2\nx: 1\n",
    );
    check(at, "images: [{name: shop/cart}]\n", "v2", "images: [{name: shop/cart, newTag: v2}]\n");
    check(at, "images:\n- name: shop/cart", "v2", "images:\n- name: shop/cart\n  newTag: v2");
    assert_eq!(set("list.yaml", "images:\n- name: shop/cart\n", "shop/cart", "2").unwrap(), None);
}

#[test]
fn an_entry_with_tag_and_digest_is_refused() {
    let text = format!("images:\n- name: shop/cart\n  newTag: v1\n  digest: {DIGEST}\n");
    let got = set("kustomization.yaml", &text, "shop/cart", "v2").unwrap_err();
    let want = "kustomization.yaml: shop/cart has both newTag and digest in its entry; take one of them out";
    assert_eq!(got.to_string(), want);
}

#[test]
fn helm_values_get_the_tag() {
    check(
        "values.yaml",
        "cart:\n  image:\n    repository: shop/cart\n    tag: \"1.0\"\n",
        "good",
        "cart:\n  image:\n    repository: shop/cart\n    tag: \"good\"\n",
    );
}

#[test]
fn a_tag_that_no_image_can_have_is_refused() {
    for good in ["good", "v1.2-rc_1", "1", "_x", DIGEST] {
        assert!(Tag::parse(good).is_some(), "{good}");
    }
    for bad in ["", "-x", ".x", "a b", "a:b", "a/b", "sha256:12", "ü", &"x".repeat(129)] {
        assert!(Tag::parse(bad).is_none(), "{bad}");
    }
}
