//! How a Docker daemon is reached, and how users reach what runs on it.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::InvalidText;

/// How to reach a Docker daemon: `unix:///path` or `tcp://host:port`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DaemonUrl {
    /// A socket on admin's own machine.
    Unix(PathBuf),
    /// A daemon over TCP.
    Tcp {
        /// Name or address; an IPv6 address without its brackets.
        host: String,
        /// 2375 by custom.
        port: u16,
    },
}

impl DaemonUrl {
    /// Takes `unix:///path`, `tcp://host:port`, or `host:port`, which old clients wrote.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        let refuse =
            |why: &str| Err(InvalidText(format!("{why}; write unix:///var/run/docker.sock or tcp://HOST:2375")));
        if text.len() > 256 {
            return refuse("may have at most 256 characters");
        }
        if let Some(path) = text.strip_prefix("unix://") {
            return if path.starts_with('/') && path.len() > 1 && !path.chars().any(char::is_control) {
                Ok(DaemonUrl::Unix(PathBuf::from(path)))
            } else {
                refuse("needs an absolute path after unix://")
            };
        }
        let rest = match text.split_once("://") {
            None => text,
            Some(("tcp", rest)) => rest,
            Some((scheme, _)) => return refuse(&format!("has the scheme {scheme:?}, which is not spoken here")),
        };
        let Ok(url) = url::Url::parse(&format!("tcp://{rest}")) else {
            return refuse("is not a URL");
        };
        let plain = url.username().is_empty()
            && url.password().is_none()
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain {
            return refuse("may have a host and a port only");
        }
        match (url.host_str(), url.port()) {
            (Some(host), Some(port)) if !host.is_empty() && port != 0 && is_host(host) => {
                Ok(DaemonUrl::Tcp { host: host.trim_matches(['[', ']']).to_owned(), port })
            }
            (Some(host), None) if !host.is_empty() => refuse("needs a port"),
            _ => refuse("needs a host"),
        }
    }

    /// The host part, which is also how users reach clusters when a host has no address of its own.
    pub fn host(&self) -> Option<&str> {
        match self {
            DaemonUrl::Unix(_) => None,
            DaemonUrl::Tcp { host, .. } => Some(host),
        }
    }
}

fn is_host(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        return inner.parse::<std::net::Ipv6Addr>().is_ok();
    }
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

/// Takes how users reach a host's clusters: an IP address or a DNS name, no port, at most 253 characters.
pub fn parse_address(text: &str) -> Result<String, InvalidText> {
    let ok = text.parse::<IpAddr>().is_ok() || (is_host(text) && !text.is_empty() && text.len() <= 253);
    if ok {
        Ok(text.to_owned())
    } else {
        Err(InvalidText("must be an IP address or a DNS name, without a port".into()))
    }
}

impl fmt::Display for DaemonUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DaemonUrl::Unix(path) => write!(f, "unix://{}", path.display()),
            DaemonUrl::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            DaemonUrl::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

impl From<DaemonUrl> for String {
    fn from(url: DaemonUrl) -> String {
        url.to_string()
    }
}

impl TryFrom<String> for DaemonUrl {
    type Error = InvalidText;
    fn try_from(text: String) -> Result<Self, InvalidText> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn daemon_urls_of_both_kinds_are_read() {
        for (text, shown) in [
            ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock"),
            ("tcp://10.0.0.1:2375", "tcp://10.0.0.1:2375"),
            ("10.0.0.1:2375", "tcp://10.0.0.1:2375"),
            ("tcp://node-1.example:2375/", "tcp://node-1.example:2375"),
            ("tcp://[::1]:2375", "tcp://[::1]:2375"),
        ] {
            assert_eq!(DaemonUrl::parse(text).map(|u| u.to_string()).as_deref(), Ok(shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_daemon_url_is_refused_with_the_way_to_write_it() {
        for text in [
            "",
            "unix://",
            "unix://x",
            "http://a:1",
            "tcp://a",
            "tcp://:1",
            "tcp://a:99999",
            "tcp://u:p@a:1",
            "tcp://a:1/x",
            "tcp://a b:1",
        ] {
            let refusal = DaemonUrl::parse(text).expect_err(text).0;
            assert!(refusal.contains("tcp://HOST:2375"), "{text}: {refusal}");
        }
    }
}
