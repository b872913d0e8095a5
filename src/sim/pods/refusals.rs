//! What is said of images that cannot be had: names that are none, and what a registry answers
//! (R-CTL-34).
//!
//! When it is said, and what becomes of the container, is `container`'s.

/// What is wrong with an image name that is none. The repository is what is left of it without
/// registry and tag, and in `library` where it names no folder.
pub(super) fn name_error(image: &str) -> String {
    let (host, rest) = image.split_once('/').unwrap_or(("", image));
    let is_host = host.contains(['.', ':']) || host == "localhost" || host != host.to_lowercase();
    let path = if is_host { rest } else { image };
    let path = path.split_once(':').map_or(path, |(path, _)| path);
    let library = if is_host || path.contains('/') { "" } else { "library/" };
    if path == path.to_lowercase() {
        return "invalid reference format".to_owned();
    }
    format!("invalid reference format: repository name ({library}{path}) must be lowercase")
}

/// What a registry that does not have the image is quoted with.
pub(super) fn pull_error(image: &str) -> String {
    format!(
        "rpc error: code = NotFound desc = failed to pull and unpack image {image:?}: \
         failed to resolve reference {image:?}: {image}: not found"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_in_capitals_is_named_as_it_would_be_looked_up() {
        let capitals = |path: &str| {
            format!("invalid reference format: repository name ({path}) must be lowercase")
        };
        // The first is recorded, the others are the rule of the library that reads names.
        assert_eq!(name_error("Bad Name:1"), capitals("library/Bad Name"));
        assert_eq!(name_error("example.com/Shop/web:1"), capitals("Shop/web"));
        assert_eq!(name_error("a b"), "invalid reference format");
    }
}
