//! The credentials of a host: checked at the door, tried on the daemon, sealed; told of only what is public.

use std::time::Duration;

use common::model::{DaemonUrl, Host, HostId, HostTls, Timestamp};
use engine::{BadPem, Credentials, Engine, Part, Pem};

use super::change_host::{HostStep, stays, still};
use super::{Done, Fault, Operations, Refusal, to_the_minute};
use crate::seal::SealError;

/// An operator waits for the answer.
const TRY_WITHIN: Duration = Duration::from_secs(8);

/// More than any chain of certificates needs.
const LONGEST: usize = 24 * 1024;

/// Credentials as they are given: three texts of PEM. Shown by nothing.
#[derive(Clone, Default)]
pub struct TlsInput {
    /// The CA by which the daemon is known.
    pub ca: String,
    /// The certificate that is shown to it.
    pub certificate: String,
    /// Its key.
    pub key: String,
    /// Keep them though the daemon does not answer with them now.
    pub untried: bool,
}

/// Credentials that fit together and hold.
pub(super) struct NewTls<'a> {
    /// For a connection.
    pub(super) credentials: Credentials,
    input: &'a TlsInput,
}

impl TlsInput {
    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        [&self.ca, &self.certificate, &self.key].iter().all(|text| text.trim().is_empty())
    }

    fn pem(&self) -> Pem<'_> {
        Pem { ca: &self.ca, certificate: &self.certificate, key: &self.key }
    }

    fn parse(&self, now: Timestamp) -> Result<Credentials, Refusal> {
        let texts = [("tls_ca", &self.ca), ("tls_certificate", &self.certificate), ("tls_key", &self.key)];
        if let Some((field, _)) = texts.iter().find(|(_, text)| text.len() > LONGEST) {
            return Err(Refusal::field(field, format!("may have at most {LONGEST} bytes")));
        }
        let credentials = Credentials::parse(self.pem()).map_err(refuse)?;
        let faults = credentials.faults(now);
        if faults.is_empty() { Ok(credentials) } else { Err(refuse(faults)) }
    }
}

fn refuse(bad: Vec<BadPem>) -> Refusal {
    let field = |part| match part {
        Part::Ca => "tls_ca",
        Part::Certificate => "tls_certificate",
        Part::Key => "tls_key",
    };
    Refusal::Faults(bad.into_iter().map(|bad| Fault::new(field(bad.part), bad.reason)).collect())
}

fn no_key(error: SealError) -> Refusal {
    Refusal::field("tls_key", format!("cannot be kept: {error}"))
}

impl Operations {
    /// What was given for a host that is to be added; `None` if nothing was.
    pub(super) fn new_tls<'a>(
        &self,
        url: &DaemonUrl,
        input: &'a TlsInput,
        now: Timestamp,
    ) -> Result<Option<NewTls<'a>>, Refusal> {
        if input.is_empty() {
            return Ok(None);
        }
        if matches!(url, DaemonUrl::Unix(_)) {
            return Err(Refusal::field("tls_ca", "is for tcp:// only; a socket needs no credentials"));
        }
        self.parse_tls(input, now).map(Some)
    }

    /// Takes credentials that hold now and that can be kept.
    pub(super) fn parse_tls<'a>(&self, input: &'a TlsInput, now: Timestamp) -> Result<NewTls<'a>, Refusal> {
        let credentials = input.parse(now)?;
        if self.seal.has_key() { Ok(NewTls { credentials, input }) } else { Err(no_key(SealError::NoKey)) }
    }

    /// Seals them for a host.
    pub(super) fn seal_for(&self, id: &HostId, new: &NewTls<'_>, by: &str, now: Timestamp) -> Result<HostTls, Refusal> {
        Ok(HostTls {
            ca: new.credentials.ca.clone(),
            certificate: new.credentials.certificate.clone(),
            sealed: self.seal.seal(id, new.input.pem()).map_err(no_key)?,
            set_at: now,
            set_by: by.to_owned(),
        })
    }

    /// Gives a host other credentials. They are tried first: the daemon must be the one that the host was added with.
    pub async fn set_host_tls(
        &self,
        id: &HostId,
        input: &TlsInput,
        seen: Option<u64>,
        by: &str,
        now: Timestamp,
    ) -> Result<Done, Refusal> {
        let host = self.store.host(id).await?.ok_or(Refusal::NoSuch("host"))?;
        stays(&host)?;
        still(&host, seen)?;
        if matches!(host.settings.daemon_url, DaemonUrl::Unix(_)) {
            return Err(Refusal::field("tls_ca", "is for tcp:// only; a socket needs no credentials"));
        }
        let new = self.parse_tls(input, now)?;
        if !input.untried {
            try_on(&host, &new.credentials).await?;
        }
        let tls = self.seal_for(id, &new, by, now)?;
        let name = &host.settings.name;
        let (subject, ends) = (&tls.certificate.subject, to_the_minute(tls.ends()));
        let reason = format!("host {name} has new credentials: {subject}, until {ends}");
        let said = format!("Host {name} is reached with these credentials from now on. They hold until {ends}.");
        let step = || async {
            let host = self.store.host(id).await?.ok_or(Refusal::NoSuch("host"))?;
            stays(&host)?;
            let next = Box::new(host.with_tls(Some(tls.clone())));
            Ok(HostStep::Change { next, reason: reason.clone(), said: said.clone() })
        };
        self.change_host(step, by, now).await
    }

    /// Takes a host's credentials away; its daemon is reached without TLS then.
    pub async fn remove_host_tls(
        &self,
        id: &HostId,
        seen: Option<u64>,
        by: &str,
        now: Timestamp,
    ) -> Result<Done, Refusal> {
        let step = || async {
            let host = self.store.host(id).await?.ok_or(Refusal::NoSuch("host"))?;
            stays(&host)?;
            let name = &host.settings.name;
            if host.tls.is_none() {
                return Ok(HostStep::Nothing(format!("Host {name} has no credentials.")));
            }
            still(&host, seen)?;
            Ok(HostStep::Change {
                reason: format!("the credentials of host {name} were removed"),
                said: format!("The credentials of host {name} are gone; it is reached without TLS."),
                next: Box::new(host.with_tls(None)),
            })
        };
        self.change_host(step, by, now).await
    }
}

async fn try_on(host: &Host, credentials: &Credentials) -> Result<(), Refusal> {
    let url = &host.settings.daemon_url;
    let at = |why: String| {
        let more = "nothing was changed. If the daemon is only away, say that they are kept untried";
        Refusal::field("tls_certificate", format!("was tried, and {why}; {more}"))
    };
    let ask = async {
        let engine = Engine::connect_as(url, Some(credentials), common::clock::Pace::ORDINARY).await?;
        engine.info().await
    };
    let info = tokio::time::timeout(TRY_WITHIN, ask)
        .await
        .map_err(|_| at(format!("{url} did not answer within {} s", TRY_WITHIN.as_secs())))?
        .map_err(|error| at(error.to_string()))?;
    if info.id == host.engine_id {
        Ok(())
    } else {
        Err(at(format!("another engine answers there: its id is {}, not {}", info.id, host.engine_id)))
    }
}
