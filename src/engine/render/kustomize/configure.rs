//! Makes the generators and transformers of a kustomization ready, in kustomize's order: reads
//! the files that they name and finds the fields that they change.

use std::sync::Arc;

use super::accumulate::{Build, Gathered, Target};
use super::config::Config;
use super::decode::{Decoder, Place, Text};
use super::generate::{self, Generator, GeneratorOptions};
use super::kustomization::Patch;
use super::namespace::Setting;
use super::origin::Provenance;
use super::patch;
use super::resource::{Resource, Resources};
use super::selectors::{self, Replacement, ReplacementEntry};
use super::transform::{Loaded, Transformer};
use super::{labels, plugins};
use crate::engine::model::{Origin, RenderError};
use crate::engine::render::reader::{self, refuse_unread, text};
use crate::object::yaml::Dialect;
use crate::object::yaml::spanned::{Content, Node};

/// A transformer, what is noted on the objects that it is run on, and where its plugin stands if
/// it has one.
type Noted = (Transformer, Option<Provenance>, Option<Origin>);

/// An object that was generated, what is noted on it, and where it is asked for.
pub(super) struct Made {
    pub(super) object: Resource,
    pub(super) note: Option<Provenance>,
    pub(super) file: String,
    pub(super) place: Place,
}

impl Build<'_, '_> {
    /// What the generators of a target make, each with what is noted on it and where it is asked
    /// for.
    pub(super) fn generated(
        &mut self,
        target: &Target,
        from: &Provenance,
    ) -> Result<Vec<Made>, RenderError> {
        let mut made = Vec::new();
        let read = &target.read;
        let all = read.generator_options.as_ref();
        for (generators, kind) in
            [(&read.config_maps, "ConfigMapGenerator"), (&read.secrets, "SecretGenerator")]
        {
            let note = from.of_builtin(target.file_name(), kind);
            for generator in generators {
                let object = self.generate_one(target, generator, all, target.decoder())?;
                let (file, place) = (target.file.clone(), generator.place);
                made.push(Made { object, note: Some(note.clone()), file, place });
            }
        }
        for plugin in self.plugins(target, &read.generators, from)? {
            let note = Provenance::of_plugin(&plugin);
            for object in plugins::generate(self, target, &plugin)? {
                let place = Place { line: plugin.origin.line, column: 1, block: false };
                let file = plugin.origin.file.clone();
                made.push(Made { object, note: note.clone(), file, place });
            }
        }
        Ok(made)
    }

    pub(super) fn generate_one(
        &mut self,
        target: &Target,
        generator: &Generator,
        all: Option<&GeneratorOptions>,
        decoder: Decoder<'_>,
    ) -> Result<Resource, RenderError> {
        let mut load = |entry: &Text| self.bytes(target, entry).map(|(_, bytes)| bytes);
        generate::generate(generator, all, decoder, &mut load)
    }

    /// The transformers of a target.
    pub(super) fn transformers(
        &mut self,
        target: &Target,
        config: &Arc<Config>,
        from: &Provenance,
    ) -> Result<Vec<Noted>, RenderError> {
        let mut all = self.early(target, config)?;
        all.extend(self.late(target, config)?);
        let file = target.file_name();
        let note = |(kind, transformer): (&str, Transformer)| {
            (transformer, Some(from.of_builtin(file, kind)), None)
        };
        let mut all: Vec<Noted> = all.into_iter().map(note).collect();
        for plugin in self.plugins(target, &target.read.transformers, from)? {
            all.push((
                plugins::transformer(self, target, &plugin)?,
                Provenance::of_plugin(&plugin),
                Some(plugin.origin.clone()),
            ));
        }
        Ok(all)
    }

    /// Patches, namespace and names.
    fn early(
        &mut self,
        target: &Target,
        config: &Config,
    ) -> Result<Vec<(&'static str, Transformer)>, RenderError> {
        let read = &target.read;
        let mut all = Vec::new();
        if !read.patches_strategic_merge.is_empty() {
            let loaded = self.strategic(target, &read.patches_strategic_merge)?;
            all.push(("PatchStrategicMergeTransformer", loaded));
        }
        for patch in &read.patches {
            all.push(("PatchTransformer", self.patch(target, patch)?));
        }
        if !read.namespace.text.is_empty() {
            let namespace = read.namespace.text.clone();
            let fields = config.namespace.clone();
            let setting = Setting { namespace, fields, ..Setting::default() };
            all.push(("NamespaceTransformer", Transformer::Namespace(setting)));
        }
        if !read.name_prefix.is_empty() {
            let fields = config.name_prefix.clone();
            let prefix = Transformer::Prefix(read.name_prefix.clone(), fields);
            all.push(("PrefixTransformer", prefix));
        }
        if !read.name_suffix.is_empty() {
            let fields = config.name_suffix.clone();
            let suffix = Transformer::Suffix(read.name_suffix.clone(), fields);
            all.push(("SuffixTransformer", suffix));
        }
        Ok(all)
    }

    /// Labels, annotations, JSON patches, replicas, images and replacements.
    fn late(
        &mut self,
        target: &Target,
        config: &Config,
    ) -> Result<Vec<(&'static str, Transformer)>, RenderError> {
        let read = &target.read;
        let mut all = Vec::new();
        for label in &read.labels {
            let specs = labels::specs_of(label, config)
                .map_err(|why| target.decoder().error(label.place, why))?;
            all.push(("LabelTransformer", Transformer::Texts(label.pairs.clone(), specs)));
        }
        if !(read.labels.is_empty() && read.common_labels.is_empty()) {
            let (pairs, fields) = (read.common_labels.clone(), config.common_labels.clone());
            all.push(("LabelTransformer", Transformer::Texts(pairs, fields)));
        }
        if !read.common_annotations.is_empty() {
            let pairs = read.common_annotations.clone();
            let texts = Transformer::Texts(pairs, config.common_annotations.clone());
            all.push(("AnnotationsTransformer", texts));
        }
        for patch in &read.patches_json6902 {
            let (loaded, read) = self.read_patch(target, patch)?;
            let patch = patch.clone();
            all.push(("PatchJson6902Transformer", Transformer::Json { patch, read, loaded }));
        }
        for replica in &read.replicas {
            let replicas = Transformer::Replicas(replica.clone(), config.replicas.clone());
            all.push(("ReplicaCountTransformer", replicas));
        }
        for image in &read.images {
            let images = Transformer::Image(image.clone(), config.images.clone());
            all.push(("ImageTagTransformer", images));
        }
        if !read.replacements.is_empty() {
            let replacements = self.replacements(target, &read.replacements)?;
            all.push(("ReplacementTransformer", Transformer::Replacements(replacements)));
        }
        Ok(all)
    }

    /// The patches of `patchesStrategicMerge`: each entry is a patch or the name of a file with
    /// some.
    pub(super) fn strategic(
        &mut self,
        target: &Target,
        entries: &[Text],
    ) -> Result<Transformer, RenderError> {
        let mut all = Vec::new();
        for entry in entries {
            // A name of a file is YAML too, but no patch.
            let is_inline = entry.text.contains('\n') || entry.text.contains(": ");
            let (file, text) = if is_inline {
                (target.file.clone(), entry.text.clone())
            } else {
                self.text(target, entry)?
            };
            let inline = patch::inline(entry).filter(|_| is_inline);
            let loaded = Loaded { file, text, inline, view: self.schemas.view() };
            let parsed = loaded.source().read_strategic()?;
            all.push((loaded, parsed));
        }
        match entries.first() {
            Some(first) if all.iter().all(|(_, parsed)| parsed.is_empty()) => {
                let names: Vec<&str> = entries.iter().map(|entry| entry.text.trim()).collect();
                Err(target.error(first, format!("the patches are empty: {}", names.join(", "))))
            }
            _ => Ok(Transformer::Strategic(all)),
        }
    }

    /// An entry of `patches`.
    pub(super) fn patch(
        &mut self,
        target: &Target,
        patch: &Patch,
    ) -> Result<Transformer, RenderError> {
        let (loaded, read) = self.read_patch(target, patch)?;
        Ok(Transformer::Patch { patch: patch.clone(), read, loaded })
    }

    /// The text of a patch, and what it says.
    pub(super) fn read_patch(
        &mut self,
        target: &Target,
        patch: &Patch,
    ) -> Result<(Loaded, patch::Read), RenderError> {
        let loaded = match (&patch.patch, &patch.path) {
            (Some(text), None) => Loaded {
                file: target.file.clone(),
                text: text.text.clone(),
                inline: patch::inline(text),
                view: self.schemas.view(),
            },
            (None, Some(path)) => {
                let (file, text) = self.text(target, path)?;
                Loaded { file, text, inline: None, view: self.schemas.view() }
            }
            _ => {
                let has = if patch.patch.is_some() { "both" } else { "neither" };
                let message = format!("a patch has either patch or path, and here is {has}");
                return Err(target.decoder().error(patch.place, message));
            }
        };
        let read = loaded.source().read()?;
        Ok((loaded, read))
    }

    /// The replacements of a target, those in files too.
    pub(super) fn replacements(
        &mut self,
        target: &Target,
        entries: &[ReplacementEntry],
    ) -> Result<Vec<Replacement>, RenderError> {
        let mut all = Vec::new();
        for entry in entries {
            let path = match entry {
                ReplacementEntry::Inline(replacement) => {
                    all.push(Replacement::clone(replacement));
                    continue;
                }
                ReplacementEntry::File(path) => path,
            };
            let (file, documents) = self.nodes(target, path)?;
            let decoder = Decoder::lenient(&file);
            let read = |node: &Node| selectors::replacement(decoder, node);
            match documents.first() {
                Some(node) if matches!(node.content, Content::Seq(_)) => {
                    all.extend(decoder.list(node, read)?);
                }
                Some(node) if matches!(node.content, Content::Map(_)) => all.push(read(node)?),
                _ => {
                    let message = format!("{file} holds no replacement, nor a list of some");
                    return Err(target.error(path, message));
                }
            }
        }
        Ok(all)
    }

    /// Runs the validators: transformers that must not change a thing.
    pub(super) fn validate(
        &mut self,
        target: &Target,
        resources: &mut Resources,
        from: &Provenance,
    ) -> Result<(), RenderError> {
        const SEAL: &str = "validated-by";
        for plugin in self.plugins(target, &target.read.validators, from)? {
            let validator = plugins::transformer(self, target, &plugin)?;
            let before = resources.clone();
            validator.run(resources, Decoder::strict(&plugin.origin.file))?;
            let unchanged = before.list.len() == resources.list.len()
                && before.list.iter().zip(&resources.list).all(|(before, after)| {
                    let mut after = after.clone();
                    let mut labels = after.texts("labels");
                    if labels.remove(SEAL).is_some() {
                        after.set_texts("labels", labels);
                    }
                    before.object == after.object
                });
            if !unchanged {
                let message = "validator shouldn't modify the resource map".to_owned();
                return Err(crate::engine::render::error_at(&plugin.origin, message));
            }
        }
        Ok(())
    }

    /// The objects that configure plugins: written inline, or in the files and folders named.
    fn plugins(
        &mut self,
        target: &Target,
        entries: &[Text],
        from: &Provenance,
    ) -> Result<Vec<Resource>, RenderError> {
        let mut gathered = Gathered::default();
        let mut paths = Vec::new();
        for entry in entries {
            let is_inline = entry.text.contains('\n') || entry.text.contains(": ");
            let Some(parsed) =
                reader::parse_objects(&entry.text, Dialect::Kustomize).ok().filter(|_| is_inline)
            else {
                paths.push(entry);
                continue;
            };
            for parsed in &parsed {
                let origin = Origin { file: target.file.clone(), line: entry.place.line };
                let mut resource = Resource::new(parsed, origin)?;
                if self.notes {
                    let note = from.join(target.file_name()).note();
                    resource.annotate(super::resource::ORIGIN, note);
                }
                gathered.resources.list.push(resource);
            }
        }
        for entry in paths {
            self.resource(target, entry, &mut gathered, from)?;
        }
        gathered.resources.refuse_twins()?;
        Ok(gathered.resources.list)
    }

    /// The bytes of a file that a target names, and its path.
    pub(super) fn bytes(
        &mut self,
        target: &Target,
        entry: &Text,
    ) -> Result<(String, Arc<[u8]>), RenderError> {
        let (path, blob) = self.must_load(target, entry)?;
        refuse_unread(&path, &blob)?;
        Ok((path, blob.bytes.clone()))
    }

    /// The text of a file that a target names, and its path.
    fn text(&mut self, target: &Target, entry: &Text) -> Result<(String, String), RenderError> {
        let (path, blob) = self.must_load(target, entry)?;
        let text = text(&path, &blob)?.to_owned();
        Ok((path, text))
    }

    /// The documents of a file that a target names, and its path.
    pub(super) fn nodes(
        &mut self,
        target: &Target,
        entry: &Text,
    ) -> Result<(String, Arc<Vec<Node>>), RenderError> {
        let (path, blob) = self.must_load(target, entry)?;
        let nodes = self.reader.nodes(&path, &blob)?;
        Ok((path, nodes))
    }
}
