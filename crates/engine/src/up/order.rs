//! The order of starts: checks that there is one.

use std::collections::BTreeSet;

use common::compose::ServiceSpec;

use crate::EngineError;

/// Every service must come after those it depends on, which also rules out circles. The parser sees to it; a project that
/// broke the rule would wait for itself for ever.
pub(crate) fn check(services: &[ServiceSpec]) -> Result<(), EngineError> {
    let mut before = BTreeSet::new();
    for service in services {
        if let Some(missing) = service.depends_on.keys().find(|on| !before.contains(on)) {
            return Err(EngineError::Refused {
                what: format!("service {}", service.node),
                status: 0,
                message: format!("it waits for {missing}, which is not among the services before it"),
            });
        }
        if !before.insert(&service.node) {
            return Err(EngineError::Refused {
                what: format!("service {}", service.node),
                status: 0,
                message: "it is there twice".to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::service;

    #[test]
    fn a_service_comes_after_those_it_waits_for() {
        assert_eq!(check(&[service("a", &[]), service("b", &["a"]), service("c", &["a", "b"])]), Ok(()));
    }

    #[test]
    fn a_circle_or_a_stranger_is_refused_by_name() {
        let refusal = check(&[service("a", &["b"]), service("b", &["a"])]).expect_err("a circle").to_string();
        assert!(refusal.contains("service a") && refusal.contains("waits for b"), "{refusal}");
        assert!(check(&[service("a", &["nobody"])]).is_err());
        assert!(check(&[service("a", &["a"])]).is_err());
        assert!(check(&[service("a", &[]), service("a", &[])]).is_err());
    }
}
