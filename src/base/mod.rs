//! The ground everything stands on: clock values, the seeded random stream, the event queue,
//! limits, the latency profile, and the closed list of things that can happen in a run.
//!
//! Nothing here knows Kubernetes, Git or files. Objects are named by plain text ids.

pub mod bug;
pub mod clock;
pub mod digest;
pub mod duration;
pub mod event;
pub mod limits;
pub mod nearest;
pub mod profile;
pub mod queue;
pub mod rng;
pub mod time;

pub use bug::Bug;
pub use clock::Clock;
pub use digest::Digest;
pub use event::{Event, Outcome};
pub use nearest::nearest;
pub use profile::Profile;
pub use queue::Queue;
pub use rng::Rng;
pub use time::Time;
