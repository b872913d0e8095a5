//! An answer's head: status code, content type, the headers that every answer has, warnings, and
//! compression (R-HTTP-24, R-HTTP-25, R-HTTP-28).

use std::borrow::Cow;
use std::io::Write as _;

use bytes::Bytes;
use hyper::Response;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::body::Body;
use super::encode::{self, Encoded};
use super::negotiate::Form;
use crate::api::Status;
use crate::base::limits::GZIP_FROM_BYTES;

/// An answer before it is given its usual headers.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) code: u16,
    /// Empty for an answer without a body.
    pub(super) content_type: Cow<'static, str>,
    pub(super) body: Body,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    pub(super) fn new(code: u16, content_type: &'static str, body: Bytes) -> Self {
        Self {
            code,
            content_type: Cow::Borrowed(content_type),
            body: Body::whole(body),
            headers: Vec::new(),
        }
    }

    pub(super) fn encoded(code: u16, encoded: Encoded) -> Self {
        Self::new(code, encoded.media.name(), encoded.bytes)
    }

    /// A text of the kind that Go's `http.Error` gives.
    pub(super) fn text(code: u16, text: impl Into<Bytes>) -> Self {
        Self::new(code, "text/plain; charset=utf-8", text.into())
            .with(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
    }

    /// A failure, or the success of a delete; that there is nothing to tell has no body.
    pub(super) fn status(status: &Status, form: Form) -> Self {
        if status.code == 404 && status.message == "404 page not found" {
            return Self::text(404, "404 page not found\n");
        }
        if status.code == 204 {
            return Self::new(204, "", Bytes::new());
        }
        let mut reply = Self::encoded(status.code, encode::status(status, form));
        if let Some(seconds) = status.details.as_ref().map(|d| d.retry_after_seconds)
            && seconds > 0
        {
            reply = reply.with(header::RETRY_AFTER, &seconds.to_string());
        }
        // What authorization and impersonation refuse is written by a filter in front of the handlers.
        let of_filter = status.code == 403 && status.message.contains(" cannot ")
            || status.code == 400 && status.message.ends_with(" without impersonating a user name");
        if of_filter {
            reply = reply.with(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        }
        reply
    }

    /// The same with a header; one that cannot be sent is left out.
    pub(super) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// The same with a header for each warning, none told twice; where all of them together are
    /// long, each is cut.
    pub(super) fn warning(mut self, warnings: &[String]) -> Self {
        const TOGETHER: usize = 4_096;
        const EACH: usize = 256;
        let long = warnings.iter().map(|text| text.chars().count()).sum::<usize>() > TOGETHER;
        let mut told: Vec<&String> = Vec::new();
        for text in warnings {
            if told.contains(&text) {
                continue;
            }
            // Cut or not, no more than the bound goes out.
            if long && (told.len() + 1) * EACH > TOGETHER {
                break;
            }
            told.push(text);
            let mut escaped = String::with_capacity(text.len() + 8);
            for c in text.chars().take(if long { EACH } else { usize::MAX }) {
                match c {
                    '"' | '\\' => escaped.extend(['\\', c]),
                    c if c.is_control() => escaped.push(' '),
                    c => escaped.push(c),
                }
            }
            let value = format!("299 - \"{escaped}\"");
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                self.headers.push((header::WARNING, value));
            }
        }
        self
    }

    /// The same with a compressed body, where it is large and the client takes it.
    pub(super) fn gzipped(mut self, asked: &HeaderMap) -> Self {
        let takes = asked.get_all(header::ACCEPT_ENCODING).iter().any(|value| {
            let value = value.to_str().unwrap_or_default();
            // A quality is not looked at: with one it is another word.
            value.split(',').any(|part| part.trim() == "gzip")
        });
        let large = self.body.bytes().filter(|bytes| takes && bytes.len() > GZIP_FROM_BYTES);
        let packed = large.and_then(|bytes| {
            let mut encoder = flate2::write::GzEncoder::new(
                Vec::with_capacity(bytes.len() / 4),
                flate2::Compression::fast(),
            );
            encoder.write_all(bytes).and_then(|()| encoder.finish()).ok()
        });
        if let Some(packed) = packed {
            self.body = Body::whole(packed.into());
            self = self.with(header::CONTENT_ENCODING, "gzip");
            self = self.with(header::VARY, "Accept-Encoding");
        }
        self
    }

    /// The answer as HTTP has it. `flow` are the uids of the flow schema and the priority level
    /// that the request came under; a request that nobody may send comes under none.
    pub(super) fn into_http(self, audit_id: &str, flow: Option<[&str; 2]>) -> Response<Body> {
        let mut response = Response::new(self.body);
        *response.status_mut() =
            hyper::StatusCode::from_u16(self.code).unwrap_or(hyper::StatusCode::OK);
        let headers = response.headers_mut();
        let mut add = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        add(HeaderName::from_static("audit-id"), audit_id);
        add(header::CACHE_CONTROL, "no-cache, private");
        if !self.content_type.is_empty() {
            add(header::CONTENT_TYPE, &self.content_type);
        }
        if let Some([schema, level]) = flow {
            add(HeaderName::from_static("x-kubernetes-pf-flowschema-uid"), schema);
            add(HeaderName::from_static("x-kubernetes-pf-prioritylevel-uid"), level);
        }
        for (name, value) in self.headers {
            // Documents say themselves how they may be kept; warnings may be several.
            if name == header::WARNING || name == header::VARY {
                headers.append(name, value);
            } else {
                headers.insert(name, value);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_escaped_and_told_once() {
        let warnings = ["a \"b\" \\".to_owned(), "a \"b\" \\".to_owned(), "x\ny".to_owned()];
        let reply = Reply::text(200, "").warning(&warnings);
        let told: Vec<&[u8]> = reply
            .headers
            .iter()
            .filter(|(name, _)| *name == header::WARNING)
            .map(|(_, value)| value.as_bytes())
            .collect();
        assert_eq!(told, [&b"299 - \"a \\\"b\\\" \\\\\""[..], b"299 - \"x y\""]);
    }

    #[test]
    fn a_large_answer_is_packed_for_who_takes_it() {
        let reply = |accept: &'static str| {
            let mut asked = HeaderMap::new();
            asked.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accept));
            let large = Bytes::from(vec![b'a'; GZIP_FROM_BYTES + 1]);
            Reply::text(200, large).gzipped(&asked).body.bytes().unwrap().len()
        };
        assert!(reply("deflate, gzip") < GZIP_FROM_BYTES / 50);
        assert_eq!(reply("gzip;q=0"), GZIP_FROM_BYTES + 1);
        assert_eq!(reply("identity"), GZIP_FROM_BYTES + 1);
    }
}
