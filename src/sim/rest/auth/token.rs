//! JSON Web Tokens: making, reading and the documents by which others check them.
//!
//! The key is a value that the shell hands in; here is only one of a shared secret, which a
//! virtual run draws from its seed. Not here: what a token says (`accounts`).

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::base::Rng;
use crate::object::{Value, json};

/// A key that signs tokens and checks them.
pub trait TokenKey: fmt::Debug + Send + Sync {
    /// `HS256`, `ES256` or `RS256`.
    fn algorithm(&self) -> &str;
    /// `kid` of the header; empty for none.
    fn key_id(&self) -> &str;
    /// The signature of a message, in the form that a token carries.
    fn sign(&self, message: &[u8]) -> Vec<u8>;
    /// Whether a signature is ours.
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool;
    /// The public half as a JSON Web Key; `None` for a shared secret.
    fn public(&self) -> Option<Value> {
        None
    }
}

/// A shared secret, `HS256`.
pub struct SharedKey(hmac::Key);

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedKey")
    }
}

impl SharedKey {
    /// A key of given bytes.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The key that follows from a seed.
    #[must_use]
    pub fn from_seed(seed: &Rng) -> Self {
        let mut rng = seed.fork("tokens");
        let mut secret = Vec::with_capacity(32);
        for _ in 0..4 {
            secret.extend(rng.next_u64().to_le_bytes());
        }
        Self::new(&secret)
    }
}

impl TokenKey for SharedKey {
    fn algorithm(&self) -> &'static str {
        "HS256"
    }
    fn key_id(&self) -> &'static str {
        ""
    }
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        hmac::sign(&self.0, message).as_ref().to_vec()
    }
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        hmac::verify(&self.0, message, signature).is_ok()
    }
}

/// A token that says `claims`.
pub(super) fn write(key: &dyn TokenKey, claims: &Value) -> String {
    let mut header = json!({ "alg": key.algorithm() });
    if !key.key_id().is_empty() {
        header["kid"] = key.key_id().into();
    }
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut token = format!("{}.{}", encode(&header), encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(token.as_bytes()));
    token.push('.');
    token + &signature
}

/// What a token says, if it is signed with the key.
pub(super) fn read(key: &dyn TokenKey, token: &str) -> Option<Value> {
    let (message, signature) = token.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    // The algorithm is ours to choose, not the bearer's.
    if header["alg"] != *key.algorithm() || !key.verify(message.as_bytes(), &signature) {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

/// What `/.well-known/openid-configuration` of a server at `url` says.
pub(super) fn configuration(issuer: &str, url: &str, key: &dyn TokenKey) -> Value {
    json!({
        "issuer": issuer,
        "jwks_uri": format!("{}/openid/v1/jwks", url.trim_end_matches('/')),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [key.algorithm()],
    })
}

/// What `/openid/v1/jwks` says.
pub(super) fn keys(key: &dyn TokenKey) -> Value {
    json!({ "keys": key.public().into_iter().collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_what_was_put_in_and_a_forged_one_nothing() {
        let key = SharedKey::from_seed(&Rng::new(1));
        let claims = json!({ "sub": "a", "exp": 7 });
        let token = write(&key, &claims);
        assert_eq!(read(&key, &token), Some(claims));
        assert_eq!(read(&SharedKey::from_seed(&Rng::new(2)), &token), None);
        let none = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), "e30");
        for forged in
            [none.as_str(), "", "a", "a.b", "a.b.c", &token[1..], &token[..token.len() - 2]]
        {
            assert_eq!(read(&key, forged), None, "{forged}");
        }
    }
}
