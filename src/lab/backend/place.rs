//! The places that `--cluster` can name.

use std::fmt;
use std::str::FromStr;

use super::Gives;
use crate::base::nearest;

/// Where a run takes place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Simulated, in this thread.
    #[default]
    Memory,
    /// Our own API server over HTTPS, with simulated controllers and nodes.
    Apiserver,
    /// What a kubeconfig names; its current context where none is given.
    Kubeconfig {
        /// The context.
        context: Option<String>,
    },
    /// A kind cluster of this name, made where it is not there.
    Kind {
        /// The cluster's name.
        name: String,
    },
    /// A k3d cluster of this name, made where it is not there.
    K3d {
        /// The cluster's name.
        name: String,
    },
    /// etcd and kube-apiserver of `KUBEBUILDER_ASSETS`, with our own controllers and nodes.
    Envtest,
}

/// Who runs pods on a cluster that has nodes of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pods {
    /// The cluster's own nodes: real images.
    Real,
    /// Nodes that the lab plays: images do what the scenario says, and need not exist.
    Played,
}

/// The name of a kind or k3d cluster that nobody named.
const NAME: &str = "towtank";

/// The words for places, for messages.
const WORDS: [&str; 6] = ["memory", "apiserver", "kubeconfig", "kind", "k3d", "envtest"];

impl Place {
    fn gives_by_itself(&self) -> Gives {
        let virtual_time = *self == Place::Memory;
        // On a cluster that somebody named its own nodes run what their images hold.
        let scripted_images = !matches!(self, Place::Kubeconfig { .. });
        let scripted_nodes = matches!(self, Place::Memory | Place::Apiserver);
        Gives { scripted_images, scripted_nodes, virtual_time }
    }

    /// What there is for scenarios, where pods are played or not as somebody wants it.
    #[must_use]
    pub fn gives(&self, pods: Option<Pods>) -> Gives {
        let gives = self.gives_by_itself();
        match pods {
            None => gives,
            Some(pods) => Gives { scripted_images: pods == Pods::Played, ..gives },
        }
    }

    /// Whether several runs can be there at once: they share nothing.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        !matches!(self, Place::Memory | Place::Apiserver)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Memory => f.write_str("memory"),
            Place::Apiserver => f.write_str("apiserver"),
            Place::Kubeconfig { context: None } => f.write_str("kubeconfig"),
            Place::Kubeconfig { context: Some(context) } => write!(f, "kubeconfig:{context}"),
            Place::Kind { name } => write!(f, "kind:{name}"),
            Place::K3d { name } => write!(f, "k3d:{name}"),
            Place::Envtest => f.write_str("envtest"),
        }
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, rest) = text.split_once(':').map_or((text, None), |(w, r)| (w, Some(r)));
        if rest == Some("") {
            return Err(format!("{text:?} names nothing after the colon"));
        }
        let named = || rest.unwrap_or(NAME).to_owned();
        match (word, rest) {
            ("memory", None) => Ok(Place::Memory),
            ("apiserver", None) => Ok(Place::Apiserver),
            ("envtest", None) => Ok(Place::Envtest),
            ("kubeconfig", rest) => Ok(Place::Kubeconfig { context: rest.map(str::to_owned) }),
            ("kind", _) => Ok(Place::Kind { name: named() }),
            ("k3d", _) => Ok(Place::K3d { name: named() }),
            ("memory" | "apiserver" | "envtest", Some(_)) => {
                Err(format!("{word} takes no name, found {text:?}"))
            }
            _ => {
                let near = nearest(word, WORDS);
                let near = near.map_or_else(String::new, |near| format!(" (did you mean {near}?)"));
                Err(format!("{text:?} is not one of {}{near}", WORDS.join(", ")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_and_printed_alike() {
        for text in ["memory", "apiserver", "kubeconfig", "kubeconfig:a:b", "kind:x", "k3d:y"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        assert_eq!("kind".parse::<Place>().unwrap().to_string(), "kind:towtank");
        for (text, why) in
            [("kindd", "did you mean kind?"), ("memory:x", "no name"), ("kind:", "nothing")]
        {
            assert!(text.parse::<Place>().unwrap_err().contains(why), "{text}");
        }
    }
}
