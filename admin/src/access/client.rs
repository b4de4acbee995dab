//! Who is on the other end, when proxies may stand between.
//!
//! `X-Forwarded-For` and `X-Forwarded-Proto` are believed of the peers that `TRUSTED_PROXIES` names. From anybody else
//! they are what a guesser writes to look like many.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::HttpRequest;
use common::config::TrustedProxies;

/// What is kept of where a session was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The address.
    pub address: IpAddr,
    /// What the browser said it is, cut; "" if it said nothing.
    pub browser: String,
}

/// Longer than what any browser says.
const LONGEST_BROWSER: usize = 256;

/// Who asks, as far as that can be known.
pub fn seen(req: &HttpRequest, proxies: &TrustedProxies) -> Seen {
    let browser = req.headers().get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default();
    Seen { address: address(req, proxies), browser: browser.chars().take(LONGEST_BROWSER).collect() }
}

/// The address of whoever asks: going back from the peer, the first that is no proxy of ours.
pub fn address(req: &HttpRequest, proxies: &TrustedProxies) -> IpAddr {
    let mut at = peer(req);
    // Each proxy adds at the end what it saw itself; what comes before is what its own client claimed.
    let headers: Vec<&str> =
        req.headers().get_all("x-forwarded-for").map(|value| value.to_str().unwrap_or_default()).collect();
    for told in headers.iter().rev().flat_map(|header| header.rsplit(',')) {
        if !proxies.trusts(at) {
            break;
        }
        let Some(told) = parse(told.trim()) else { break };
        at = told;
    }
    at
}

/// Whether the browser speaks https, so that cookies may be kept to it.
pub fn is_https(req: &HttpRequest, proxies: &TrustedProxies) -> bool {
    let proto = req.headers().get("x-forwarded-proto").and_then(|value| value.to_str().ok());
    proxies.trusts(peer(req)) && proto.is_some_and(|proto| proto.eq_ignore_ascii_case("https"))
}

fn peer(req: &HttpRequest) -> IpAddr {
    req.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical())
}

/// Some proxies tell the port as well.
fn parse(text: &str) -> Option<IpAddr> {
    let ip = text.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    ip.ok().map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn request(peer: &str, forwarded: &[&str]) -> HttpRequest {
        let mut req = TestRequest::get().peer_addr(format!("{peer}:1234").parse().unwrap());
        for value in forwarded {
            req = req.append_header(("x-forwarded-for", *value));
        }
        req.insert_header(("x-forwarded-proto", "https")).to_http_request()
    }

    fn seen(trusted: &str, peer: &str, forwarded: &[&str]) -> String {
        address(&request(peer, forwarded), &TrustedProxies::parse(trusted).unwrap()).to_string()
    }

    #[test]
    fn a_trusted_proxy_is_believed_about_its_client_and_nobody_else_is() {
        assert_eq!(seen("172.18.0.0/16", "172.18.0.2", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", "172.18.0.2", &["203.0.113.9"]), "172.18.0.2", "private is not trusted");
        assert_eq!(seen("127.0.0.1", "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", "127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(seen("127.0.0.1", "127.0.0.1", &["nonsense"]), "127.0.0.1");
        assert_eq!(seen("127.0.0.1", "127.0.0.1", &["203.0.113.9:5000"]), "203.0.113.9");
    }

    #[test]
    fn the_last_address_that_is_no_proxy_of_ours_counts() {
        let ours = "127.0.0.1,10.0.0.0/24";
        assert_eq!(seen(ours, "127.0.0.1", &["198.51.100.1, 203.0.113.9, 10.0.0.5"]), "203.0.113.9");
        assert_eq!(seen(ours, "127.0.0.1", &["198.51.100.1", "203.0.113.9", "10.0.0.5"]), "203.0.113.9");
        assert_eq!(seen(ours, "127.0.0.1", &["198.51.100.1, nonsense, 10.0.0.5"]), "10.0.0.5");
    }

    #[test]
    fn https_is_what_a_trusted_proxy_says() {
        let proxies = TrustedProxies::parse("10.0.0.5").unwrap();
        assert!(is_https(&request("10.0.0.5", &[]), &proxies));
        assert!(!is_https(&request("10.0.0.6", &[]), &proxies));
    }
}
