//! The file that clients find a server by: its address, its authority, and an administrator's
//! certificate.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::tls::Pair;

/// Prints a kubeconfig for `server` (`https://127.0.0.1:6443`), whose certificate `authority`
/// (PEM) signed, and for `client`.
#[must_use]
pub fn print(server: &str, authority: &str, client: &Pair) -> String {
    let [authority, certificate, key] =
        [authority, &client.certificate, &client.key].map(|pem| BASE64.encode(pem));
    format!(
        "\
apiVersion: v1
kind: Config
clusters:
- name: towtank
  cluster:
    server: \"{server}\"
    certificate-authority-data: {authority}
users:
- name: admin
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
contexts:
- name: towtank
  context:
    cluster: towtank
    user: admin
current-context: towtank
"
    )
}
