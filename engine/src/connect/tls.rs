//! Whom a TLS connection trusts.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

/// The certificate authorities that are trusted.
#[derive(Clone, Debug, Default)]
pub enum Roots {
    /// Mozilla's, as compiled into the binary: the same on every machine.
    #[default]
    Mozilla,
    /// The operating system's. Where it has none, nothing is trusted.
    Native,
    /// These alone, DER encoded.
    Given(Vec<CertificateDer<'static>>),
}

pub(super) fn connector(roots: &Roots) -> TlsConnector {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions")
        .with_root_certificates(store(roots))
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

fn store(roots: &Roots) -> RootCertStore {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::Mozilla => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Roots::Native => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Roots::Given(certificates) => {
            store.add_parsable_certificates(certificates.iter().cloned());
        }
    }
    store
}
