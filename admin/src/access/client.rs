//! Who is on the other end, when a proxy may stand between.
//!
//! `X-Forwarded-For` and `X-Forwarded-Proto` are believed when the peer is on loopback or in a private network, where
//! our own nginx stands. Somebody else in there could lie; what that wins is other addresses to guess passwords from,
//! while the limit by name still holds.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;

/// The address of whoever asks.
pub fn address(req: &HttpRequest) -> IpAddr {
    let peer = req.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
    if !may_be_proxy(peer) {
        return peer;
    }
    // The last one is what the proxy saw itself; those before it are what its client claimed.
    let told = header(req, "x-forwarded-for").and_then(|all| all.rsplit(',').next()?.trim().parse().ok());
    told.unwrap_or(peer)
}

/// Whether the browser speaks https, so that cookies may be kept to it.
pub fn is_https(req: &HttpRequest) -> bool {
    header(req, "x-forwarded-proto").is_some_and(|proto| proto.eq_ignore_ascii_case("https"))
}

fn may_be_proxy(peer: IpAddr) -> bool {
    match peer {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    }
}

fn header<'a>(req: &'a HttpRequest, name: &str) -> Option<&'a str> {
    req.headers().get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn seen(peer: &str, forwarded: &str) -> String {
        let peer = format!("{peer}:1234").parse().unwrap();
        let req = TestRequest::get().peer_addr(peer).insert_header(("x-forwarded-for", forwarded));
        address(&req.to_http_request()).to_string()
    }

    #[test]
    fn a_proxy_nearby_is_believed_about_its_client_and_nobody_else_is() {
        assert_eq!(seen("127.0.0.1", "203.0.113.9"), "203.0.113.9");
        assert_eq!(seen("172.18.0.2", "198.51.100.1, 203.0.113.9"), "203.0.113.9", "what the client claimed is not it");
        assert_eq!(seen("203.0.113.9", "198.51.100.1"), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", "nonsense"), "127.0.0.1");
    }
}
