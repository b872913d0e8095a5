//! Runs on clusters over the wire: our own API server over HTTPS, a kubeconfig, envtest, kind and
//! k3d, and what is told where one of them cannot be had.

mod double;
mod places;
mod refusals;
mod runs;
