//! What became of one intended push.

use serde::{Deserialize, Serialize};

/// How an intended push came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Its own commit became ready.
    Ready,
    /// A newer commit, with this change in it, became ready before its own did.
    Superseded,
    /// The change never became ready.
    Failed,
}

/// A share of a push's time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The phase, as records spell it; `overtaken` until the commit that brought the change live
    /// was pushed.
    pub phase: String,
    /// How long.
    pub us: u64,
}

/// One intended push.
///
/// The latency of a push that was superseded is that of its change: from when it was meant to be
/// pushed until a commit that has it was ready. Leaving such pushes out would make a slow engine
/// look quick, for it is the slow pushes that are overtaken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The repeat, from 0.
    pub repeat: usize,
    /// The push in it, from 0.
    pub push: usize,
    /// The App's number.
    pub app: usize,
    /// When it was meant to be made, since the load began.
    pub intended_us: u64,
    /// How it came out.
    pub end: End,
    /// The push whose commit brought the change live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_by: Option<usize>,
    /// From when it was meant to be made until its change was ready; `None` where it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<u64>,
    /// Where that went; adds up to `latency_us` exactly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Share>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
