//! Records of runs as text: for a terminal, for a browser, for a program, for a CI system.
//!
//! Pure functions from [`RunRecord`](crate::record::RunRecord) to `String`: nothing is computed
//! here that is not about showing it, nothing is printed, and no clock, terminal or file is asked.
//! Whoever calls says how wide the page is and whether it takes colours.

mod bars;
mod digest;
mod duration;
mod failure;
mod html;
mod json;
mod junit;
mod page;
mod scenario;
mod terminal;

pub use failure::reproduction;
pub use html::html;
pub use json::json;
pub use junit::junit;
pub use page::Look;
pub use terminal::{ended, terminal};
