//! Which proxies are believed about whom they speak for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// `TRUSTED_PROXIES`: peers whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. Loopback alone unless it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl Default for TrustedProxies {
    fn default() -> Self {
        TrustedProxies(vec![
            Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8).into(),
            Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128).into(),
        ])
    }
}

impl TrustedProxies {
    /// Takes networks and addresses, `10.0.0.0/24,192.168.1.1`; `none` for no proxy at all.
    pub fn parse(text: &str) -> Result<TrustedProxies, String> {
        if text.trim().eq_ignore_ascii_case("none") {
            return Ok(TrustedProxies(Vec::new()));
        }
        let net = |part: &str| part.parse::<IpNet>().or_else(|_| part.parse::<IpAddr>().map(IpNet::from));
        let nets = text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(|part| {
            net(part).map_err(|_| {
                format!("must be networks or addresses such as 127.0.0.0/8,10.0.0.5, or none: {part:?} is neither")
            })
        });
        Ok(TrustedProxies(nets.collect::<Result<_, _>>()?))
    }

    /// Whether what this peer says of its own client is believed.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|net| net.contains(&peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusts(text: &str, peer: &str) -> bool {
        TrustedProxies::parse(text).unwrap().trusts(peer.parse().unwrap())
    }

    #[test]
    fn loopback_alone_is_trusted_unless_something_is_set() {
        let usual = TrustedProxies::default();
        for (peer, trusted) in
            [("127.0.0.1", true), ("::1", true), ("::ffff:127.0.0.1", true), ("10.0.0.1", false), ("172.18.0.2", false)]
        {
            assert_eq!(usual.trusts(peer.parse().unwrap()), trusted, "{peer}");
        }
    }

    #[test]
    fn what_is_set_is_trusted_and_nothing_else() {
        assert!(trusts("10.0.0.0/24, 192.168.1.1", "10.0.0.7"));
        assert!(trusts("10.0.0.0/24, 192.168.1.1", "192.168.1.1"));
        assert!(!trusts("10.0.0.0/24, 192.168.1.1", "192.168.1.2"));
        assert!(!trusts("10.0.0.0/24", "127.0.0.1"));
        assert!(trusts("2001:db8::/32", "2001:db8::1"));
        assert!(!trusts("none", "127.0.0.1"));
    }
}
