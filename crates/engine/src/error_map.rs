//! What bollard and the engine say when something fails, sorted into [`EngineError`].
//!
//! The engine's API has status codes too coarse to act on (a taken port is a 500), so its English is read. Every text
//! below is one that an engine was seen to say; what is not known becomes [`EngineError::Refused`] with all of it.

use std::fmt;
use std::time::Duration;

use bollard::errors::Error;
use common::model::DaemonUrl;

use crate::EngineError;

/// What is being asked: `Step("starting", "container vp0")`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'a>(pub(crate) &'static str, pub(crate) &'a str);

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1.is_empty() { f.write_str(self.0) } else { write!(f, "{} {}", self.0, self.1) }
    }
}

/// Puts bollard's error into our words.
pub(crate) fn explain(url: &DaemonUrl, step: Step<'_>, within: Duration, error: Error) -> EngineError {
    match error {
        // What Go's server answers to whoever speaks plainly where TLS is spoken.
        Error::DockerResponseServerError { status_code: 400, message } if message.contains("to an HTTPS server") => {
            unreachable(url, "it speaks TLS there: give this host its credentials (CA, certificate and key)")
        }
        Error::DockerResponseServerError { status_code, message } => answer(step, status_code, &message),
        Error::RequestTimeoutError => EngineError::Timeout { what: step.to_string(), after: within },
        Error::DockerStreamError { error } => answer(step, 0, &error),
        Error::SocketNotFoundError(_) => unreachable(url, "no such file or directory"),
        error @ (Error::HyperLegacyError { .. } | Error::HyperResponseError { .. } | Error::IOError { .. }) => {
            unreachable(url, &crate::tls::words(&error).unwrap_or_else(|| deepest(&error)))
        }
        other => EngineError::Refused { what: step.to_string(), status: 0, message: other.to_string() },
    }
}

fn unreachable(url: &DaemonUrl, reason: &str) -> EngineError {
    EngineError::Unreachable { url: url.to_string(), reason: reason.to_owned() }
}

/// The words of the deepest source, where the reason is: bollard itself says only "client error (Connect)".
fn deepest(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let text = deepest.to_string();
    let text = text.split(" (os error").next().unwrap_or_default().trim();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// What an answer other than 2xx means.
pub(crate) fn answer(step: Step<'_>, status: u16, message: &str) -> EngineError {
    let message = message.trim();
    let lower = message.to_lowercase();
    let says = |part: &str| lower.contains(part);
    if [
        "no space left on device",
        "disk quota exceeded",
        "cannot allocate memory",
        "out of memory",
        "non-overlapping ipv4 address pool",
        "all predefined address pools have been fully subnetted",
        "no available ipv4 addresses",
        "too many open files",
        "too many links",
    ]
    .into_iter()
    .any(says)
    {
        return EngineError::NoSpace { reason: message.to_owned() };
    }
    if says("port is already allocated") || says("address already in use") || says("ports are not available") {
        return EngineError::PortTaken { port: port_in(message), by: OUTSIDE.to_owned() };
    }
    if status == 404 {
        return EngineError::Gone { what: missing(&lower).unwrap_or(step.1.to_owned()) };
    }
    EngineError::Refused { what: step.to_string(), status, message: message.to_owned() }
}

/// Who holds a port that no container publishes.
const OUTSIDE: &str = "a program on the host, outside Docker";

/// `network x not found`, when what was asked about is a container.
fn missing(lower: &str) -> Option<String> {
    let name = lower.strip_prefix("network ")?.split(" not found").next()?;
    Some(format!("network {}", name.trim()))
}

/// Words after which an engine names the address that it could not have.
const BEFORE_ADDRESS: [&str; 5] = ["Bind for ", "listen tcp", "listen udp", "bind host port for ", "bind host port "];

/// The port in texts like `Bind for 0.0.0.0:8080 failed: port is already allocated` and
/// `listen tcp4 127.0.0.1:8080: bind: address already in use`. 0 if there is none.
fn port_in(message: &str) -> u16 {
    let mut after = BEFORE_ADDRESS.into_iter().filter_map(|words| message.split_once(words));
    after.find_map(|(_, rest)| rest.split_whitespace().find_map(port_of)).unwrap_or(0)
}

/// The port of `0.0.0.0:80`, `[::]:80` or `:::80`, whatever follows; `None` for a word that has none.
fn port_of(address: &str) -> Option<u16> {
    let rest = match address.strip_prefix('[') {
        Some(v6) => v6.split_once("]:")?.1,
        None => match address.strip_prefix(":::") {
            Some(rest) => rest,
            None => address.split_once(':')?.1,
        },
    };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// Whether a network was refused because its subnet meets another.
pub(crate) fn is_overlap(error: &EngineError) -> bool {
    matches!(error, EngineError::Refused { message, .. } if message.to_lowercase().contains("overlap"))
}

/// Whether a refusal says that a name is there already.
pub(crate) fn is_conflict(error: &EngineError) -> bool {
    matches!(error, EngineError::Refused { status: 409, .. })
}

/// Whether asking again in a moment may help: something is being removed or released right now.
pub(crate) fn passes_by_itself(error: &EngineError) -> bool {
    let EngineError::Refused { status, message, .. } = error else { return false };
    let lower = message.to_lowercase();
    *status == 409
        || ["active endpoints", "in progress", "in use", "device or resource busy", "being removed"]
            .into_iter()
            .any(|part| lower.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Step<'static> = Step("starting", "container vp0");

    #[test]
    fn a_taken_port_is_named() {
        for (text, port) in [
            (
                "driver failed programming external connectivity on endpoint a_vp0 (0b5a): Bind for 0.0.0.0:7050 failed: port is already allocated",
                7050,
            ),
            (
                "driver failed programming external connectivity on endpoint x (12): Error starting userland proxy: listen tcp4 127.0.0.1:7151: bind: address already in use",
                7151,
            ),
            ("Bind for :::7050 failed: port is already allocated", 7050),
            ("Error starting userland proxy: listen tcp6 [::]:7053: bind: address already in use", 7053),
            ("failed to bind host port 0.0.0.0:7054/tcp: address already in use", 7054),
            ("address already in use", 0),
            ("failed to bind host port for 0.0.0.0:7052:10.0.0.2:80/tcp: address already in use", 7052),
        ] {
            match answer(START, 500, text) {
                EngineError::PortTaken { port: found, .. } => assert_eq!(found, port, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_host_that_is_full_is_told_from_one_that_refuses() {
        for text in [
            "write /var/lib/docker/x: no space left on device",
            "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
            "fork/exec /usr/bin/runc: cannot allocate memory",
        ] {
            assert!(matches!(answer(START, 500, text), EngineError::NoSpace { .. }), "{text}");
        }
        assert!(matches!(answer(START, 500, "something else"), EngineError::Refused { status: 500, .. }));
    }

    #[test]
    fn a_404_names_what_is_gone() {
        assert_eq!(
            answer(START, 404, "No such container: abc"),
            EngineError::Gone { what: "container vp0".to_owned() }
        );
        assert_eq!(answer(START, 404, "network abc not found"), EngineError::Gone { what: "network abc".to_owned() });
    }

    #[test]
    fn the_deepest_source_speaks() {
        let refused = std::io::Error::from_raw_os_error(111);
        assert_eq!(deepest(&Error::from(refused)), "connection refused");
        let url = DaemonUrl::parse("unix:///x").unwrap();
        let missing = explain(&url, START, Duration::ZERO, Error::SocketNotFoundError("/x".to_owned()));
        assert_eq!(missing.to_string(), "unix:///x cannot be reached: no such file or directory");
    }
}
