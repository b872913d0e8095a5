//! A cluster that a kubeconfig names: which context, whether it may be used, and how it is reached.

use kube::config::{KubeConfigOptions, Kubeconfig};

use super::Pods;
use super::error::SiteError;
use super::site::{Terms, all};

/// A context that may be used.
pub(super) struct Chosen {
    pub(super) kubeconfig: Kubeconfig,
    pub(super) options: KubeConfigOptions,
    /// Whether kind or k3d made it.
    pub(super) is_made: bool,
}

/// Reads the kubeconfig of the environment and chooses a context: the current one where none is
/// named.
///
/// # Errors
/// There is no such file or context; the context is somebody's real cluster and not in `yes_on`.
pub(super) fn choose(context: Option<&str>, terms: &Terms) -> Result<Chosen, SiteError> {
    let kubeconfig = Kubeconfig::read();
    let kubeconfig = kubeconfig.map_err(|error| SiteError::Kubeconfig { why: all(&error) })?;
    chosen(kubeconfig, context, terms)
}

fn chosen(
    kubeconfig: Kubeconfig,
    context: Option<&str>,
    terms: &Terms,
) -> Result<Chosen, SiteError> {
    let current = kubeconfig.current_context.clone().filter(|name| !name.is_empty());
    let Some(name) = context.map(str::to_owned).or(current) else {
        let why = "it names no current context; say --cluster kubeconfig:CONTEXT".to_owned();
        return Err(SiteError::Kubeconfig { why });
    };
    let Some(found) = kubeconfig.contexts.iter().find(|one| one.name == name) else {
        let known: Vec<&str> = kubeconfig.contexts.iter().map(|one| one.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(SiteError::NoContext { context: name, known });
    };
    let cluster = found.context.as_ref().map(|context| context.cluster.clone());
    let cluster = cluster.unwrap_or_default();
    let of_cluster = kubeconfig.clusters.iter().find(|one| one.name == cluster);
    let server = of_cluster.and_then(|one| one.cluster.as_ref()?.server.clone());
    let Some(server) = server else {
        let why = format!("its context {name:?} is of cluster {cluster:?}, which has no server");
        return Err(SiteError::Kubeconfig { why });
    };
    let is_made = is_made(&name, &cluster);
    let is_for_trying = is_made || is_loopback(&server);
    if !is_for_trying && !terms.yes_on.contains(&name) {
        return Err(SiteError::NotAllowed { context: name, server });
    }
    if !is_for_trying && terms.pods == Some(Pods::Played) {
        return Err(SiteError::NotPlayed { context: name });
    }
    let options = KubeConfigOptions { context: Some(name), ..KubeConfigOptions::default() };
    Ok(Chosen { kubeconfig, options, is_made })
}

/// Whether a cluster is named as kind and k3d name theirs.
fn is_made(context: &str, cluster: &str) -> bool {
    ["kind-", "k3d-"].iter().any(|prefix| context.starts_with(prefix) && context == cluster)
}

/// Whether a URL is of this machine.
fn is_loopback(server: &str) -> bool {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(context: &str, server: &str) -> Kubeconfig {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: \"{context}\"\n\
             contexts: [{{ name: \"{context}\", context: {{ cluster: \"{context}\", user: u }} }}]\n\
             clusters: [{{ name: \"{context}\", cluster: {{ server: \"{server}\" }} }}]\n\
             users: [{{ name: u, user: {{}} }}]\n"
        );
        Kubeconfig::from_yaml(&text).unwrap()
    }

    #[test]
    fn only_clusters_for_trying_are_used_unless_it_is_said() {
        let check = |context: &str, server: &str, yes: &[&str], allowed: bool| {
            let yes_on = yes.iter().map(|text| (*text).to_owned()).collect();
            let terms = Terms { yes_on, ..Terms::default() };
            let chosen = chosen(config(context, server), None, &terms);
            assert_eq!(chosen.is_ok(), allowed, "{context} at {server}");
        };
        check("prod", "https://10.0.0.1:6443", &[], false);
        check("prod", "https://10.0.0.1:6443", &["staging"], false);
        check("prod", "https://10.0.0.1:6443", &["prod"], true);
        check("dev", "https://127.0.0.1:6443", &[], true);
        check("dev", "https://[::1]:6443", &[], true);
        check("dev", "https://localhost", &[], true);
        check("dev", "https://127.0.0.1.example.com", &[], false);
        check("dev", "https://localhost@example.com", &[], false);
        check("kind-x", "https://10.0.0.1:6443", &[], true);
        check("k3d-x", "https://0.0.0.0:6443", &[], true);
    }

    #[test]
    fn a_context_that_is_not_there_is_told_with_those_that_are() {
        let error = chosen(config("dev", "https://127.0.0.1"), Some("prod"), &Terms::default())
            .err()
            .unwrap();
        assert_eq!(error.to_string(), "the kubeconfig has no context \"prod\"; it has dev");
    }
}
