//! Which service starts after which.

use super::{ComposeError, ServiceSpec};
use crate::model::NodeName;

/// Each after those it depends on, else in the file's order.
pub(super) fn by_dependency(services: Vec<ServiceSpec>) -> Result<Vec<ServiceSpec>, ComposeError> {
    let mut rest = services;
    let mut ordered: Vec<ServiceSpec> = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let ready = |service: &ServiceSpec| {
            service.depends_on.keys().all(|node| ordered.iter().any(|earlier| earlier.node == *node))
        };
        match rest.iter().position(ready) {
            Some(place) => ordered.push(rest.remove(place)),
            None => return Err(circle(&rest)),
        }
    }
    Ok(ordered)
}

/// Each of these waits for another of them, so following that leads back.
fn circle(waiting: &[ServiceSpec]) -> ComposeError {
    let next = |node: &NodeName| {
        let service = waiting.iter().find(|service| service.node == *node)?;
        service.depends_on.keys().find(|on| waiting.iter().any(|service| service.node == **on)).cloned()
    };
    let mut trail: Vec<NodeName> = waiting.first().map(|service| service.node.clone()).into_iter().collect();
    while let Some(node) = trail.last().and_then(next) {
        let seen = trail.iter().position(|earlier| *earlier == node);
        trail.push(node);
        if let Some(start) = seen {
            trail.drain(..start);
            break;
        }
    }
    let names: Vec<&str> = trail.iter().map(NodeName::as_str).collect();
    let path = format!("services.{}.depends_on", names.first().unwrap_or(&""));
    ComposeError::new(path, format!("goes round in a circle: {}", names.join(" -> ")))
}
