//! Names on the engine, as Compose forms them. A name is also a DNS name inside the cluster, so it is short.

use super::ComposeError;

/// The network of services that name none.
pub(super) const DEFAULT_NETWORK: &str = "default";

/// A label of DNS has at most so many characters, and containers are found by name as by label.
const LONGEST: usize = 63;

/// A network's or a volume's name.
pub(super) fn object(project: &str, key: &str) -> String {
    format!("{project}_{key}")
}

/// A container's name, as Compose 2 forms it.
pub(super) fn container(project: &str, service: &str) -> Result<String, ComposeError> {
    let name = format!("{project}-{service}-1");
    if name.len() <= LONGEST {
        return Ok(name);
    }
    let message = format!("has too long a name: its container would be {name:?}, of more than {LONGEST} characters");
    Err(ComposeError::new(format!("services.{service}"), message))
}
