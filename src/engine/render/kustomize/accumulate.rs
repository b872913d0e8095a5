//! Gathers the resources of a kustomization, of what it is based on and of its components, and
//! runs its transformers in kustomize's order.

use super::decode::{Decoder, Text};
use super::kustomization::{self, Kustomization, Patch};
use super::patch::{self, Read, Source};
use super::resource::{Resource, Resources};
use super::{Files, Options, file_of, images, labels, names, namespace, replicas};
use crate::base::limits;
use crate::engine::model::{Origin, RenderError};
use crate::engine::render::cache::Parsed;
use crate::engine::render::reader::{Reader, join, text};
use crate::object::yaml::Dialect;

/// The resources of the folder `path`, transformed; references are not yet repaired.
pub(super) fn build(
    reader: &mut Reader<'_>,
    path: &str,
    options: &Options,
) -> Result<Resources, RenderError> {
    let mut build = Build { reader, options, visiting: Vec::new() };
    let target = build.load(path)?;
    build.target(&target, Resources::default())
}

struct Build<'r, 't> {
    reader: &'r mut Reader<'t>,
    options: &'r Options,
    /// The folders that are being built, outermost first.
    visiting: Vec<String>,
}

/// A folder with its kustomization file.
struct Target {
    folder: String,
    file: String,
    read: Kustomization,
}

impl Target {
    fn decoder(&self) -> Decoder<'_> {
        Decoder { file: &self.file }
    }

    fn error(&self, at: &Text, message: String) -> RenderError {
        self.decoder().error(at.place, message)
    }
}

impl Build<'_, '_> {
    fn load(&mut self, folder: &str) -> Result<Target, RenderError> {
        let Some(file) = file_of(self.reader, folder)? else {
            let message = "there is no kustomization.yaml, kustomization.yml or Kustomization here";
            let file = if folder.is_empty() { "." } else { folder }.to_owned();
            return Err(RenderError { file, line: 0, column: 0, message: message.to_owned() });
        };
        let Some(blob) = self.reader.file(&file) else {
            return Ok(Target { folder: folder.to_owned(), file, read: Kustomization::default() });
        };
        let documents = self.reader.nodes(&file, &blob)?;
        let read = kustomization::read(&file, &documents)?;
        Ok(Target { folder: folder.to_owned(), file, read })
    }

    /// Adds what a target lists to `resources` (empty, but for a component) and transforms it.
    fn target(&mut self, target: &Target, resources: Resources) -> Result<Resources, RenderError> {
        self.visiting.push(target.folder.clone());
        let mut resources = resources;
        for resource in &target.read.resources {
            self.resource(target, resource, &mut resources)?;
        }
        resources.refuse_twins()?;
        for component in &target.read.components {
            let folder = self.folder(target, component)?.ok_or_else(|| {
                let nearest = self.not_found(target, component);
                target.error(
                    component,
                    format!("component {:?} is no folder{nearest}", component.text),
                )
            })?;
            let component_target = self.load(&folder)?;
            if !component_target.read.is_component {
                let message =
                    format!("{folder} is not of kind Component, so it goes into resources");
                return Err(target.error(component, message));
            }
            resources = self.target(&component_target, resources)?;
        }
        self.transform(target, &mut resources)?;
        self.visiting.pop();
        Ok(resources)
    }

    /// Adds what an entry of `resources` names: the objects of a file or of another folder.
    fn resource(
        &mut self,
        target: &Target,
        entry: &Text,
        resources: &mut Resources,
    ) -> Result<(), RenderError> {
        let file = join(&target.folder, &entry.text);
        if let Some(path) = file.filter(|_| !is_remote(&entry.text))
            && let Some(blob) = self.reader.file(&path)
        {
            self.refuse_outside(target, entry, &path)?;
            let parsed = self.reader.objects(&path, &blob, Dialect::Kustomize)?;
            return parsed.iter().try_for_each(|parsed: &Parsed| {
                let origin = Origin { file: path.clone(), line: parsed.line };
                resources.list.push(Resource::new(parsed, origin)?);
                Ok(())
            });
        }
        let Some(folder) = self.folder(target, entry)? else {
            let nearest = self.not_found(target, entry);
            let message = format!("there is no file or folder {:?}{nearest}", entry.text);
            return Err(target.error(entry, message));
        };
        let base = self.load(&folder)?;
        if base.read.is_component {
            let message = format!("{folder} is a Component, so it goes into components");
            return Err(target.error(entry, message));
        }
        resources.list.extend(self.target(&base, Resources::default())?.list);
        Ok(())
    }

    /// The folder that an entry names, if there is one.
    fn folder(&mut self, target: &Target, entry: &Text) -> Result<Option<String>, RenderError> {
        if is_remote(&entry.text) {
            let message = format!("{:?} is remote, and that is not supported yet", entry.text);
            return Err(target.error(entry, message));
        }
        let Some(folder) = join(&target.folder, &entry.text) else {
            let message = format!("{:?} leads out of the repository", entry.text);
            return Err(target.error(entry, message));
        };
        if self.reader.folder(&folder).is_none() {
            return Ok(None);
        }
        let holds = |visited: &&String| {
            folder.is_empty() || **visited == folder || visited.starts_with(&format!("{folder}/"))
        };
        if let Some(visited) = self.visiting.iter().find(holds) {
            let message = format!("cycle: {folder:?} holds {visited:?}, which is being built");
            return Err(target.error(entry, message));
        }
        if self.visiting.len() >= limits::DOCUMENT_DEPTH {
            let message = format!("bases are nested deeper than {}", limits::DOCUMENT_DEPTH);
            return Err(target.error(entry, message));
        }
        Ok(Some(folder))
    }

    fn not_found(&self, target: &Target, entry: &Text) -> String {
        let path = join(&target.folder, &entry.text);
        path.map(|path| self.reader.nearest(&path)).unwrap_or_default()
    }

    /// Files are to be in or below the folder of the kustomization that names them.
    fn refuse_outside(&self, target: &Target, entry: &Text, path: &str) -> Result<(), RenderError> {
        let is_below = target.folder.is_empty() || path.starts_with(&format!("{}/", target.folder));
        if is_below || self.options.files == Files::Anywhere {
            return Ok(());
        }
        let message = format!("file {path:?} is not in or below {:?}", target.folder);
        Err(target.error(entry, message))
    }

    /// The text of a file that a patch names, with its path.
    fn patch_file(
        &mut self,
        target: &Target,
        entry: &Text,
    ) -> Result<(String, String), RenderError> {
        let path = join(&target.folder, &entry.text).unwrap_or_default();
        let Some(blob) = self.reader.file(&path) else {
            let nearest = self.not_found(target, entry);
            let message = format!("there is no file {:?}{nearest}", entry.text);
            return Err(target.error(entry, message));
        };
        self.refuse_outside(target, entry, &path)?;
        let text = text(&path, &blob)?.to_owned();
        Ok((path, text))
    }

    /// Runs the transformers of a target.
    fn transform(&mut self, target: &Target, resources: &mut Resources) -> Result<(), RenderError> {
        let read = &target.read;
        self.strategic_patches(target, resources)?;
        for patch in &read.patches {
            self.patch(target, patch, resources)?;
        }
        namespace::apply(resources, &read.namespace.text)?;
        names::apply_prefix(resources, &read.name_prefix);
        names::apply_suffix(resources, &read.name_suffix);
        for label in &read.labels {
            let specs =
                labels::specs_of(label).map_err(|why| target.decoder().error(label.place, why))?;
            labels::apply(resources, &label.pairs, &specs)?;
        }
        labels::apply_common(resources, &read.common_labels)?;
        labels::apply_annotations(resources, &read.common_annotations)?;
        for patch in &read.patches_json6902 {
            self.json_patch(target, patch, resources)?;
        }
        for replica in &read.replicas {
            if !replicas::apply(resources, replica)? {
                let message =
                    format!("no workload with replicas is called {:?}", replica.name.text);
                return Err(target.error(&replica.name, message));
            }
        }
        for image in &read.images {
            images::apply(resources, image)?;
        }
        Ok(())
    }

    /// `patchesStrategicMerge`: each entry is a patch or the name of a file with some.
    fn strategic_patches(
        &mut self,
        target: &Target,
        resources: &mut Resources,
    ) -> Result<(), RenderError> {
        let mut is_any = false;
        let mut read = Vec::new();
        for entry in &target.read.patches_strategic_merge {
            let inline =
                Source { text: &entry.text, file: &target.file, inline: patch::inline(entry) };
            // A name of a file is YAML too, but no patch.
            if entry.text.contains('\n') || entry.text.contains(": ") {
                let parsed = inline.read_strategic()?;
                is_any |= !parsed.is_empty();
                read.push((target.file.clone(), entry.text.clone(), patch::inline(entry), parsed));
                continue;
            }
            let (file, text) = self.patch_file(target, entry)?;
            let parsed = Source { text: &text, file: &file, inline: None }.read_strategic()?;
            is_any |= !parsed.is_empty();
            read.push((file, text, None, parsed));
        }
        if let Some(first) = target.read.patches_strategic_merge.first().filter(|_| !is_any) {
            return Err(target.error(first, "the patches are empty".to_owned()));
        }
        for (file, text, inline, parsed) in read {
            let source = Source { text: &text, file: &file, inline };
            patch::apply_strategic(resources, &parsed, &source)?;
        }
        Ok(())
    }

    /// An entry of `patches`.
    fn patch(
        &mut self,
        target: &Target,
        patch: &Patch,
        resources: &mut Resources,
    ) -> Result<(), RenderError> {
        let (file, text, inline) = self.patch_text(target, patch)?;
        let source = Source { text: &text, file: &file, inline };
        let read = source.read()?;
        patch::apply(resources, patch, &read, target.decoder(), &source)
    }

    /// An entry of `patchesJson6902`.
    fn json_patch(
        &mut self,
        target: &Target,
        patch: &Patch,
        resources: &mut Resources,
    ) -> Result<(), RenderError> {
        let (file, text, inline) = self.patch_text(target, patch)?;
        let source = Source { text: &text, file: &file, inline };
        let wrong = |message: &str| Err(target.decoder().error(patch.place, message.to_owned()));
        let Some(aim) = patch.target.as_ref().filter(|aim| !aim.name.is_empty()) else {
            return wrong("the target of a JSON patch needs a name");
        };
        match source.read()? {
            Read::Json(operations) if !operations.is_empty() => {
                patch::apply_json(resources, aim, &operations, target.decoder(), &source, false)
            }
            _ => wrong("this is no JSON patch, a list of operations"),
        }
    }

    /// The file that messages about a patch name, its text, and where it stands if it is inline.
    fn patch_text(
        &mut self,
        target: &Target,
        patch: &Patch,
    ) -> Result<(String, String, Option<super::decode::Place>), RenderError> {
        match (&patch.patch, &patch.path) {
            (Some(text), None) => Ok((target.file.clone(), text.text.clone(), patch::inline(text))),
            (None, Some(path)) => {
                let (file, text) = self.patch_file(target, path)?;
                Ok((file, text, None))
            }
            _ => {
                let message = "a patch has either patch or path".to_owned();
                Err(target.decoder().error(patch.place, message))
            }
        }
    }
}

/// Whether an entry of `resources` is to be fetched from elsewhere.
fn is_remote(entry: &str) -> bool {
    let hosts = ["github.com/", "github.com:", "gitlab.com/", "bitbucket.org/", "git@", "git::"];
    entry.contains("://")
        || hosts.iter().any(|host| entry.starts_with(host))
        || entry.contains("?ref=")
}
