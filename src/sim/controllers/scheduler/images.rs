//! What it is worth that a node has the images of a pod (R-CTL-29): their size, the less the fewer
//! nodes have them, so that not all pods go where the first one went. (kubernetes/kubernetes:
//! pkg/scheduler/framework/plugins/imagelocality/image_locality.go.)
//!
//! Nodes say what they have in `status.images`. Ours say nothing of it: an image of 32 MiB, as
//! large as all of ours are taken to be, is worth nothing.

use std::collections::BTreeMap;

use super::nodes::Load;
use crate::object::{Object, Value};

/// Below and above this, in bytes, size makes no difference; above it is for each container.
const LEAST: i64 = 23 << 20;
const MOST: i64 = 1_000 << 20;

/// Size in bytes by name of the images that a node has.
pub(super) fn of_node(node: &Object) -> BTreeMap<String, i64> {
    let mut images = BTreeMap::new();
    for image in node.list(&["status", "images"]) {
        let bytes = image.get("sizeBytes").and_then(Value::as_i64).unwrap_or(0);
        let names = image.get("names").and_then(Value::as_array).into_iter().flatten();
        for name in names.filter_map(Value::as_str) {
            images.entry(name.to_owned()).or_insert(bytes);
        }
    }
    images
}

/// What the images of the pod are worth on each of the nodes that fit; `all` are the loads of
/// every node.
pub(super) fn scores<'a>(
    pod: &Object,
    fitting: &[(&Load, &Object)],
    all: impl Iterator<Item = &'a Load>,
) -> Vec<i64> {
    let (mut nodes, mut with_images) = (0, Vec::new());
    for load in all {
        nodes += 1;
        if !load.images.is_empty() {
            with_images.push(load);
        }
    }
    if with_images.is_empty() {
        return Vec::new();
    }
    let of = |list: &str| pod.list(&["spec", list]).iter();
    let image = |container: &Value| container.get("image").and_then(Value::as_str).map(full_name);
    let containers: Vec<String> =
        of("initContainers").chain(of("containers")).filter_map(image).collect();
    let volumes =
        of("volumes").filter_map(|volume| volume.get("image")?.get("reference")?.as_str());
    let volumes: Vec<String> = volumes.map(full_name).collect();
    let worth = |name: &String, load: &Load| {
        load.images.get(name)?;
        let mut having = with_images.iter().filter_map(|load| load.images.get(name));
        let bytes = having.next().copied()?;
        Some(scaled(bytes, 1 + having.count(), nodes))
    };
    let most = MOST * i64::try_from(containers.len()).unwrap_or(1).max(1);
    let score = |load: &Load| {
        let names = containers.iter().chain(&volumes);
        let sum: i64 = names.filter_map(|name| worth(name, load)).sum();
        100 * (sum.clamp(LEAST, most) - LEAST) / (most - LEAST)
    };
    fitting.iter().map(|(load, _)| score(load)).collect()
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as upstream")]
fn scaled(bytes: i64, having: usize, nodes: usize) -> i64 {
    (bytes as f64 * (having as f64 / nodes as f64)) as i64
}

/// With the tag that is meant where there is none.
fn full_name(image: &str) -> String {
    match (image.rfind(':'), image.rfind('/')) {
        (None, _) => format!("{image}:latest"),
        (Some(colon), Some(slash)) if colon <= slash => format!("{image}:latest"),
        _ => image.to_owned(),
    }
}
