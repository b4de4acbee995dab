//! Where a container's output goes: the host's setting first, then the template's, else files that are rotated.

use std::collections::BTreeMap;

use super::at::At;
use super::{ComposeError, Logging};
use crate::model::LogTarget;

/// Drivers that keep the output on the host, or with the server that the host's operator named.
const DRIVERS: [&str; 4] = ["json-file", "local", "journald", "none"];

/// Of a cluster that nobody looks after for months, 30 MiB a node at most.
const ROTATION: [(&str, &str); 2] = [("max-size", "10m"), ("max-file", "3")];

/// The logging of a service.
pub(super) fn read(service: &At<'_>, target: &LogTarget, container_name: &str) -> Result<Logging, ComposeError> {
    let own = service.field("logging").map(|at| template(&at)).transpose()?;
    match target {
        LogTarget::Syslog { server } => {
            let options = [("syslog-address", server.as_str()), ("tag", container_name)];
            Ok(Logging { driver: "syslog".into(), options: owned(options) })
        }
        LogTarget::Local => {
            let mut logging = own.unwrap_or(Logging { driver: "json-file".into(), options: BTreeMap::new() });
            if matches!(logging.driver.as_str(), "json-file" | "local") {
                for (key, value) in owned(ROTATION) {
                    logging.options.entry(key).or_insert(value);
                }
            }
            Ok(logging)
        }
    }
}

fn owned<const N: usize>(options: [(&str, &str); N]) -> BTreeMap<String, String> {
    options.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

fn template(at: &At<'_>) -> Result<Logging, ComposeError> {
    at.only(&["driver", "options"])?;
    let driver = match at.field("driver") {
        None => "json-file".to_owned(),
        Some(driver) => {
            let text = driver.text()?;
            if !DRIVERS.contains(&text.as_str()) {
                return driver
                    .refuse(format!("must be one of {}; a host's own setting sends to syslog", DRIVERS.join(", ")));
            }
            text
        }
    };
    let mut options = BTreeMap::new();
    if let Some(listed) = at.field("options") {
        for (key, value) in listed.entries()? {
            options.insert(key.to_owned(), value.text()?);
        }
    }
    Ok(Logging { driver, options })
}
