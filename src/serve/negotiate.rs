//! What form an answer takes: the media type and the shape that `Accept` asks for, and whether it
//! is to be laid out for a reader (R-HTTP-14, R-HTTP-16, R-HTTP-17, R-HTTP-20, R-HTTP-28).
//!
//! Not here: writing it (`encode`).

use crate::api::{Details, Reason, Status};
use crate::sim::rest::table::{Form as Shape, Include, Transform};

/// How bytes stand for values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/json`.
    Json,
    /// `application/yaml`.
    Yaml,
    /// `application/vnd.kubernetes.protobuf`.
    Protobuf,
}

impl Media {
    const ALL: [Media; 3] = [Media::Json, Media::Yaml, Media::Protobuf];

    /// Its name on the wire.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Media::Json => "application/json",
            Media::Yaml => "application/yaml",
            Media::Protobuf => "application/vnd.kubernetes.protobuf",
        }
    }
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) media: Media,
    /// What is made of objects before they are written; `None`: nothing.
    pub(super) transform: Option<Transform>,
    pub(super) pretty: bool,
}

impl Form {
    /// JSON as it is.
    pub(super) const PLAIN: Form = Form { media: Media::Json, transform: None, pretty: false };
}

/// What can be had.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    /// Built-in kinds have protobuf.
    pub(super) protobuf: bool,
    /// A stream of events has no YAML.
    pub(super) watch: bool,
}

impl Offer {
    fn media(self) -> impl Iterator<Item = Media> {
        Media::ALL.into_iter().filter(move |media| match media {
            Media::Json => true,
            Media::Yaml => !self.watch,
            Media::Protobuf => self.protobuf,
        })
    }
}

/// Finds the form that `accept` likes best of those that can be had.
///
/// # Errors
/// 406 where it takes none of them.
pub(super) fn negotiate(accept: &str, offer: Offer) -> Result<Form, Status> {
    if accept.trim().is_empty() {
        return Ok(Form::PLAIN);
    }
    if offer.protobuf && !accept.split(',').any(is_known) {
        return Err(not_known(offer.watch));
    }
    let clauses = clauses(accept);
    // What a watch is written as follows from what a list would be; a list may be YAML.
    let listed = Offer { watch: false, ..offer };
    let form = best(&clauses, listed).ok_or_else(|| not_acceptable(false))?;
    if offer.watch && form.media == Media::Yaml {
        return Err(not_acceptable(true));
    }
    Ok(form)
}

/// The form of a failure. It is told in any case: laid out, to who takes nothing that there is.
pub(super) fn of_status(accept: &str, protobuf: bool) -> Form {
    let offer = Offer { protobuf, watch: false };
    let mut clauses = clauses(accept);
    clauses.retain(|clause| clause.target[0].is_empty());
    if accept.trim().is_empty() {
        return Form::PLAIN;
    }
    best(&clauses, offer).unwrap_or(Form { pretty: true, ..Form::PLAIN })
}

/// The clauses of `Accept`, what is liked best first.
fn clauses(accept: &str) -> Vec<Clause<'_>> {
    let mut clauses: Vec<Clause> = accept.split(',').map(Clause::read).collect();
    clauses.sort_by_key(|clause| std::cmp::Reverse(clause.rank()));
    clauses
}

fn best(clauses: &[Clause], offer: Offer) -> Option<Form> {
    clauses.iter().find_map(|clause| {
        let media = offer.media().find(|media| clause.takes(*media))?;
        let transform = clause.transform(media)?;
        Some(Form { media, transform, pretty: clause.pretty })
    })
}

/// Whether an answer is laid out for a reader: asked for, or seen from a tool that people read.
pub(super) fn is_pretty(query: &str, user_agent: &str) -> bool {
    let asked = query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == "pretty" && !value.is_empty()).then_some(value)
    });
    match asked {
        Some(value) => matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True"),
        None => ["curl", "Wget", "Mozilla/5.0"].iter().any(|tool| user_agent.starts_with(tool)),
    }
}

struct Clause<'a> {
    kind: &'a str,
    subtype: &'a str,
    quality: u32,
    /// `as`, `g` and `v`; empty where not given.
    target: [&'a str; 3],
    pretty: bool,
}

impl<'a> Clause<'a> {
    fn read(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        let (kind, subtype) = media.split_once('/').unwrap_or((media, "*"));
        let mut clause = Self { kind, subtype, quality: 1_000, target: [""; 3], pretty: false };
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key {
                "q" => {
                    let quality: f32 = value.parse().unwrap_or(1.0);
                    clause.quality = (quality.clamp(0.0, 1.0) * 1_000.0) as u32;
                }
                "as" => clause.target[0] = value,
                "g" => clause.target[1] = value,
                "v" => clause.target[2] = value,
                "pretty" => clause.pretty = value == "1",
                _ => {}
            }
        }
        clause
    }

    /// Better liked first, then what is named more exactly; equals keep their order.
    fn rank(&self) -> (u32, bool, bool) {
        (self.quality, self.kind != "*", self.subtype != "*")
    }

    fn takes(&self, media: Media) -> bool {
        let (kind, subtype) = media.name().split_once('/').unwrap_or_default();
        (self.kind == "*" || self.kind == kind) && (self.subtype == "*" || self.subtype == subtype)
    }

    /// `None` where such a shape cannot be had.
    #[expect(clippy::option_option, reason = "no shape that can be had is not no shape")]
    fn transform(&self, media: Media) -> Option<Option<Transform>> {
        let [target, group, version] = self.target;
        if target.is_empty() {
            return Some(None);
        }
        if group != "meta.k8s.io" || !matches!(version, "v1" | "v1beta1") {
            return None;
        }
        let form = match target {
            "Table" if media != Media::Protobuf => Shape::Table,
            "PartialObjectMetadata" => Shape::Partial,
            "PartialObjectMetadataList" => Shape::PartialList,
            _ => return None,
        };
        let include = Include::default();
        Some(Some(Transform { form, beta: version == "v1beta1", include }))
    }
}

/// Built-in resources look at the names alone first.
fn is_known(clause: &str) -> bool {
    let name = clause.split(';').next().unwrap_or_default().trim();
    name == "*/*" || Media::ALL.iter().any(|media| media.name() == name)
}

fn not_known(watch: bool) -> Status {
    let mut names: Vec<&str> = Media::ALL.iter().map(|media| media.name()).collect();
    if watch {
        names.extend([STREAMS[0], STREAMS[1]]);
    }
    let text = format!("406: Not Acceptable\n\nAvailable representations: {}", names.join(", "));
    let mut status = Status::new(406, Reason::NotAcceptable, text);
    status.details = Some(Details::default());
    status
}

/// What watches are written as.
const STREAMS: [&str; 2] =
    ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];

/// All that is written is told, also where a kind has less.
fn not_acceptable(watch: bool) -> Status {
    let names = if watch { STREAMS.to_vec() } else { Media::ALL.map(Media::name).to_vec() };
    let text = format!("only the following media types are accepted: {}", names.join(", "));
    Status::new(406, Reason::NotAcceptable, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(accept: &str, expected: Option<(Media, Option<Shape>)>) {
        let found = negotiate(accept, Offer { protobuf: true, watch: false });
        let found = found.ok().map(|form| (form.media, form.transform.map(|t| t.form)));
        assert_eq!(found, expected, "{accept}");
    }

    #[test]
    fn the_clause_that_is_liked_best_and_can_be_had_is_taken() {
        check("", Some((Media::Json, None)));
        check("*/*", Some((Media::Json, None)));
        check("application/yaml", Some((Media::Yaml, None)));
        check("application/json;q=0.5, application/yaml", Some((Media::Yaml, None)));
        check(
            "application/vnd.kubernetes.protobuf,application/json",
            Some((Media::Protobuf, None)),
        );
        check(
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
            Some((Media::Json, Some(Shape::Table))),
        );
        check(
            "application/json;as=Table;v=v2;g=meta.k8s.io,application/json",
            Some((Media::Json, None)),
        );
        check("application/json;as=Nothing;v=v1;g=meta.k8s.io", None);
        check("text/plain", None);
        check("application/cbor", None);
    }

    #[test]
    fn an_answer_is_laid_out_where_asked_for_and_for_tools_that_people_read() {
        assert!(is_pretty("pretty=true", "kubectl/v1.36"));
        assert!(!is_pretty("dryRun=All&pretty", ""));
        assert!(is_pretty("pretty=", "curl/8.5"));
        assert!(is_pretty("", "curl/8.5"));
        assert!(!is_pretty("pretty=false", "curl/8.5"));
        assert!(!is_pretty("", "kubectl/v1.36"));
    }
}
