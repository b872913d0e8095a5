//! `/statusz` and `/flagz`: since when the server runs, what it is, and the flags that it runs
//! with, for people as text and for programs as an object of `config.k8s.io`.
//!
//! The flags are those of a kube-apiserver 1.36 with its defaults (`flags.txt`), since that is how
//! this server behaves; where it is reached, how it authorizes and who signs its tokens are its
//! own.

use std::borrow::Cow;

use super::cluster::Cluster;
use super::encode;
use super::negotiate::{Form, Media};
use super::reply::Reply;
use crate::api::{Reason, Status};
use crate::base::Time;
use crate::object::{Key, Map, Value, json};
use crate::sim::rest::Authorization;

const FLAGS: &str = include_str!("flags.txt");
const PATHS: [&str; 7] =
    ["/flagz", "/healthz", "/livez", "/metrics", "/readyz", "/statusz", "/version"];
const GO: &str = "go1.26.8";
const BINARY: &str = "1.36.3";
const EMULATED: &str = "1.36";
const WARNING: &str = "Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.";

/// One of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Status,
    Flags,
}

/// A form in which a page can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Text,
    Object(Media, &'static str),
}

impl Page {
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            "/statusz" => Some(Self::Status),
            "/flagz" => Some(Self::Flags),
            _ => None,
        }
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::Status => "Statusz",
            Self::Flags => "Flagz",
        }
    }

    /// The page as `accept` wants it.
    ///
    /// # Errors
    /// 406 for a form in which it cannot be had.
    pub(super) fn answer(
        self,
        cluster: &Cluster,
        accept: &str,
        pretty: bool,
    ) -> Result<Reply, Status> {
        let shape = self.shape(accept).ok_or_else(|| {
            let text = "only the following media types are accepted: application/json, application/yaml, text/plain";
            Status::new(406, Reason::NotAcceptable, text)
        })?;
        let (started, now) = (cluster.started(), cluster.with_server(|_, now| now));
        let Shape::Object(media, version) = shape else {
            let text = match self {
                Self::Status => status_text(started, now),
                Self::Flags => flags_text(&flags(cluster)),
            };
            return Ok(Reply::new(200, "text/plain; charset=utf-8", text.into()));
        };
        let mut object = match self {
            Self::Status => status_object(started, now),
            Self::Flags => {
                let flags = flags(cluster);
                let flags = flags.iter().map(|(name, value)| (*name, Value::from(value.as_str())));
                json!({"flags": Value::Object(flags.map(|(k, v)| (Key::from(k), v)).collect::<Map>())})
            }
        };
        object["kind"] = self.kind().into();
        object["apiVersion"] = format!("config.k8s.io/{version}").into();
        object["metadata"] = json!({"name": "apiserver"});
        let form = Form { media, transform: None, pretty };
        let mut reply = Reply::encoded(200, encode::value(&object, form));
        let name = media.name();
        reply.content_type =
            Cow::Owned(format!("{name};g=config.k8s.io;v={version};as={}", self.kind()));
        if version == "v1alpha1" {
            let page = self.kind().to_lowercase();
            let text = format!(
                "This version of the {page} endpoint is deprecated. Please use a newer version."
            );
            reply = reply.warning(&[text]);
        }
        Ok(reply)
    }

    /// The first form of `accept` that there is.
    fn shape(self, accept: &str) -> Option<Shape> {
        if accept.trim().is_empty() {
            return Some(Shape::Text);
        }
        accept.split(',').find_map(|clause| {
            let mut parts = clause.split(';').map(str::trim);
            let media = match parts.next()? {
                "*/*" | "text/*" | "text/plain" => return Some(Shape::Text),
                "application/json" | "application/*" => Media::Json,
                "application/yaml" => Media::Yaml,
                _ => return None,
            };
            let given: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
            let of = |key: &str| given.iter().find(|(k, _)| *k == key).map(|(_, value)| *value);
            let version = ["v1alpha1", "v1beta1"].into_iter().find(|v| of("v") == Some(v))?;
            let is_it = of("g") == Some("config.k8s.io") && of("as") == Some(self.kind());
            is_it.then_some(Shape::Object(media, version))
        })
    }
}

/// The flags in their order, with the values of this server.
fn flags(cluster: &Cluster) -> Vec<(&'static str, String)> {
    let settings = cluster.settings();
    let endpoint = settings.endpoint.as_ref();
    let own = |name: &str| match name {
        "advertise-address" | "external-hostname" => endpoint.map(|at| at.address.clone()),
        "secure-port" => endpoint.map(|at| at.port.to_string()),
        "authorization-mode" => Some(match settings.authorization {
            Authorization::Rbac => "[RBAC]".to_owned(),
            Authorization::AlwaysAllow => "[AlwaysAllow]".to_owned(),
        }),
        "service-account-issuer" => {
            settings.token_issuer.as_ref().map(|(issuer, _)| format!("[{issuer}]"))
        }
        _ => None,
    };
    let lines = FLAGS.lines().filter_map(|line| line.split_once('='));
    lines.map(|(name, value)| (name, own(name).unwrap_or_else(|| value.to_owned()))).collect()
}

fn flags_text(flags: &[(&str, String)]) -> String {
    let lines: String = flags.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    format!("\napiserver flagz\n{WARNING}\n{lines}")
}

fn status_text(started: Time, now: Time) -> String {
    let up = now.since(started).as_secs();
    let (hours, minutes, rest) = (up / 3600, up / 60 % 60, up % 60);
    let (started, paths) = (unix_date(started), PATHS.join(" "));
    format!(
        "\napiserver statusz\n{WARNING}\n\nStarted:  {started}\n\
         Up:  {hours} hr {minutes:02} min {rest:02} sec\nGo version:  {GO}\n\
         Binary version:  {BINARY}\nEmulation version:  {EMULATED}\nPaths:  {paths}\n"
    )
}

fn status_object(started: Time, now: Time) -> Value {
    json!({
        "startTime": started.rfc3339(),
        "uptimeSeconds": now.since(started).as_secs(),
        "goVersion": GO,
        "binaryVersion": BINARY,
        "emulationVersion": EMULATED,
        "paths": PATHS.to_vec(),
    })
}

/// A time as `date` prints it: `Mon Nov 23 23:35:50 UTC 2026`.
fn unix_date(time: Time) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = time.rfc3339();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let month = part(5, 7).parse::<usize>().ok().and_then(|m| MONTHS.get(m.wrapping_sub(1)));
    let days = usize::try_from(time.as_micros() / 86_400_000_000).unwrap_or(0);
    let day = part(8, 10).trim_start_matches('0');
    let (weekday, month) = (DAYS[days % 7], month.unwrap_or(&""));
    format!("{weekday} {month} {day:>2} {} UTC {}", part(11, 19), part(0, 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_since_when_the_server_runs_and_what_it_is() {
        let started = Time::parse_rfc3339("2026-11-03T23:35:50Z").unwrap();
        let now = Time::parse_rfc3339("2026-11-04T01:45:39Z").unwrap();
        let text = status_text(started, now);
        let start = "\napiserver statusz\nWarning: ";
        assert!(text.starts_with(start), "{text}");
        let end = "\n\nStarted:  Tue Nov  3 23:35:50 UTC 2026\nUp:  2 hr 09 min 49 sec\nGo version:  go1.26.8\nBinary version:  1.36.3\nEmulation version:  1.36\nPaths:  /flagz /healthz /livez /metrics /readyz /statusz /version\n";
        assert!(text.ends_with(end), "{text}");
    }

    #[test]
    fn a_page_is_text_unless_its_object_is_asked_for_in_full() {
        let check = |accept: &str, expected: Option<Shape>| {
            assert_eq!(Page::Status.shape(accept), expected, "{accept}");
        };
        for accept in ["", "*/*", "text/plain", "text/html, */*"] {
            check(accept, Some(Shape::Text));
        }
        let json = Some(Shape::Object(Media::Json, "v1alpha1"));
        check("application/json;as=Statusz;v=v1alpha1;g=config.k8s.io", json);
        let yaml = Some(Shape::Object(Media::Yaml, "v1beta1"));
        check("application/yaml;v=v1beta1;g=config.k8s.io;as=Statusz", yaml);
        for accept in ["application/json", "text/html", "application/json;as=Flagz;v=v1beta1"] {
            check(accept, None);
        }
    }

    #[test]
    fn every_flag_has_a_name_and_no_path_of_a_machine() {
        let lines: Vec<&str> = FLAGS.lines().collect();
        assert_eq!(lines.len(), 177);
        assert!(lines.iter().all(|line| line.contains('=') && !line.contains("/tmp")));
    }
}
