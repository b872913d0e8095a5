//! The repository that claims are measured on: `scenarios/claims/guide`, embedded, so that the
//! program needs no folder beside it.

use std::collections::BTreeMap;

macro_rules! guide {
    ($($path:literal)*) => {
        &[$(($path, include_str!(concat!("../../../scenarios/claims/guide/", $path))),)*]
    };
}

/// Path and text of each file.
const FILES: &[(&str, &str)] = guide![
    ".github/workflows/cd.yml"
    ".github/workflows/ci.yml"
    "README.md"
    "apps/cart/base/config.yaml"
    "apps/cart/base/deployment.yaml"
    "apps/cart/base/kustomization.yaml"
    "apps/cart/base/service.yaml"
    "apps/cart/base/serviceaccount.yaml"
    "apps/cart/overlays/production/kustomization.yaml"
    "apps/cart/overlays/staging/kustomization.yaml"
    "apps/catalog/base/config.yaml"
    "apps/catalog/base/deployment.yaml"
    "apps/catalog/base/kustomization.yaml"
    "apps/catalog/base/service.yaml"
    "apps/catalog/base/serviceaccount.yaml"
    "apps/catalog/overlays/production/kustomization.yaml"
    "apps/catalog/overlays/staging/kustomization.yaml"
    "apps/payment/base/config.yaml"
    "apps/payment/base/deployment.yaml"
    "apps/payment/base/kustomization.yaml"
    "apps/payment/base/service.yaml"
    "apps/payment/base/serviceaccount.yaml"
    "apps/payment/overlays/production/kustomization.yaml"
    "apps/payment/overlays/staging/kustomization.yaml"
    "infra/cert-manager/certificate.yaml"
    "infra/cert-manager/crds/crds.yaml"
    "infra/cert-manager/crds/kustomization.yaml"
    "infra/cert-manager/issuer.yaml"
    "infra/cert-manager/kustomization.yaml"
    "infra/ingress.yaml"
    "infra/kustomization.yaml"
    "infra/namespaces.yaml"
    "infra/rbac.yaml"
];

/// The files by path.
pub(super) fn files() -> BTreeMap<String, String> {
    FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn add(folder: &Path, prefix: &str, found: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            match entry.path().is_dir() {
                true => add(&entry.path(), &format!("{path}/"), found),
                false => {
                    let text = std::fs::read_to_string(entry.path()).expect("a text");
                    found.insert(path, text);
                }
            }
        }
    }

    #[test]
    fn what_is_embedded_is_what_is_in_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/claims/guide");
        let mut found = BTreeMap::new();
        add(&folder, "", &mut found);
        assert_eq!(files(), found);
    }
}
