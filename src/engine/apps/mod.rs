//! Where Apps come from and where their state is kept. One file a kind of origin.
//!
//! Now: *given*, by a scenario or a flag, with the state in a ConfigMap of the App. Flux and Argo
//! CD objects come to stand beside it; the rest of the engine sees only `model::App`.

pub mod given;
