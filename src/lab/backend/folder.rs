//! Folders for temporary files: repositories, certificates, the state of a control plane.

use std::path::PathBuf;

use super::error::SiteError;

/// A folder for temporary files of a run, removed with this value.
#[derive(Debug)]
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    /// A fresh one.
    ///
    /// # Errors
    /// `System`.
    pub(super) fn new(what: &str) -> Result<Self, SiteError> {
        let mut bytes = [0; 8];
        aws_lc_rs::rand::fill(&mut bytes)
            .map_err(|_| SiteError::system("no folder", &"no randomness is to be had"))?;
        let name = format!("towtank-{what}-{:016x}", u64::from_le_bytes(bytes));
        let path = std::env::temp_dir().join(name);
        let failed =
            |error: std::io::Error| SiteError::File { path: path.clone(), why: error.to_string() };
        let mut builder = std::fs::DirBuilder::new();
        // Keys and tokens may be in it.
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(failed)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in a folder for temporary files harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
