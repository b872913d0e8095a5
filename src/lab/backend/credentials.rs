//! Why an API server does not take whom a kubeconfig names, in words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::site::all;
use crate::base::Clock;

/// What went wrong with a question to the server of `config`.
pub(super) fn why(error: &kube::Error, config: &kube::Config) -> String {
    let kube::Error::Api(status) = error else { return all(error) };
    if status.code != 401 {
        return format!("{} ({})", status.message, status.code);
    }
    match over(config) {
        Some(end) => format!("the client certificate of the kubeconfig was over at {end} (401)"),
        None => "the credentials of the kubeconfig are not taken (401)".to_owned(),
    }
}

/// When the client certificate was over, if it is.
fn over(config: &kube::Config) -> Option<String> {
    let user = &config.auth_info;
    let pem = match (&user.client_certificate_data, &user.client_certificate) {
        (Some(data), _) => STANDARD.decode(data.trim()).ok()?,
        (None, Some(file)) => std::fs::read(file).ok()?,
        (None, None) => return None,
    };
    over_at(&pem, Clock::real().now().as_micros() / 1_000_000)
}

/// When a certificate was over, if it was at `now`, in seconds since 1970.
fn over_at(pem: &[u8], now: u64) -> Option<String> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem).ok()?;
    let end = pem.parse_x509().ok()?.validity().not_after;
    (end.timestamp() < i64::try_from(now).ok()?).then(|| end.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_is_over_is_told_with_its_end() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["dev".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2020, 2, 1);
        let pem = params.self_signed(&key).unwrap().pem();
        let in_2020 = 1_577_836_800;
        assert_eq!(over_at(pem.as_bytes(), in_2020), None);
        let told = over_at(pem.as_bytes(), in_2020 * 2).unwrap();
        assert!(told.contains("2020"), "{told}");
        assert_eq!(over_at(b"no certificate", in_2020), None);
    }
}
