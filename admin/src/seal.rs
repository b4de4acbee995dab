//! Seals credentials of hosts for the store, and opens them for a connection: XChaCha20-Poly1305 with a random nonce, bound to
//! the host, so that what was sealed for one is of no use in the record of another.

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use common::clock::Pace;
use common::config::{SealKey, SealKeys};
use common::model::{Actor, DaemonUrl, Event, EventKind, Host, HostId, HostTls, Sealed, Timestamp};
use common::store::{SharedStore, StoreError};
use engine::{Credentials, Engine, EngineError, Pem};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The keys, and what is done with them.
#[derive(Clone, Debug, Default)]
pub struct Seal {
    keys: SealKeys,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Texts {
    ca: String,
    certificate: String,
    key: String,
}

/// Why something cannot be sealed or opened; for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// There is no key.
    #[error(
        "SEAL_KEY is not set for admin, so no credentials can be kept: set it to what openssl rand -hex 32 says, and start admin again"
    )]
    NoKey,
    /// It was sealed with another key.
    #[error(
        "its credentials were sealed with another SEAL_KEY (its id is {0}): set that one as SEAL_KEY_OLD, or bring the credentials again"
    )]
    OtherKey(String),
    /// It is not what was sealed.
    #[error("its credentials in the store are damaged: bring them again")]
    Damaged,
}

impl Seal {
    /// With these keys.
    pub fn new(keys: SealKeys) -> Seal {
        Seal { keys }
    }

    /// Whether anything can be sealed.
    pub fn has_key(&self) -> bool {
        self.keys.current.is_some()
    }

    /// Whether what was sealed is to be sealed anew: the key has changed since.
    fn is_old(&self, sealed: &Sealed) -> bool {
        self.keys.current.as_ref().is_some_and(|key| id_of(key) != sealed.key_id)
    }

    /// Seals credentials for a host.
    pub fn seal(&self, host: &HostId, pem: Pem<'_>) -> Result<Sealed, SealError> {
        let key = self.keys.current.as_ref().ok_or(SealError::NoKey)?;
        let texts = Texts { ca: pem.ca.into(), certificate: pem.certificate.into(), key: pem.key.into() };
        let plain = serde_json::to_vec(&texts).map_err(|_| SealError::Damaged)?;
        self.seal_bytes(key, host, &plain)
    }

    fn seal_bytes(&self, key: &SealKey, host: &HostId, plain: &[u8]) -> Result<Sealed, SealError> {
        let nonce: [u8; 24] = rand::random();
        let payload = Payload { msg: plain, aad: host.as_str().as_bytes() };
        let text = cipher(key).encrypt(&nonce.into(), payload).map_err(|_| SealError::Damaged)?;
        Ok(Sealed { key_id: id_of(key), nonce: hex::encode(nonce), text: hex::encode(text) })
    }

    /// The same, sealed with the key of now.
    fn seal_anew(&self, host: &HostId, sealed: &Sealed) -> Result<Sealed, SealError> {
        let key = self.keys.current.as_ref().ok_or(SealError::NoKey)?;
        self.seal_bytes(key, host, &self.open_bytes(host, sealed)?)
    }

    /// Seals with the present key whatever a former one had sealed. Who changes a host at the same moment seals it anew
    /// herself, or the next start does.
    pub async fn seal_all_anew(&self, store: &SharedStore, now: Timestamp) -> Result<(), StoreError> {
        for host in store.list_hosts().await? {
            let Some(tls) = host.tls.as_ref().filter(|tls| self.is_old(&tls.sealed)) else { continue };
            let name = &host.settings.name;
            let next = match self.seal_anew(&host.id, &tls.sealed) {
                Ok(sealed) => host.with_tls(Some(HostTls { sealed, ..tls.clone() })),
                Err(error) => {
                    tracing::warn!(host.id = %host.id, "host {name} cannot be reached: {error}");
                    continue;
                }
            };
            let reason = format!("the credentials of host {name} were sealed with the present key");
            let event = Event::new(now, EventKind::HostChanged, Actor::Reconciler, reason).about_host(&host.id);
            match store.change_host(&next, event).await {
                Ok(()) => tracing::info!(host.id = %host.id, "host {name}: sealed with the present key"),
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn open_bytes(&self, host: &HostId, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        let mut keys = self.keys.current.iter().chain(&self.keys.former);
        let Some(key) = keys.find(|key| id_of(key) == sealed.key_id) else {
            return Err(match self.keys.current {
                None => SealError::NoKey,
                Some(_) => SealError::OtherKey(sealed.key_id.clone()),
            });
        };
        let mut nonce = [0; 24];
        hex::decode_to_slice(&sealed.nonce, &mut nonce).map_err(|_| SealError::Damaged)?;
        let text = hex::decode(&sealed.text).map_err(|_| SealError::Damaged)?;
        let payload = Payload { msg: &text, aad: host.as_str().as_bytes() };
        cipher(key).decrypt(&nonce.into(), payload).map_err(|_| SealError::Damaged)
    }

    /// The credentials of a host, if it has any.
    pub fn credentials(&self, host: &Host) -> Result<Option<Credentials>, SealError> {
        let Some(tls) = &host.tls else { return Ok(None) };
        let plain = self.open_bytes(&host.id, &tls.sealed)?;
        let texts: Texts = serde_json::from_slice(&plain).map_err(|_| SealError::Damaged)?;
        let pem = Pem { ca: &texts.ca, certificate: &texts.certificate, key: &texts.key };
        Credentials::parse(pem).map(Some).map_err(|_| SealError::Damaged)
    }

    /// Reaches a host's daemon as its record says: plainly, or over TLS with its credentials.
    pub async fn connect(&self, host: &Host, pace: Pace) -> Result<Engine, EngineError> {
        let url = &host.settings.daemon_url;
        let credentials = self.credentials(host).map_err(|error| cannot(url, &error))?;
        Engine::connect_as(url, credentials.as_ref(), pace).await
    }
}

fn cannot(url: &DaemonUrl, error: &SealError) -> EngineError {
    EngineError::Unreachable { url: url.to_string(), reason: error.to_string() }
}

fn cipher(key: &SealKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&(*key.expose()).into())
}

/// Enough of a hash to tell keys apart.
fn id_of(key: &SealKey) -> String {
    let mut hash = Sha256::new();
    hash.update(b"poolmanager seal key id\0");
    hash.update(key.expose());
    hex::encode(&hash.finalize()[..6])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: &str) -> SealKey {
        SealKey::parse(&digit.repeat(64)).unwrap()
    }

    fn seal(current: &str, former: &[&str]) -> Seal {
        Seal::new(SealKeys { current: Some(key(current)), former: former.iter().map(|digit| key(digit)).collect() })
    }

    const PEM: Pem<'static> = Pem { ca: "the ca", certificate: "the certificate", key: "the private key" };

    #[test]
    fn what_is_sealed_is_opened_with_its_key_for_its_host_and_in_no_other_way() {
        let (host, other) = (HostId::random(), HostId::random());
        let sealed = seal("1", &[]).seal(&host, PEM).unwrap();
        let stored = serde_json::to_string(&sealed).unwrap();
        assert!(!stored.contains(&hex::encode("the private key")) && !stored.contains("private"));
        let opened = seal("1", &[]).open_bytes(&host, &sealed).unwrap();
        assert!(String::from_utf8(opened).unwrap().contains("the private key"));
        assert_eq!(seal("1", &[]).open_bytes(&other, &sealed), Err(SealError::Damaged));
        assert_eq!(seal("2", &[]).open_bytes(&host, &sealed), Err(SealError::OtherKey(sealed.key_id.clone())));
        assert_eq!(Seal::default().open_bytes(&host, &sealed), Err(SealError::NoKey));
        let mut altered = sealed.clone();
        altered.text.replace_range(0..1, if altered.text.starts_with('0') { "1" } else { "0" });
        assert_eq!(seal("1", &[]).open_bytes(&host, &altered), Err(SealError::Damaged));
        assert_ne!(seal("1", &[]).seal(&host, PEM).unwrap(), sealed, "never the same nonce");
    }

    #[test]
    fn a_former_key_opens_and_the_present_one_seals_anew() {
        let host = HostId::random();
        let old = seal("1", &[]).seal(&host, PEM).unwrap();
        let keys = seal("2", &["3", "1"]);
        assert!(keys.is_old(&old));
        let new = keys.seal_anew(&host, &old).unwrap();
        assert!(!keys.is_old(&new));
        assert!(seal("2", &[]).open_bytes(&host, &new).is_ok());
    }

    #[test]
    fn a_key_is_not_shown() {
        assert!(!format!("{:?}", seal("1", &["2"])).contains("11"));
    }
}
