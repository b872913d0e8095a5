//! Gathers the resources of a kustomization, of what it is based on and of its components, and
//! has its generators and transformers run in kustomize's order (`configure` makes them ready).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::config::Config;
use super::decode::{Decoder, Text};
use super::kustomization::{self, Kustomization};
use super::openapi::Schemas;
use super::origin::Provenance;
use super::resource::{ORIGIN, Resource, Resources};
use super::vars::Vars;
use super::{Files, Options, crds, file_of, generate, remote};
use crate::base::limits;
use crate::engine::model::{Blob, Origin, RenderError};
use crate::engine::render::cache::Parsed;
use crate::engine::render::error_at;
use crate::engine::render::reader::{Reader, join};
use crate::object::yaml::Dialect;

/// What a kustomization comes to, and what is needed to finish it.
pub(super) struct Accumulated {
    pub(super) resources: Resources,
    pub(super) config: Arc<Config>,
    pub(super) vars: Vars,
    pub(super) read: Kustomization,
    /// The kustomization file.
    pub(super) file: String,
}

/// The resources of the folder `path`, transformed; references are not yet repaired.
pub(super) fn build(
    reader: &mut Reader<'_>,
    path: &str,
    options: &Options,
) -> Result<Accumulated, RenderError> {
    Build::new(reader, options).whole(path)
}

/// What is named by URL and not at hand. Whatever else is wrong is not looked at.
pub(super) fn missing(
    reader: &mut Reader<'_>,
    path: &str,
    options: &Options,
) -> BTreeSet<remote::Remote> {
    let mut build = Build::new(reader, options);
    build.is_survey = true;
    // What cannot be built without what is missing says nothing about what is missing.
    drop(build.whole(path));
    build.missing
}

impl<'r, 't> Build<'r, 't> {
    fn new(reader: &'r mut Reader<'t>, options: &'r Options) -> Self {
        Self {
            reader,
            options,
            visiting: Vec::new(),
            schemas: Schemas::default(),
            notes: false,
            is_survey: false,
            folders: 0,
            missing: BTreeSet::new(),
        }
    }
}

pub(super) struct Build<'r, 't> {
    pub(super) reader: &'r mut Reader<'t>,
    pub(super) options: &'r Options,
    /// The folders that are being built, outermost first.
    visiting: Vec<String>,
    pub(super) schemas: Schemas,
    /// Whether it is noted on objects where they come from.
    pub(super) notes: bool,
    /// Whether all that is built for is to learn what is missing.
    is_survey: bool,
    /// Folders that were gone into.
    folders: usize,
    missing: BTreeSet<remote::Remote>,
}

/// What was gathered so far.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) resources: Resources,
    pub(super) config: Arc<Config>,
    pub(super) vars: Vars,
}

/// A folder with its kustomization file.
pub(super) struct Target {
    pub(super) folder: String,
    pub(super) file: String,
    pub(super) read: Kustomization,
}

impl Target {
    pub(super) fn decoder(&self) -> Decoder<'_> {
        Decoder::strict(&self.file)
    }

    pub(super) fn error(&self, at: &Text, message: String) -> RenderError {
        self.decoder().error(at.place, message)
    }

    /// The name of the kustomization file.
    pub(super) fn file_name(&self) -> &str {
        self.file.rsplit('/').next().unwrap_or_default()
    }
}

impl Build<'_, '_> {
    fn whole(&mut self, path: &str) -> Result<Accumulated, RenderError> {
        let target = self.load(path)?;
        self.notes = !target.read.build_metadata.is_empty();
        self.set_schema(&target, &mut Resources::default(), true)?;
        let gathered = self.target(&target, Gathered::default(), &Provenance::default())?;
        let Gathered { resources, config, vars } = gathered;
        let Target { read, file, .. } = target;
        Ok(Accumulated { resources, config, vars, read, file })
    }

    fn load(&mut self, folder: &str) -> Result<Target, RenderError> {
        let Some(file) = file_of(self.reader, folder)? else {
            let message = "there is no kustomization.yaml, kustomization.yml or Kustomization here";
            let file = if folder.is_empty() { "." } else { folder }.to_owned();
            return Err(RenderError { file, line: 0, column: 0, message: message.to_owned() });
        };
        let Some(blob) = self.reader.file(&file) else {
            return Ok(Target { folder: folder.to_owned(), file, read: Kustomization::default() });
        };
        let documents = self.reader.loose_nodes(&file, &blob)?;
        let read = kustomization::read(&file, &documents)?;
        Ok(Target { folder: folder.to_owned(), file, read })
    }

    /// Adds what a target lists to what was gathered (nothing, but for a component) and
    /// transforms it.
    fn target(
        &mut self,
        target: &Target,
        gathered: Gathered,
        from: &Provenance,
    ) -> Result<Gathered, RenderError> {
        self.visiting.push(target.folder.clone());
        self.folders += 1;
        let mut gathered = gathered;
        for resource in &target.read.resources {
            self.refuse_too_much(target, resource, &gathered)?;
            let added = self.resource(target, resource, &mut gathered, from);
            if !self.is_survey {
                added?;
            }
        }
        if self.is_survey {
            self.survey_components(target, from);
            self.visiting.pop();
            return Ok(gathered);
        }
        gathered.resources.refuse_twins()?;
        self.configure(target, &mut gathered)?;
        self.generate(target, &mut gathered, from)?;
        for component in &target.read.components {
            gathered = self.component(target, component, gathered, from)?;
        }
        for (transformer, note, plugin) in self.transformers(target, &gathered.config, from)? {
            let decoder = Decoder::strict(&target.file);
            let note = note.filter(|_| self.notes);
            let result = transformer.run_noted(&mut gathered.resources, decoder, note.as_ref());
            result.map_err(|error| match &plugin {
                // What a plugin is told stands in its own file.
                Some(plugin) if error.file == target.file => error_at(plugin, error.message),
                _ => error,
            })?;
        }
        self.validate(target, &mut gathered.resources, from)?;
        gathered.vars.add(&target.read.vars, &target.file, &mut gathered.resources)?;
        self.visiting.pop();
        Ok(gathered)
    }

    /// A build that grows without end ends here.
    fn refuse_too_much(
        &self,
        target: &Target,
        at: &Text,
        gathered: &Gathered,
    ) -> Result<(), RenderError> {
        let (folders, objects) = (limits::RENDER_FOLDERS, limits::RENDER_OBJECTS);
        if self.folders > folders {
            return Err(
                target.error(at, format!("the build goes into more than {folders} folders"))
            );
        }
        if gathered.resources.list.len() > objects {
            return Err(target.error(at, format!("the build has more than {objects} objects")));
        }
        Ok(())
    }

    /// Looks into the components of a target for what is missing.
    fn survey_components(&mut self, target: &Target, from: &Provenance) {
        for entry in &target.read.components {
            let Ok(Some(folder)) = self.folder(target, entry) else { continue };
            if let Ok(component) = self.load(&folder) {
                drop(self.target(&component, Gathered::default(), from));
            }
        }
    }

    /// Adds what `configurations` and `crds` say to the fields that are changed.
    fn configure(&mut self, target: &Target, gathered: &mut Gathered) -> Result<(), RenderError> {
        let mut own = Arc::new(Config::default());
        for entry in &target.read.configurations {
            let (file, documents) = self.nodes(target, entry)?;
            let read = Config::read(Decoder::strict(&file), &documents)?;
            own = own.merged(&Arc::new(read)).map_err(|why| target.error(entry, why))?;
        }
        let at = target.read.configurations.last().cloned().unwrap_or_default();
        let whole = |why: String| {
            target.error(&at, format!("the configurations do not go together: {why}"))
        };
        let config = Config::of_kustomize().merged(&own).map_err(whole)?;
        gathered.config = gathered.config.merged(&config).map_err(whole)?;
        for entry in &target.read.crds {
            let (file, documents) = self.nodes(target, entry)?;
            let more = crds::config(Decoder::lenient(&file), &documents)?;
            gathered.config =
                gathered.config.merged(&Arc::new(more)).map_err(|why| target.error(entry, why))?;
        }
        Ok(())
    }

    /// Adds what the generators make.
    fn generate(
        &mut self,
        target: &Target,
        gathered: &mut Gathered,
        from: &Provenance,
    ) -> Result<(), RenderError> {
        for made in self.generated(target, from)? {
            let mut object = made.object;
            if let Some(note) = made.note.filter(|_| self.notes)
                && object.annotation(ORIGIN).is_none()
            {
                object.annotate(ORIGIN, note.note());
            }
            object.scopes = self.schemas.scopes();
            generate::absorb(&mut gathered.resources, object)
                .map_err(|why| Decoder::strict(&made.file).error(made.place, why))?;
        }
        Ok(())
    }

    fn component(
        &mut self,
        target: &Target,
        entry: &Text,
        gathered: Gathered,
        from: &Provenance,
    ) -> Result<Gathered, RenderError> {
        let folder = self.folder(target, entry)?.ok_or_else(|| {
            let nearest = self.not_found(target, entry);
            target.error(entry, format!("component {:?} is no folder{nearest}", entry.text))
        })?;
        let component = self.load(&folder)?;
        let mut gathered = gathered;
        self.set_schema(&component, &mut gathered.resources, false)?;
        if !component.read.is_component {
            let message = format!("{folder} is not of kind Component, so it goes into resources");
            return Err(target.error(entry, message));
        }
        let gathered = self.target(&component, gathered, &from.join(&entry.text))?;
        gathered.resources.refuse_twins()?;
        Ok(gathered)
    }

    /// Adds what an entry of `resources` names: the objects of a file or of another folder.
    pub(super) fn resource(
        &mut self,
        target: &Target,
        entry: &Text,
        gathered: &mut Gathered,
        from: &Provenance,
    ) -> Result<(), RenderError> {
        if let Some((path, blob)) = self.file(target, entry)? {
            let parsed = self.reader.objects(&path, &blob, Dialect::Kustomize)?;
            let note = self.notes.then(|| from.join(&entry.text).note());
            return parsed.iter().try_for_each(|parsed: &Parsed| {
                let origin = Origin { file: path.clone(), line: parsed.line };
                let mut resource = Resource::new(parsed, origin)?;
                self.schemas.note_kind(resource.object.api_version(), resource.object.kind());
                resource.scopes = self.schemas.scopes();
                if let Some(note) = &note {
                    resource.annotate(ORIGIN, note.clone());
                }
                gathered.resources.list.push(resource);
                Ok(())
            });
        }
        let Some(folder) = self.folder(target, entry)? else {
            let nearest = self.not_found(target, entry);
            let message = format!("there is no file or folder {:?}{nearest}", entry.text);
            return Err(target.error(entry, message));
        };
        let base = self.load(&folder)?;
        self.set_schema(&base, &mut gathered.resources, false)?;
        if base.read.is_component {
            let message = format!("{folder} is a Component, so it goes into components");
            return Err(target.error(entry, message));
        }
        let from = from.join(&entry.text);
        let Gathered { resources, config, vars } =
            self.target(&base, Gathered::default(), &from)?;
        gathered.resources.list.extend(resources.list);
        gathered.config =
            gathered.config.merged(&config).map_err(|why| target.error(entry, why))?;
        gathered.vars.merge(vars)
    }

    /// The file that an entry names, if it names one: in the repository or, by HTTP, elsewhere.
    fn file(
        &mut self,
        target: &Target,
        entry: &Text,
    ) -> Result<Option<(String, Arc<Blob>)>, RenderError> {
        let remote = remote::Remote::parse(&entry.text).filter(|remote| remote.url.contains("://"));
        if let Some(remote) = remote {
            let mount = remote::mount_of(&remote, &self.options.remotes);
            let blob = mount.as_ref().and_then(|path| self.reader.file(path));
            return Ok(mount.zip(blob));
        }
        let Some(path) = join(&target.folder, &entry.text) else { return Ok(None) };
        let Some(blob) = self.reader.file(&path) else { return Ok(None) };
        self.refuse_outside(target, entry, &path)?;
        Ok(Some((path, blob)))
    }

    /// A file that has to be there.
    pub(super) fn must_load(
        &mut self,
        target: &Target,
        entry: &Text,
    ) -> Result<(String, Arc<Blob>), RenderError> {
        if let Some(found) = self.file(target, entry)? {
            return Ok(found);
        }
        if let Some(remote) = remote::Remote::parse(&entry.text) {
            self.mount(target, entry, remote)?;
        }
        let nearest = self.not_found(target, entry);
        Err(target.error(entry, format!("there is no file {:?}{nearest}", entry.text)))
    }

    /// Takes a target's `openapi` for the schema from here on, unless one was taken before.
    fn set_schema(
        &mut self,
        target: &Target,
        resources: &mut Resources,
        is_top: bool,
    ) -> Result<(), RenderError> {
        let openapi = &target.read.openapi;
        let custom = match &openapi.path {
            Some(path) => Some(self.nodes(target, path)?),
            None => None,
        };
        self.schemas.set(openapi.version.as_ref(), custom, is_top).map_err(|why| match openapi
            .version
            .as_ref()
            .or(openapi.path.as_ref())
        {
            Some(at) => target.error(at, why),
            None => target.error(&Text::default(), why),
        })?;
        if let Some(scopes) = self.schemas.scopes() {
            resources.list.iter_mut().for_each(|r| r.scopes = Some(scopes.clone()));
        }
        Ok(())
    }

    /// The folder that an entry names, if there is one.
    fn folder(&mut self, target: &Target, entry: &Text) -> Result<Option<String>, RenderError> {
        let folder = match remote::Remote::parse(&entry.text) {
            Some(remote) => self.mount(target, entry, remote)?,
            None => self.local(target, entry)?,
        };
        if self.reader.folder(&folder).is_none() {
            self.reader.note_absent(&folder);
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

    /// Where a remote base is, if it is at hand.
    fn mount(
        &mut self,
        target: &Target,
        entry: &Text,
        remote: remote::Remote,
    ) -> Result<String, RenderError> {
        let mount = remote::mount_of(&remote, &self.options.remotes);
        mount.ok_or_else(|| {
            let message = format!(
                "{:?} is elsewhere and not at hand: it has to be fetched, or mapped to a folder",
                entry.text
            );
            self.missing.insert(remote);
            target.error(entry, message)
        })
    }

    /// The folder that a path names.
    fn local(&self, target: &Target, entry: &Text) -> Result<String, RenderError> {
        let is_odd = |part: &str| !matches!(part, "" | "." | "..") && part.contains("..");
        if entry.text.split('/').any(is_odd) {
            let message = format!(
                "path {:?} is ambiguous: is it two entries of a list that is not indented alike?",
                entry.text
            );
            return Err(target.error(entry, message));
        }
        if entry.text.starts_with('/') {
            let message = format!("new root '{}' cannot be absolute", entry.text);
            return Err(target.error(entry, message));
        }
        let Some(folder) = join(&target.folder, &entry.text) else {
            let message = format!("{:?} leads out of the repository", entry.text);
            return Err(target.error(entry, message));
        };
        match remote::mount(&target.folder) {
            Some(mount) if remote::mount(&folder) != Some(mount) => {
                let message = format!(
                    "{:?} leads out of the repository that it was fetched with",
                    entry.text
                );
                Err(target.error(entry, message))
            }
            _ => Ok(folder),
        }
    }

    pub(super) fn not_found(&self, target: &Target, entry: &Text) -> String {
        let path = join(&target.folder, &entry.text);
        path.map(|path| self.reader.nearest(&path)).unwrap_or_default()
    }

    /// Files are to be in or below the folder of the kustomization that names them.
    pub(super) fn refuse_outside(
        &self,
        target: &Target,
        entry: &Text,
        path: &str,
    ) -> Result<(), RenderError> {
        let is_below = target.folder.is_empty() || path.starts_with(&format!("{}/", target.folder));
        let is_free =
            self.options.files == Files::Anywhere && remote::mount(&target.folder).is_none();
        if is_below || is_free {
            return Ok(());
        }
        let message = format!("file {path:?} is not in or below {:?}", target.folder);
        Err(target.error(entry, message))
    }
}
