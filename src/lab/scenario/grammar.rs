//! What a grammar of the scenario language is made of: maps with known keys, and shapes of values.
//!
//! The grammar itself is `tables`. From it come the refusals (`conform`) and the JSON Schema
//! (`schema`), so that the two cannot disagree.

/// A map whose keys are known.
pub(super) struct Map {
    /// Its name among the schema's definitions.
    pub name: &'static str,
    /// What a message calls it, with its article: `an App`.
    pub what: &'static str,
    /// Its keys, in the order of documentation; groups are shared between maps.
    pub keys: &'static [&'static [Key]],
}

impl Map {
    pub(super) fn keys(&self) -> impl Iterator<Item = &'static Key> {
        self.keys.iter().flat_map(|group| group.iter())
    }

    pub(super) fn key(&self, word: &str) -> Option<&'static Key> {
        self.keys().find(|key| key.word == word)
    }
}

/// A map that is one of several, told apart by one key of each: its head.
pub(super) struct Variants {
    /// Its name among the schema's definitions.
    pub name: &'static str,
    /// What a message calls it, with its article: `a drift`.
    pub what: &'static str,
    /// Head and form.
    pub forms: &'static [(&'static str, Form)],
    /// The form where no head is there; `None`: one must be.
    pub otherwise: Option<&'static Map>,
}

/// One form of a map.
pub(super) enum Form {
    /// A plain one.
    Map(&'static Map),
    /// One that is told apart further.
    Variants(&'static Variants),
}

impl Form {
    /// Every key that some form of it knows.
    pub(super) fn words(&self) -> Vec<&'static str> {
        match self {
            Form::Map(map) => map.keys().map(|key| key.word).collect(),
            Form::Variants(variants) => variants.words(),
        }
    }
}

impl Variants {
    /// Every key that some form knows, each once.
    pub(super) fn words(&self) -> Vec<&'static str> {
        let forms = self.forms.iter().flat_map(|(_, form)| form.words());
        let otherwise = self.otherwise.iter().flat_map(|map| map.keys().map(|key| key.word));
        let mut words = Vec::new();
        for word in forms.chain(otherwise) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words
    }

    /// The heads, in the order of documentation.
    pub(super) fn heads(&self) -> Vec<&'static str> {
        self.forms.iter().map(|(head, _)| *head).collect()
    }
}

/// One key of a map.
pub(super) struct Key {
    pub word: &'static str,
    pub shape: Shape,
    pub required: bool,
    /// What it is for; the default where it has one.
    pub doc: &'static str,
}

impl Key {
    /// A key that must be there.
    pub(super) const fn must(word: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { word, shape, required: true, doc }
    }

    /// A key that may be left out.
    pub(super) const fn may(word: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { word, shape, required: false, doc }
    }
}

/// What a value may look like.
pub(super) enum Shape {
    /// Any text that is not empty.
    Text,
    /// Any text, empty too: a file's content.
    Content,
    /// A name in kebab case.
    Name,
    /// What a commit is called: a label, a tag.
    Label,
    /// A path below the repository's root.
    Path,
    /// A commit: `HEAD`, `HEAD~2`, a label, a tag, a commit id.
    Rev,
    /// An object: `kind/namespace/name`.
    ObjectRef,
    /// A whole number in a range.
    Whole(u64, u64),
    /// `true` or `false`.
    Flag,
    /// The value `true`: the key says it all.
    Yes,
    /// A duration.
    Duration,
    /// A duration or one of these words.
    DurationOr(&'static [&'static str]),
    /// This word, then a duration: `after 5s`.
    Phrase(&'static str),
    /// What is measured of one metric: `80%`, `200m`, `2 in all`, `none`.
    Reading,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Anything.
    Any,
    /// A map of anything, not empty.
    Part,
    /// A Kubernetes object, with `apiVersion`, `kind` and `metadata.name`.
    Object,
    /// A map with keys of one shape and values of one shape, in the order of the file.
    Each(KeyShape, &'static Shape),
    /// A list, not empty.
    List(&'static Shape),
    /// One, or a list of them that is not empty.
    OneOrList(&'static Shape),
    /// A map with known keys; nothing at all stands for an empty one.
    Map(&'static Map),
    /// A map of one of several forms.
    Variants(&'static Variants),
    /// A scalar of the first shape or a map of the second.
    Either(&'static Shape, &'static Shape),
}

/// What the keys of a [`Shape::Each`] look like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyShape {
    /// A path below the repository's root.
    Path,
    /// An image without tag or digest.
    Image,
    /// An image reference in which `*` stands for any text.
    ImagePattern,
    /// A path to a field.
    Field,
    /// An object: `kind/namespace/name`.
    Object,
    /// A metric's name.
    Metric,
    /// A URL as a kustomization has it.
    Url,
}
