//! Fields that belong to nobody: an object's identity and what the API server keeps itself.

use super::{Path, Set};

/// The fields that no manager is ever recorded to own (R-SSA-21).
#[must_use]
pub fn never_recorded() -> &'static Set {
    static SET: std::sync::LazyLock<Set> = std::sync::LazyLock::new(|| {
        let mut set: Set = ["apiVersion", "kind", "metadata"]
            .into_iter()
            .map(|f| [f].into_iter().collect())
            .collect();
        for field in [
            "name",
            "namespace",
            "creationTimestamp",
            "selfLink",
            "uid",
            "clusterName",
            "generation",
            "managedFields",
            "resourceVersion",
        ] {
            set.insert(&["metadata", field].into_iter().collect::<Path>().0);
        }
        set
    });
    &SET
}
