//! Which subnet a network gets and which address a container: plain functions.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::container::LiveEndpoint;
use super::network::{IpamConfig, Network};
use crate::error::{ApiError, ApiResult};
use crate::ids::{self, Id};

/// What a network gets.
pub(super) struct SubnetPlan {
    pub(super) subnet: Ipv4Net,
    pub(super) gateway: Ipv4Addr,
    /// What `inspect` shows: what was asked for, or all of what the engine chose.
    pub(super) shown: Vec<IpamConfig>,
}

/// The subnet that was asked for if it is free, else the next of the engine's own: 172.18/16 to 172.31/16, then
/// sixteen /20 of 192.168/16, which makes about thirty.
pub(super) fn plan(wanted: &[IpamConfig], taken: impl Iterator<Item = Ipv4Net>) -> ApiResult<SubnetPlan> {
    let taken: Vec<Ipv4Net> = taken.collect();
    let overlaps = |net: Ipv4Net| taken.iter().any(|other| other.contains(&net) || net.contains(other));
    let Some((config, text)) = wanted.iter().find_map(|config| Some((config, config.subnet.as_deref()?))) else {
        return own_pool().find(|net| !overlaps(*net)).and_then(engine_choice).ok_or_else(|| {
            ApiError::missing(
                "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
            )
        });
    };
    let net: Ipv4Net =
        text.parse().map_err(|_| ApiError::broken(format!("Invalid subnet {text} : invalid CIDR address: {text}")))?;
    let net = net.trunc();
    if overlaps(net) {
        return Err(ApiError::forbidden("Pool overlaps with other one on this address space"));
    }
    let gateway = config.gateway.as_deref().and_then(|text| text.parse().ok()).or_else(|| net.hosts().next());
    let gateway = gateway.unwrap_or_else(|| net.network());
    Ok(SubnetPlan { subnet: net, gateway, shown: wanted.to_vec() })
}

fn engine_choice(subnet: Ipv4Net) -> Option<SubnetPlan> {
    let gateway = subnet.hosts().next()?;
    let shown =
        IpamConfig { subnet: Some(subnet.to_string()), gateway: Some(gateway.to_string()), ..IpamConfig::default() };
    Some(SubnetPlan { subnet, gateway, shown: vec![shown] })
}

fn own_pool() -> impl Iterator<Item = Ipv4Net> {
    let large = (17..=31).filter_map(|b| Ipv4Net::new(Ipv4Addr::new(172, b, 0, 0), 16).ok());
    let small = (0..16).filter_map(|c| Ipv4Net::new(Ipv4Addr::new(192, 168, c * 16, 0), 20).ok());
    large.chain(small)
}

/// An address on a network: the wanted one, else the lowest that is free. `None` on `host` and `none`.
pub(super) fn place(network: &mut Network, wanted: Option<Ipv4Addr>, who: &Id) -> ApiResult<Option<LiveEndpoint>> {
    let (Some(subnet), Some(gateway)) = (network.subnet, network.gateway) else { return Ok(None) };
    let ip = match wanted {
        Some(ip) if !subnet.contains(&ip) => {
            return Err(ApiError::bad(format!(
                "Invalid address {ip}: It does not belong to any of this network's subnets"
            )));
        }
        Some(ip) if ip == gateway || network.members.contains_key(&ip) => {
            return Err(ApiError::forbidden("Address already in use"));
        }
        Some(ip) => ip,
        None => {
            let free = subnet.hosts().find(|ip| *ip != gateway && !network.members.contains_key(ip));
            free.ok_or_else(|| {
                ApiError::conflict(format!(
                    "no available IPv4 addresses on this network's address pools: {} ({})",
                    network.name, network.id
                ))
            })?
        }
    };
    network.members.insert(ip, who.clone());
    Ok(Some(LiveEndpoint { id: ids::fresh(), ip, prefix: subnet.prefix_len(), gateway }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(subnet: &str) -> Vec<IpamConfig> {
        vec![IpamConfig { subnet: Some(subnet.to_owned()), ..IpamConfig::default() }]
    }

    #[test]
    fn a_subnet_that_meets_another_is_refused_in_dockers_words() {
        let taken = ["10.1.0.0/24".parse().unwrap()];
        for subnet in ["10.1.0.0/24", "10.1.0.128/25", "10.1.0.0/16"] {
            let error = plan(&asked(subnet), taken.into_iter()).err().unwrap();
            assert_eq!(
                (error.status, error.message.as_str()),
                (403, "Pool overlaps with other one on this address space")
            );
        }
        assert_eq!(plan(&asked("10.1.1.0/24"), taken.into_iter()).ok().unwrap().gateway.to_string(), "10.1.1.1");
    }

    #[test]
    fn the_engine_has_about_thirty_subnets_of_its_own() {
        let mut taken = vec!["172.17.0.0/16".parse().unwrap()];
        while let Ok(next) = plan(&[], taken.clone().into_iter()) {
            taken.push(next.subnet);
        }
        assert_eq!(taken.len() - 1, 30);
    }
}
