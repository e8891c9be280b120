//! TLS towards relays: whom we trust.

use std::sync::Arc;

use parking_lot::Mutex;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

/// How many certificates may be trusted beside the public ones.
const LIMIT: usize = 16;

static EXTRA: Mutex<Vec<CertificateDer<'static>>> = Mutex::new(Vec::new());
static CONFIG: Mutex<Option<Arc<ClientConfig>>> = Mutex::new(None);

/// Trusts one more certificate (DER), in the whole process, beside those of the public web.
pub(crate) fn trust(certificate: &[u8]) -> Result<(), String> {
    let certificate = CertificateDer::from(certificate.to_vec());
    RootCertStore::empty().add(certificate.clone()).map_err(|error| error.to_string())?;
    let mut extra = EXTRA.lock();
    if extra.len() >= LIMIT {
        return Err(format!("there are {LIMIT} already"));
    }
    extra.push(certificate);
    *CONFIG.lock() = None;
    Ok(())
}

/// A client's side of a connection to `host`, a name or an address.
pub(super) fn client(host: &str) -> Result<ClientConnection, rustls::Error> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| rustls::Error::General("the host is no name".to_owned()))?;
    ClientConnection::new(config()?, name)
}

/// Made once, since the public roots are many.
fn config() -> Result<Arc<ClientConfig>, rustls::Error> {
    let extra = EXTRA.lock().clone();
    let mut kept = CONFIG.lock();
    if let Some(config) = &*kept {
        return Ok(config.clone());
    }
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in extra {
        roots.add(certificate)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(kept.insert(Arc::new(config)).clone())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// Of nobody, signed by itself.
    const CERTIFICATE: &str = "MIIBbjCCARWgAwIBAgIUHyf2p8oj8oKNau3ickxk1rD6Nl0wCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBYTAg\
        Fw0yNjExMzAyMjUzNDZaGA8yMTI2MTEwNjIyNTM0NlowDDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqG\
        SM49AwEHA0IABGxgsQ+ebDGnJxwumKnqDk03h9lbeVHdtI/Eac3Dr64c/T7ly4IS6vkGg8MmylpCEojlkAt5\
        qNrsy/3F06J48WOjUzBRMB0GA1UdDgQWBBQZ5QqIF5Av93eE8W8HIZHZ+ArCfDAfBgNVHSMEGDAWgBQZ5QqI\
        F5Av93eE8W8HIZHZ+ArCfDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCID+4qEiznD6CI68M\
        ys4NxY6Dwh2GiH3UsxMiGwE8CXN/AiBpnWYEZ9f5BBZ/xtdHpGyY5g3nhtZBi8eCBzmOt97TlA==";

    #[test]
    fn no_more_certificates_are_trusted_than_the_limit() {
        let certificate = STANDARD.decode(CERTIFICATE).unwrap();
        for _ in 0..LIMIT {
            trust(&certificate).unwrap();
        }
        assert_eq!(trust(&certificate), Err("there are 16 already".to_owned()));
    }
}
