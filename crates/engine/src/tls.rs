//! TLS to a daemon: by our own CA alone, with a certificate of ours, all of it in memory.
//!
//! bollard reads certificates from files and trusts the system's CAs besides, so its transport is given from here.

use std::sync::Arc;

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use common::model::{CertificateFacts, DaemonUrl, Timestamp};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::deadline;

/// Credentials as they are given: three texts of PEM.
#[derive(Clone, Copy)]
pub struct Pem<'a> {
    /// The CA that signed the daemon's certificate; more than one will do.
    pub ca: &'a str,
    /// Our certificate, with those between it and its CA.
    pub certificate: &'a str,
    /// Its key, without a passphrase.
    pub key: &'a str,
}

/// Which of the three texts is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The CA.
    Ca,
    /// Our certificate.
    Certificate,
    /// Our key.
    Key,
}

/// What is wrong with credentials: goes on after the field's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPem {
    /// Where.
    pub part: Part,
    /// What.
    pub reason: String,
}

/// What is needed to speak to a daemon over TLS. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Credentials {
    config: Arc<ClientConfig>,
    /// What the CA says of itself.
    pub ca: CertificateFacts,
    /// What our certificate says of itself.
    pub certificate: CertificateFacts,
}

impl Credentials {
    /// Takes what fits together, whether it has expired or not: a daemon says so itself.
    pub fn parse(pem: Pem<'_>) -> Result<Credentials, Vec<BadPem>> {
        let mut bad = Vec::new();
        let mut take = |part, parsed: Result<Vec<CertificateDer<'static>>, String>| {
            parsed.map_err(|reason| bad.push(BadPem { part, reason })).ok()
        };
        let ca = take(Part::Ca, certificates(pem.ca, "the CA's certificate"));
        let chain = take(Part::Certificate, certificates(pem.certificate, "the client's certificate"));
        let key = key(pem.key).map_err(|reason| bad.push(BadPem { part: Part::Key, reason })).ok();
        let (Some(ca), Some(chain), Some(key)) = (ca, chain, key) else { return Err(bad) };
        let alone = |part, reason: String| vec![BadPem { part, reason }];
        let ca_facts = read(&ca[0], Role::Ca).map_err(|why| alone(Part::Ca, why))?;
        let facts = read(&chain[0], Role::Client).map_err(|why| alone(Part::Certificate, why))?;

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        for one in ca {
            let why = |error| alone(Part::Ca, format!("cannot be used as a CA: {error}"));
            roots.add(one).map_err(why)?;
        }
        CertifiedKey::from_der(chain.clone(), key.clone_key(), &provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                alone(Part::Key, "does not belong to the client's certificate".into())
            }
            other => alone(Part::Key, format!("cannot be used: {other}")),
        })?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map(|builder| builder.with_root_certificates(roots))
            .and_then(|builder| builder.with_client_auth_cert(chain, key))
            .map_err(|error| alone(Part::Certificate, format!("cannot be used: {error}")))?;
        Ok(Credentials { config: Arc::new(config), ca: ca_facts, certificate: facts })
    }

    /// What does not hold at this moment.
    pub fn faults(&self, now: Timestamp) -> Vec<BadPem> {
        let of = |part, facts: &CertificateFacts| {
            let reason = if facts.not_after <= now {
                format!("has expired: it was valid until {}", facts.not_after)
            } else if facts.not_before > now {
                format!("is not valid before {}: is the clock of the machine that made it right?", facts.not_before)
            } else {
                return None;
            };
            Some(BadPem { part, reason })
        };
        [of(Part::Ca, &self.ca), of(Part::Certificate, &self.certificate)].into_iter().flatten().collect()
    }

    /// A client that shows these, and takes nobody whom this CA does not vouch for.
    pub(crate) fn docker(&self, url: &DaemonUrl) -> Result<Docker, bollard::errors::Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(ClientConfig::clone(&self.config))
            .https_only()
            .enable_http1()
            .wrap_connector(tcp);
        // As bollard's own clients: no connection is kept between calls, so none outlives its daemon.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        let client = Arc::new(client);
        let transport = move |request: BollardRequest| {
            let client = client.clone();
            Box::pin(async move { client.request(request).await.map_err(bollard::errors::Error::from) })
        };
        let address = url.to_string().replacen("tcp://", "https://", 1);
        Docker::connect_with_custom_transport(transport, Some(address), deadline::CLIENT_SECONDS, API_DEFAULT_VERSION)
    }
}

fn certificates(text: &str, what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    if text.trim().is_empty() {
        return Err(format!("is needed: {what} as PEM, from -----BEGIN CERTIFICATE----- on"));
    }
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) if text.contains("PRIVATE KEY-----") => Err(format!("is a private key; {what} is needed here")),
        Ok(_) => Err(format!("is not {what} as PEM, from -----BEGIN CERTIFICATE----- on")),
        Err(_) => Err("is not whole: copy all lines, from -----BEGIN to the END of it".into()),
    }
}

fn key(text: &str) -> Result<PrivateKeyDer<'static>, String> {
    if text.trim().is_empty() {
        return Err("is needed: the client's private key as PEM".into());
    }
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err("has a passphrase; give it without one (openssl pkey -in KEY), it is sealed here".into());
    }
    // What a parser says of a key could quote it.
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| match text.contains("-----BEGIN CERTIFICATE-----") {
        true => "is a certificate; the private key that belongs to it is needed here".to_owned(),
        false => "is not a private key as PEM, from -----BEGIN PRIVATE KEY----- on".to_owned(),
    })
}

enum Role {
    Ca,
    Client,
}

fn read(der: &CertificateDer<'_>, role: Role) -> Result<CertificateFacts, String> {
    let (_, found) = X509Certificate::from_der(der).map_err(|_| "cannot be read as a certificate".to_owned())?;
    match role {
        Role::Ca if !found.is_ca() => {
            return Err(format!("is no CA's certificate: {} may not sign others", found.subject()));
        }
        Role::Client if found.is_ca() => {
            return Err(format!("is a CA's: {}; the client's is needed here", found.subject()));
        }
        Role::Ca | Role::Client => {}
    }
    let usage = found.extended_key_usage().ok().flatten();
    if let (Role::Client, Some(usage)) = (role, usage)
        && !usage.value.client_auth
        && !usage.value.any
    {
        return Err("is not for clients: its extended key usage must have clientAuth".into());
    }
    let at = |time: x509_parser::time::ASN1Time| Timestamp::from_millis(time.timestamp().saturating_mul(1000));
    Ok(CertificateFacts {
        subject: found.subject().to_string(),
        issuer: found.issuer().to_string(),
        not_before: at(found.validity().not_before),
        not_after: at(found.validity().not_after),
        fingerprint: hex::encode(Sha256::digest(der)),
    })
}

/// What went wrong between the two ends of TLS, in words; `None` if it was something else.
pub(crate) fn words(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(said(found));
        }
        // What an I/O error carries is not its source: that is the source of what it carries.
        next = match error.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref()) {
            Some(carried) => Some(carried),
            None => error.source(),
        };
    }
    None
}

fn said(error: &rustls::Error) -> String {
    use rustls::AlertDescription as Alert;
    use rustls::CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer | Bad::BadSignature => {
                "its certificate is not of the CA that this host was given".into()
            }
            Bad::Expired | Bad::ExpiredContext { .. } => "its certificate has expired".into(),
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                "its certificate is not valid yet: compare the clocks of both machines".into()
            }
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                "its certificate is not for the name or address in the daemon URL".into()
            }
            other => format!("its certificate cannot be accepted: {other}"),
        },
        rustls::Error::AlertReceived(Alert::CertificateRequired) => "it asks for a client certificate".into(),
        rustls::Error::AlertReceived(Alert::CertificateExpired) => "it says that our certificate has expired".into(),
        rustls::Error::AlertReceived(Alert::BadCertificate | Alert::UnknownCA | Alert::CertificateUnknown) => {
            "it does not accept our certificate: it is of another CA than the daemon's (--tlscacert), or has expired"
                .into()
        }
        rustls::Error::InvalidMessage(_) => "what answers there does not speak TLS".into(),
        other => format!("TLS failed: {other}"),
    }
}
