//! Keys that sign the tokens of service accounts as a kube-apiserver's do: RSA (`RS256`) or
//! P-256 (`ES256`), from a file in PEM or made when one is first needed.
//!
//! What a token says is `sim::rest`'s. A key takes a tenth of a second to make, which a server
//! that starts in a few milliseconds does not have: so nobody waits for it before a token is asked
//! for.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

use crate::object::{Value, json};
use crate::sim::rest::TokenKey;

/// A private key with what is told of it.
pub struct AccountKey {
    pair: Pair,
    id: String,
    public: Value,
}

enum Pair {
    Rsa(RsaKeyPair),
    Curve(EcdsaKeyPair),
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl AccountKey {
    /// A key from a text in PEM: PKCS #8, PKCS #1 for RSA, SEC 1 for P-256. `None` for another.
    #[must_use]
    pub fn from_pem(pem: &str) -> Option<Self> {
        let signing = &ECDSA_P256_SHA256_FIXED_SIGNING;
        match PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()? {
            PrivateKeyDer::Pkcs1(der) => {
                Self::of_rsa(RsaKeyPair::from_der(der.secret_pkcs1_der()).ok()?)
            }
            PrivateKeyDer::Sec1(der) => {
                let der = der.secret_sec1_der();
                Self::of_curve(EcdsaKeyPair::from_private_key_der(signing, der).ok()?)
            }
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                match RsaKeyPair::from_pkcs8(der) {
                    Ok(pair) => Self::of_rsa(pair),
                    Err(_) => Self::of_curve(EcdsaKeyPair::from_pkcs8(signing, der).ok()?),
                }
            }
            _ => None,
        }
    }

    fn of_rsa(pair: RsaKeyPair) -> Option<Self> {
        let public = pair.public_key();
        let id = key_id(public.as_der().ok()?.as_ref());
        let (modulus, exponent) = rsa_numbers(public.as_ref())?;
        let public = json!({ "use": "sig", "kty": "RSA", "kid": id, "alg": "RS256",
            "n": URL_SAFE_NO_PAD.encode(modulus), "e": URL_SAFE_NO_PAD.encode(exponent) });
        Some(Self { pair: Pair::Rsa(pair), id, public })
    }

    fn of_curve(pair: EcdsaKeyPair) -> Option<Self> {
        let public = pair.public_key();
        let id = key_id(public.as_der().ok()?.as_ref());
        // An uncompressed point: 4, and both coordinates.
        let point = public.as_ref().get(1..65)?;
        let (x, y) = point.split_at(32);
        let public = json!({ "use": "sig", "kty": "EC", "kid": id, "crv": "P-256", "alg": "ES256",
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) });
        Some(Self { pair: Pair::Curve(pair), id, public })
    }
}

/// The name of a key, which follows from its public half.
fn key_id(public: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, public))
}

/// Modulus and exponent of an RSA public key in DER, without leading zeros.
fn rsa_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = element(der, 0x30)?;
    let (modulus, rest) = element(sequence, 0x02)?;
    let (exponent, _) = element(rest, 0x02)?;
    let bare = |number: &'_ [u8]| number.iter().take_while(|byte| **byte == 0).count();
    Some((&modulus[bare(modulus)..], &exponent[bare(exponent)..]))
}

/// The content of an element of DER, and what comes after it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = if *length < 0x80 {
        (usize::from(*length), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(*length & 0x7f))?;
        (bytes.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte)), rest)
    };
    (*found == tag).then(|| rest.split_at_checked(length))?
}

impl TokenKey for AccountKey {
    fn algorithm(&self) -> &str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::Curve(_) => "ES256",
        }
    }

    fn key_id(&self) -> &str {
        &self.id
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        // A signature that could not be made is one that nobody takes.
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let signed = pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature);
                signed.map(|()| signature).unwrap_or_default()
            }
            Pair::Curve(pair) => {
                pair.sign(&random, message).map(|s| s.as_ref().to_vec()).unwrap_or_default()
            }
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.pair {
            Pair::Rsa(pair) => {
                let public = pair.public_key().as_ref();
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
                    .verify(message, signature)
            }
            Pair::Curve(pair) => {
                let public = pair.public_key().as_ref();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(message, signature)
            }
        }
        .is_ok()
    }

    fn public(&self) -> Option<Value> {
        Some(self.public.clone())
    }
}

/// An RSA key that is read from a file, or made and kept there, when it is first needed.
#[derive(Debug)]
pub struct LaterKey {
    file: Option<PathBuf>,
    key: OnceLock<Option<AccountKey>>,
}

impl LaterKey {
    /// A key in a file, or one that lives as long as the process.
    #[must_use]
    pub fn new(file: Option<PathBuf>) -> Self {
        Self { file, key: OnceLock::new() }
    }

    fn key(&self) -> Option<&AccountKey> {
        let read = || fs::read_to_string(self.file.as_ref()?).ok();
        let key = || read().and_then(|pem| AccountKey::from_pem(&pem)).or_else(|| self.made());
        self.key.get_or_init(key).as_ref()
    }

    fn made(&self) -> Option<AccountKey> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).ok()?;
        let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
        let text = STANDARD.encode(der.as_ref());
        if let Some(file) = &self.file {
            let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
            for line in text.as_bytes().chunks(64) {
                pem.push_str(&String::from_utf8_lossy(line));
                pem.push('\n');
            }
            pem.push_str("-----END PRIVATE KEY-----\n");
            // Without the file, tokens last as long as the process.
            let _ = super::tls::write_secret(file, &pem);
        }
        AccountKey::of_rsa(pair)
    }
}

impl TokenKey for LaterKey {
    fn algorithm(&self) -> &str {
        self.key().map_or("RS256", AccountKey::algorithm)
    }

    fn key_id(&self) -> &str {
        self.key().map_or("", AccountKey::key_id)
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.key().map(|key| key.sign(message)).unwrap_or_default()
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key().is_some_and(|key| key.verify(message, signature))
    }

    fn public(&self) -> Option<Value> {
        self.key()?.public()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_key_signs_what_it_verifies_and_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let key = LaterKey::new(Some(file.clone()));
        let signature = key.sign(b"message");
        assert!(key.verify(b"message", &signature));
        assert!(!key.verify(b"massage", &signature));
        assert_eq!(key.algorithm(), "RS256");
        let public = key.public().unwrap();
        assert_eq!(public["e"], "AQAB");
        assert_eq!(public["n"].as_str().unwrap().len(), 342);
        let again = LaterKey::new(Some(file));
        assert_eq!(again.key_id(), key.key_id());
        assert!(again.verify(b"message", &signature));
    }
}
