//! Bodies of answers, and the reading of bodies of requests up to their bound (R-HTTP-27).

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};

use super::stream::Reader;
use crate::base::limits::REQUEST_BODY_BYTES;

/// Go's server tells the length of a body that its handler wrote in one piece of at most so many
/// bytes; a longer one it sends in chunks.
const TOLD_UP_TO: usize = 2_048;

/// The body of an answer.
#[derive(Debug)]
pub struct Body(Kind);

#[derive(Debug)]
enum Kind {
    Whole(Bytes),
    Watch(Reader),
}

impl Body {
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(Kind::Whole(bytes))
    }

    pub(super) fn watch(reader: Reader) -> Self {
        Self(Kind::Watch(reader))
    }

    /// The bytes, if they are known.
    pub(super) fn bytes(&self) -> Option<&Bytes> {
        match &self.0 {
            Kind::Whole(bytes) => Some(bytes),
            Kind::Watch(_) => None,
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut self.0 {
            Kind::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Whole(bytes) => Poll::Ready(Some(std::mem::take(bytes))),
            Kind::Watch(reader) => reader.poll(cx),
        };
        next.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes().is_some_and(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        match self.bytes() {
            Some(bytes) if bytes.len() <= TOLD_UP_TO => SizeHint::with_exact(bytes.len() as u64),
            _ => SizeHint::default(),
        }
    }
}

/// The body of a request; as many bytes as are needed to see that it is too large.
///
/// # Errors
/// What the connection says where it ends half way.
pub(super) async fn read<B>(mut body: B) -> Result<Bytes, B::Error>
where
    B: hyper::body::Body + Unpin,
{
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(mut data) = frame?.into_data() else { continue };
        if first.is_empty() {
            first = data.copy_to_bytes(data.remaining());
            continue;
        }
        if rest.is_empty() {
            rest.extend_from_slice(&first);
        }
        rest.extend_from_slice(&data.copy_to_bytes(data.remaining()));
        if rest.len() > REQUEST_BODY_BYTES {
            break;
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}
