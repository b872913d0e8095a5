//! The stream of one watch: events go in at the server's side and come out as the connection can
//! take them. What a reader leaves lying is bounded; one that does not read is cut off.
//!
//! Not here: who hears of what (`sim::store`), how an event is written (`encode`).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::base::Time;
use crate::base::limits::{
    WATCH_CHUNK_BYTES, WATCH_LAG, WATCH_QUEUE_BYTES, WATCH_QUEUE_EVENTS, WATCH_QUEUE_SOFT,
};
use bytes::{Bytes, BytesMut};

/// What lies between the server and one reader.
#[derive(Debug, Default)]
pub(super) struct Feed {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    events: VecDeque<Bytes>,
    /// Their bytes.
    waiting_bytes: usize,
    /// When the reader last had everything.
    caught_up_at: Time,
    is_over: bool,
    waker: Option<Waker>,
}

impl Feed {
    fn locked<R>(&self, work: impl FnOnce(&mut Inner) -> R) -> R {
        // Nothing in here panics half way, so what a panic elsewhere left is whole.
        work(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds an event. False where the reader has not kept up and is to be cut off: it has left
    /// more lying than any burst brings, or much of it for long.
    pub(super) fn push(&self, now: Time, event: Bytes) -> bool {
        let (kept, waker) = self.locked(|inner| {
            if inner.events.is_empty() {
                inner.caught_up_at = now;
            }
            inner.waiting_bytes += event.len();
            inner.events.push_back(event);
            let waiting = inner.events.len();
            let lags = waiting > WATCH_QUEUE_SOFT && now.since(inner.caught_up_at) > WATCH_LAG;
            // One event alone always fits.
            let fits = waiting <= 1
                || (waiting <= WATCH_QUEUE_EVENTS && inner.waiting_bytes <= WATCH_QUEUE_BYTES);
            (fits && !lags, inner.waker.take())
        });
        if let Some(waker) = waker {
            waker.wake();
        }
        kept
    }

    /// No more events come: the reader gets what there is, then the end.
    pub(super) fn end(&self) {
        let waker = self.locked(|inner| {
            inner.is_over = true;
            inner.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The reader is cut off: what it left lying is dropped.
    pub(super) fn cut(&self) {
        self.locked(|inner| {
            inner.events = VecDeque::new();
            inner.waiting_bytes = 0;
        });
        self.end();
    }

    /// Takes some of what there is; `Ready(None)` at the end.
    fn poll(&self, cx: &Context) -> Poll<Option<Bytes>> {
        self.locked(|inner| match inner.events.pop_front() {
            Some(first) => {
                let chunk = chunk(first, &mut inner.events);
                inner.waiting_bytes -= chunk.len();
                Poll::Ready(Some(chunk))
            }
            None if inner.is_over => Poll::Ready(None),
            None => {
                inner.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        })
    }
}

/// One event as it is, several as one piece.
fn chunk(first: Bytes, rest: &mut VecDeque<Bytes>) -> Bytes {
    if rest.is_empty() || first.len() >= WATCH_CHUNK_BYTES {
        return first;
    }
    let mut chunk = BytesMut::from(first);
    while let Some(next) = rest.pop_front_if(|next| chunk.len() + next.len() <= WATCH_CHUNK_BYTES) {
        chunk.extend_from_slice(&next);
    }
    chunk.freeze()
}

/// The body of a watch's answer: what it begins with, written as it is read, then the feed.
pub(super) struct Reader {
    initial: Option<Box<dyn Iterator<Item = Bytes> + Send>>,
    feed: Arc<Feed>,
    on_drop: Option<Box<dyn FnOnce() + Send>>,
}

impl Reader {
    /// `on_drop` is called when the reader is gone.
    pub(super) fn new(
        initial: impl Iterator<Item = Bytes> + Send + 'static,
        feed: Arc<Feed>,
        on_drop: impl FnOnce() + Send + 'static,
    ) -> Self {
        Self { initial: Some(Box::new(initial)), feed, on_drop: Some(Box::new(on_drop)) }
    }

    /// A stream of nothing.
    pub(super) fn nothing() -> Self {
        let feed = Feed::default();
        feed.end();
        Self { initial: None, feed: Arc::new(feed), on_drop: None }
    }

    /// The next piece of the body.
    pub(super) fn poll(&mut self, cx: &Context) -> Poll<Option<Bytes>> {
        if let Some(initial) = &mut self.initial {
            let mut piece = BytesMut::new();
            for event in initial.by_ref() {
                piece.extend_from_slice(&event);
                if piece.len() >= WATCH_CHUNK_BYTES {
                    return Poll::Ready(Some(piece.freeze()));
                }
            }
            self.initial = None;
            if !piece.is_empty() {
                return Poll::Ready(Some(piece.freeze()));
            }
        }
        self.feed.poll(cx)
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(on_drop) = self.on_drop.take() {
            on_drop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const NOW: Time = Time::VIRTUAL_START;

    #[test]
    fn a_reader_that_takes_nothing_is_cut_off_after_a_while() {
        let feed = Feed::default();
        let event = Bytes::from_static(b"x");
        for _ in 0..=WATCH_QUEUE_SOFT {
            assert!(feed.push(NOW, event.clone()));
        }
        assert!(feed.push(NOW + WATCH_LAG, event.clone()));
        assert!(!feed.push(NOW + WATCH_LAG + Duration::from_millis(1), event));
    }

    #[test]
    fn a_burst_is_kept_up_to_a_bound() {
        let feed = Feed::default();
        let event = Bytes::from_static(b"x");
        for _ in 0..WATCH_QUEUE_EVENTS {
            assert!(feed.push(NOW, event.clone()));
        }
        assert!(!feed.push(NOW, event));
    }

    #[test]
    fn large_events_are_kept_up_to_a_bound_of_bytes() {
        let feed = Feed::default();
        let event = Bytes::from(vec![b'x'; WATCH_QUEUE_BYTES / 4]);
        for _ in 0..4 {
            assert!(feed.push(NOW, event.clone()));
        }
        assert!(!feed.push(NOW, event));
    }

    #[test]
    fn what_lies_ready_comes_in_pieces_and_then_the_end() {
        let feed = Feed::default();
        let large = Bytes::from(vec![b'l'; WATCH_CHUNK_BYTES - 1]);
        for event in [Bytes::from_static(b"a"), Bytes::from_static(b"b"), large] {
            feed.push(NOW, event);
        }
        feed.end();
        let cx = Context::from_waker(Waker::noop());
        let mut lengths = Vec::new();
        while let Poll::Ready(Some(chunk)) = feed.poll(&cx) {
            lengths.push(chunk.len());
        }
        assert_eq!(lengths, [2, WATCH_CHUNK_BYTES - 1]);
        assert!(matches!(feed.poll(&cx), Poll::Ready(None)));
    }
}
