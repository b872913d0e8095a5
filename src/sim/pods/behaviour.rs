//! What an image does when a node runs it: the script of a scenario, by image name.
//!
//! Plain data and the choice of the entry that counts. What follows from it for a container is
//! said in `container` and `probe`; how long an image takes that nobody scripted, in the profile.

use std::time::Duration;

use super::usual::ContainerStage;

/// How a pull of the image goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull {
    /// It succeeds after this long.
    Takes(Duration),
    /// The registry refuses it (after the profile's pull time).
    Fails,
    /// It never ends: the pod stays at `ContainerCreating`.
    Never,
}

/// When a running container answers its readiness and startup probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// This long after it started running.
    After(Duration),
    /// Never.
    Never,
}

/// A container that ends by itself where it should have kept running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// How long it runs.
    pub after: Duration,
    /// What it ends with; 137 is reported as `OOMKilled`.
    pub exit_code: i32,
    /// How many starts of one container crash before it keeps running; `None` for every one.
    pub times: Option<u32>,
}

/// Until when a running container answers its liveness probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// This long after it started running; every restart counts anew.
    Until(Duration),
}

/// The end of a container that is meant to end (a Job's, an init container's).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// How long it runs.
    pub after: Duration,
    /// What it ends with.
    pub code: i32,
}

/// What a container does when it is told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It ends after this long, or is killed when its grace is over.
    Takes(Duration),
    /// It ignores the signal and is killed when its grace is over.
    Ignored,
    /// It outlives even the kill: the pod stays Terminating (R-CTL-37).
    Hangs,
}

/// How a lifecycle hook goes, where the container has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// It ends well after this long.
    Takes(Duration),
    /// It fails after this long.
    Fails(Duration),
    /// It never ends.
    Never,
}

/// What an image does. What is `None` follows the profile of the world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// Its pull.
    pub pull: Option<Pull>,
    /// From image present to container running.
    pub start: Option<Duration>,
    /// Its answers to readiness and startup probes. Where the container has no readiness probe
    /// this stands in for one.
    pub ready: Option<Ready>,
    /// Whether it crashes.
    pub crash: Option<Crash>,
    /// Its answers to liveness probes; they succeed for ever where it is `None`.
    pub live: Option<Live>,
    /// Whether it ends on its own account.
    pub exit: Option<Exit>,
    /// How its postStart hook goes, if the container has one.
    pub post_start: Option<Hook>,
    /// How its preStop hook goes, if the container has one.
    pub pre_stop: Option<Hook>,
    /// What it does on a stop signal.
    pub stop: Option<Stop>,
}

/// The scripted images of a world: patterns and what they stand for.
///
/// A pattern is an image name as pods write it, in which `*` stands for any text. One without a
/// tag or digest stands for all tags and digests of that image. The most specific pattern counts,
/// and it counts whole: nothing is taken over from a wider one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Images {
    entries: Vec<(String, Behaviour)>,
    stages: Vec<ContainerStage>,
}

impl Images {
    /// No image is scripted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on `pattern` stands for `behaviour`; an earlier entry of that very pattern goes.
    pub fn set(&mut self, pattern: &str, behaviour: Behaviour) {
        self.entries.retain(|(other, _)| other != pattern);
        self.entries.push((pattern.to_owned(), behaviour));
    }

    /// Containers whose image has no script do what these stages say.
    #[must_use]
    pub fn with_stages(mut self, stages: Vec<ContainerStage>) -> Self {
        self.stages.extend(stages);
        self
    }

    pub(super) fn stages(&self) -> &[ContainerStage] {
        &self.stages
    }

    /// The script of `image`, if it has one: an exact name beats a pattern, then the longer
    /// literal text before the first `*` wins, then the longer literal text, then what was set
    /// later.
    #[must_use]
    pub fn find(&self, image: &str) -> Option<&Behaviour> {
        let hits = self.entries.iter().filter(|(pattern, _)| matches(pattern, image));
        hits.max_by_key(|(pattern, _)| specificity(pattern, image)).map(|(_, found)| found)
    }
}

fn specificity(pattern: &str, image: &str) -> (bool, usize, usize) {
    let prefix = pattern.find('*').unwrap_or(pattern.len());
    (pattern == image, prefix, pattern.len() - pattern.matches('*').count())
}

/// Whether `pattern` stands for `image`.
pub(super) fn matches(pattern: &str, image: &str) -> bool {
    glob(pattern, image) || (!has_tag(pattern) && glob(pattern, untagged(image)))
}

/// Whether an image name has a tag or digest: a colon after the last slash (one before it is a
/// registry's port), or an `@`.
fn has_tag(image: &str) -> bool {
    untagged(image) != image
}

/// An image name without tag and digest.
pub(super) fn untagged(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    let path = image.rfind('/').map_or(0, |slash| slash + 1);
    image[path..].find(':').map_or(image, |colon| &image[..path + colon])
}

/// Whether `pattern`, in which `*` stands for any text, fits all of `text`.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(head) else { return false };
    let Some((middle, tail)) = rest.rsplit_once('*') else { return left.ends_with(rest) };
    for piece in middle.split('*') {
        let Some(at) = left.find(piece) else { return false };
        left = &left[at + piece.len()..];
    }
    left.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scripts every pattern with its index as start time; gives the pattern that `image` gets.
    fn check(patterns: &[&str], image: &str, want: Option<&str>) {
        let mut images = Images::new();
        for (n, pattern) in patterns.iter().enumerate() {
            let start = Some(Duration::from_secs(n as u64));
            images.set(pattern, Behaviour { start, ..Behaviour::default() });
        }
        let got = images.find(image).and_then(|b| b.start).map(|s| patterns[s.as_secs() as usize]);
        assert_eq!(got, want, "{image} in {patterns:?}");
    }

    #[test]
    fn the_most_specific_pattern_counts() {
        check(&["shop/*", "shop/cart:bad"], "shop/cart:bad", Some("shop/cart:bad"));
        check(&["shop/cart:bad", "shop/*"], "shop/cart:bad", Some("shop/cart:bad"));
        check(&["shop/*", "shop/cart:bad"], "shop/cart:good", Some("shop/*"));
        check(&["shop/cart:*", "shop/cart:bad*"], "shop/cart:bad1", Some("shop/cart:bad*"));
        check(&["*", "shop/*"], "shop/cart", Some("shop/*"));
        check(&["*:bad", "*"], "shop/cart:bad", Some("*:bad"));
        check(&["shop/*"], "bank/teller:1", None);
    }

    #[test]
    fn a_pattern_without_a_tag_stands_for_all_tags() {
        check(&["shop/cart"], "shop/cart:good", Some("shop/cart"));
        check(&["shop/cart"], "shop/cart@sha256:00", Some("shop/cart"));
        check(&["shop/cart"], "shop/cart", Some("shop/cart"));
        check(&["shop/cart"], "shop/carts:good", None);
        check(&["localhost:5000/cart"], "localhost:5000/cart:1", Some("localhost:5000/cart"));
        check(&["shop/cart:bad"], "shop/cart", None);
    }

    #[test]
    fn a_star_stands_for_any_text_anywhere() {
        check(&["*/cart:*-rc*"], "shop/cart:2-rc1", Some("*/cart:*-rc*"));
        check(&["a*b*c"], "abc", Some("a*b*c"));
        check(&["a*bb"], "ab", None);
        check(&["a**b"], "ab", Some("a**b"));
    }

    #[test]
    fn what_is_set_later_replaces_the_same_pattern() {
        let mut images = Images::new();
        images.set("shop/*", Behaviour::default());
        let never = Behaviour { ready: Some(Ready::Never), ..Behaviour::default() };
        images.set("shop/*", never.clone());
        assert_eq!(images.find("shop/cart:1"), Some(&never));
        assert_eq!(images.entries.len(), 1);
    }
}
