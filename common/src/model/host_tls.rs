//! What admin shows to a host's daemon over TLS, and by what it knows it: kept sealed, and told of only what is public.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Host, Timestamp};

/// From so long before the end on, operators are warned: time for somebody to make new certificates and bring them here.
pub const WARN_BEFORE: Duration = Duration::from_secs(30 * 24 * 3600);

/// A host's CA, our certificate there and its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostTls {
    /// The CA by which the daemon is known.
    pub ca: CertificateFacts,
    /// The certificate that we show to it.
    pub certificate: CertificateFacts,
    /// All three as PEM, sealed for this host.
    pub sealed: Sealed,
    /// Since when.
    pub set_at: Timestamp,
    /// Who brought them.
    pub set_by: String,
}

/// What a certificate says of itself, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// Whose it is: `CN=poolmanager`.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// From when on it holds.
    pub not_before: Timestamp,
    /// Until when it holds.
    pub not_after: Timestamp,
    /// SHA-256, hexadecimal.
    pub fingerprint: String,
}

/// A text that only the holder of a key can read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Which key: the beginning of its hash, so that it is known which to use, and nothing of the key itself.
    pub key_id: String,
    /// Used once, hexadecimal.
    pub nonce: String,
    /// The text, encrypted and authenticated, hexadecimal.
    pub text: String,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(sealed with the key {})", self.key_id)
    }
}

impl HostTls {
    /// When the first of the two certificates ends.
    pub fn ends(&self) -> Timestamp {
        self.ca.not_after.min(self.certificate.not_after)
    }

    /// What operators are to be told of their end: nothing while it is far.
    pub fn warning(&self, now: Timestamp) -> Option<String> {
        let (what, ends) = if self.certificate.not_after <= self.ca.not_after {
            ("our certificate", self.certificate.not_after)
        } else {
            ("the CA's certificate", self.ca.not_after)
        };
        if ends <= now {
            return Some(format!("{what} has expired: the daemon cannot be reached until there is a new one"));
        }
        let days = ends.since(now).as_secs() / (24 * 3600);
        (ends <= now + WARN_BEFORE).then(|| format!("{what} expires in {days} days: bring a new one before"))
    }
}

impl Host {
    /// The next version, with other credentials or none.
    pub fn with_tls(&self, tls: Option<HostTls>) -> Host {
        Host { version: self.version + 1, tls, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(not_after: i64) -> CertificateFacts {
        let day = |n: i64| Timestamp::from_millis(n * 24 * 3_600_000);
        CertificateFacts {
            subject: "CN=a".into(),
            issuer: "CN=ca".into(),
            not_before: day(0),
            not_after: day(not_after),
            fingerprint: "00".into(),
        }
    }

    fn tls(ca: i64, certificate: i64) -> HostTls {
        HostTls {
            ca: facts(ca),
            certificate: facts(certificate),
            sealed: Sealed { key_id: "k".into(), nonce: "n".into(), text: "secret".into() },
            set_at: Timestamp::from_millis(0),
            set_by: "op".into(),
        }
    }

    #[test]
    fn the_end_is_warned_of_a_month_before() {
        let now = Timestamp::from_millis(100 * 24 * 3_600_000);
        assert_eq!(tls(1000, 131).warning(now), None);
        assert!(tls(1000, 130).warning(now).unwrap().contains("our certificate expires in 30 days"));
        assert!(tls(110, 500).warning(now).unwrap().contains("the CA's certificate expires in 10 days"));
        assert!(tls(1000, 99).warning(now).unwrap().contains("has expired"));
    }

    #[test]
    fn what_is_sealed_is_not_shown() {
        let shown = format!("{:?}", tls(1, 1));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
