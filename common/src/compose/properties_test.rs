//! Planning holds for any text: it never panics, and no port leaves the slot's block.

use proptest::prelude::*;

use super::testing::{file_with, id, plan, slot_2, variables};
use super::{Catalog, CatalogSettings, Placement, Template};
use crate::model::PortRange;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Good templates with pieces cut out, doubled and put in: most are refused, none panics, and what is planned
    /// keeps to its block.
    #[test]
    fn no_text_makes_planning_panic_and_no_port_leaves_its_block(
        start in 0usize..4000, length in 0usize..60, at in 0usize..4000,
        piece in prop_oneof![
            "[a-z0-9:{}\\[\\]\"'$ \\-&*<>|%#\n/.é]{0,12}",
            Just("0-65535:0-65535".to_owned()), Just("99999999999999999999".to_owned()), Just("{{ size * 99999 }}".to_owned()),
            Just("-1".to_owned()), Just("null".to_owned()), Just("~".to_owned()), Just("<<: *peer".to_owned()), Just("1e999".to_owned()),
        ],
        tools in any::<bool>(),
    ) {
        let text = if tools { include_str!("testdata/with-tools.yml") } else { include_str!("../../templates/fabric-0.6.yml") };
        let mut chars: Vec<char> = text.chars().collect();
        let start = start % chars.len();
        let end = (start + length).min(chars.len());
        chars.drain(start..end);
        let at = at % (chars.len() + 1);
        chars.splice(at..at, piece.chars());
        let text: String = chars.into_iter().collect();
        if let Ok(template) = Template::parse(id("t"), &text) {
            let settings = CatalogSettings { variables: variables(&[("PEER_IMAGE", "i")]) };
            let place = slot_2();
            for flavor in template.flavors() {
                if let Ok(project) = template.plan(&flavor, &place, &settings.variables) {
                    let ports = project.services.iter().flat_map(|service| &service.ports);
                    prop_assert!(ports.into_iter().all(|port| place.ports.contains(port.host_port)));
                    prop_assert!(project.endpoints.values().all(|endpoint| place.ports.contains(endpoint.port)));
                }
            }
            let _ = Catalog::of(vec![template], &settings);
        }
    }

    #[test]
    fn a_port_is_published_if_and_only_if_it_is_in_the_block(
        host in 1u16..=65534, first in 1u16..60000, count in 1u16..2000, near in any::<bool>(),
    ) {
        let host = if near { first.saturating_add(count / 2) } else { host };
        let place = Placement { ports: PortRange { first, count }, ..slot_2() };
        prop_assume!(host != first);
        let text = file_with(&format!("%  b: {{image: i, ports: [\"{host}:80\"]}}"));
        match plan(&text, &variables(&[]), &place) {
            Ok(project) => {
                prop_assert!(place.ports.contains(host));
                prop_assert!(project.services.iter().flat_map(|s| &s.ports).all(|port| place.ports.contains(port.host_port)));
            }
            Err(refusal) => {
                prop_assert!(!place.ports.contains(host), "{}", refusal);
                prop_assert!(refusal.message.contains(&host.to_string()), "{}", refusal);
            }
        }
    }

    #[test]
    fn no_value_makes_planning_panic(
        field in prop::sample::select(vec![
            "ports", "volumes", "tmpfs", "command", "entrypoint", "environment", "networks", "depends_on", "restart",
            "mem_limit", "memswap_limit", "cpus", "cpu_quota", "pids_limit", "logging", "healthcheck", "deploy",
            "extends", "hostname", "user", "stop_grace_period", "labels", "cap_add", "image", "security_opt",
        ]),
        value in "[a-z0-9:{},\\[\\]\"$/\\-. é]{0,20}",
    ) {
        let _ = plan(&file_with(&format!("{field}: {value}")), &variables(&[]), &slot_2());
    }

    #[test]
    fn no_text_at_all_makes_parsing_panic(text in "\\PC{0,80}", lines in prop::collection::vec("[ \\-a-z:{}%\\[\\]]{0,10}", 0..8)) {
        let _ = Template::parse(id("t"), &text);
        let _ = Template::parse(id("t"), &lines.join("\n"));
        let _ = Template::parse(id("t"), &format!("x-poolmanager: {{title: T}}\n---\n{}", lines.join("\n")));
    }
}
