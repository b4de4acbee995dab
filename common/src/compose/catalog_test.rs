//! The catalog, and what ships in it, field by field.

use std::collections::BTreeMap;

use serde_json::Value;

use super::testing::{id, shipped, slot_2, variables};
use super::{Catalog, CatalogSettings, HttpProbe, Template};
use crate::model::{Flavor, FlavorId, HostKind, LogLevel, LogTarget, PortRange};

const WITH_TOOLS: &str = include_str!("testdata/with-tools.yml");

#[test]
fn fabric_ships_with_its_default_first() {
    let catalog = shipped(&[]);
    let listed: Vec<String> = catalog.flavors().iter().map(|f| format!("{} {} | {}", f.id, f.size, f.title)).collect();
    assert_eq!(
        listed,
        [
            "fabric-0.6-pbft-batch-4 4 | Hyperledger Fabric 0.6, pbft/batch, 4 peers",
            "fabric-0.6-pbft-batch-6 6 | Hyperledger Fabric 0.6, pbft/batch, 6 peers",
            "fabric-0.6-noops-4 4 | Hyperledger Fabric 0.6, noops, 4 peers",
            "fabric-0.6-noops-6 6 | Hyperledger Fabric 0.6, noops, 6 peers",
        ]
    );
    assert_eq!(catalog.flavors()[2].consensus_mode(), "");
}

#[test]
fn clients_find_flavors_by_plugin_mode_and_size() {
    let catalog = shipped(&[]);
    for (plugin, mode, size, expected) in [
        (None, None, None, "pbft-batch-4 pbft-batch-6 noops-4 noops-6"),
        (Some("pbft"), None, None, "pbft-batch-4 pbft-batch-6"),
        (Some("pbft"), Some("batch"), Some(6), "pbft-batch-6"),
        (Some("pbft"), Some("sieve"), None, ""),
        (Some("noops"), None, Some(4), "noops-4"),
        (Some("noops"), Some("batch"), None, ""),
        (None, None, Some(6), "pbft-batch-6 noops-6"),
        (None, None, Some(5), ""),
    ] {
        let found: Vec<String> = catalog
            .matching(plugin, mode, size)
            .iter()
            .map(|id| id.as_str().trim_start_matches("fabric-0.6-").to_owned())
            .collect();
        assert_eq!(found.join(" "), expected, "{plugin:?} {mode:?} {size:?}");
    }
}

/// Both values, and the paths at which they differ.
fn differences(path: &str, golden: &Value, now: &Value, out: &mut Vec<String>) {
    match (golden, now) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let get = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or("(absent)".into());
                differences(&format!("{path}.{key}"), &get(a), &get(b), out);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}[{i}]"), a, b, out);
            }
        }
        _ if golden == now => {}
        _ => out.push(format!("{path}: {golden} is now {now}")),
    }
}

fn check_golden(name: &str, golden: &str, project: &super::Project) {
    let golden: Value = serde_json::from_str(golden).expect("the golden file is JSON");
    let now = serde_json::to_value(project).expect("a project is JSON");
    let mut out = Vec::new();
    differences("", &golden, &now, &mut out);
    let whole = serde_json::to_string_pretty(&now).expect("a project is JSON");
    assert!(out.is_empty(), "{name} differs:\n{}\nIf that is meant, the file becomes:\n{whole}", out.join("\n"));
}

#[test]
fn fabric_in_slot_2_is_planned_as_written_down() {
    let catalog = shipped(&[]);
    let project = catalog.plan(&catalog.flavors()[0], &slot_2()).expect("planned");
    check_golden("fabric-0.6-pbft-batch-4", include_str!("testdata/fabric-0.6-pbft-batch-4.json"), &project);
}

#[test]
fn volumes_checks_and_one_shot_tools_are_planned_as_written_down() {
    let template = Template::parse(id("with-tools"), WITH_TOOLS).expect("good");
    let settings = CatalogSettings { variables: variables(&[("PEER_IMAGE", "peer:2.5")]) };
    let catalog = Catalog::of(vec![template], &settings).expect("good");
    let flavor = &catalog.flavors()[0];
    assert_eq!((flavor.id.as_str(), flavor.size, flavor.title.as_str()), ("with-tools", 4, "With tools"));
    let project = catalog.plan(flavor, &slot_2()).expect("planned");
    check_golden("with-tools", include_str!("testdata/with-tools.json"), &project);
}

#[test]
fn every_flavor_of_fabric_has_a_peer_and_an_endpoint_for_each_of_its_size() {
    let catalog = shipped(&[]);
    for flavor in catalog.flavors() {
        let project = catalog.plan(flavor, &slot_2()).expect("planned");
        let size = usize::try_from(flavor.size).expect("small");
        assert_eq!(project.services.len(), size, "{}", flavor.id);
        assert_eq!(project.endpoints.len(), 4 + 2 * (size - 1), "{}", flavor.id);
        let pbft = flavor.consensus_plugin() == "pbft";
        for service in &project.services {
            let said = |key: &str| service.environment.get(key).map(String::as_str);
            assert_eq!(said("CORE_PEER_VALIDATOR_CONSENSUS_PLUGIN"), Some(flavor.consensus_plugin()));
            assert_eq!(said("CORE_PBFT_GENERAL_N"), pbft.then_some(flavor.param("size")));
            assert_eq!(said("CORE_NOOPS_BLOCK_WAIT"), (!pbft).then_some("2"));
        }
    }
}

#[test]
fn a_place_shows_in_the_plan() {
    let catalog = shipped(&[("FABRIC_PEER_IMAGE", "sim/peer:1")]);
    let place = super::Placement {
        log_target: LogTarget::Syslog { server: "udp://10.0.0.9:514".into() },
        log_level: LogLevel::Debug,
        kind: HostKind::Swarm,
        chaincode_endpoint: Some("tcp://10.0.0.1:2375/\"$x".into()),
        bind_address: "127.0.0.7".parse().expect("an address"),
        ..slot_2()
    };
    let project = catalog.plan(&catalog.flavors()[0], &place).expect("planned");
    assert_eq!(project.networks[0].driver, "overlay");
    for service in &project.services {
        assert_eq!(service.image, "sim/peer:1");
        assert_eq!(service.logging.driver, "syslog");
        assert_eq!(service.logging.options["syslog-address"], "udp://10.0.0.9:514");
        assert_eq!(service.environment["CORE_LOGGING_LEVEL"], "debug");
        assert_eq!(service.environment["CORE_VM_ENDPOINT"], "tcp://10.0.0.1:2375/\"$x");
        assert!(service.ports.iter().all(|port| port.host_ip == place.bind_address));
    }
}

#[test]
fn another_image_is_another_digest_and_an_unrelated_variable_is_not() {
    let digest = |pairs: &[(&str, &str)]| shipped(pairs).flavors()[0].digest.clone();
    assert_eq!(digest(&[]), digest(&[("OTHER", "x")]));
    assert_ne!(digest(&[]), digest(&[("FABRIC_PEER_IMAGE", "x")]));
    let catalog = shipped(&[]);
    let from_template = catalog.template(&id("fabric-0.6")).expect("ships").flavors();
    assert_eq!(from_template, catalog.flavors(), "without variables both are the same");
    let mut digests: Vec<&String> = catalog.flavors().iter().map(|flavor| &flavor.digest).collect();
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 4, "each flavor has its own");
}

#[test]
fn the_hash_of_a_service_changes_with_what_it_runs() {
    let plan = |pairs: &[(&str, &str)]| {
        let catalog = shipped(pairs);
        catalog.plan(&catalog.flavors()[0], &slot_2()).expect("planned").services[0].config_hash.clone()
    };
    assert_eq!(plan(&[]), plan(&[]));
    assert_ne!(plan(&[]), plan(&[("FABRIC_PEER_IMAGE", "other:1")]));
}

#[test]
fn a_flavor_that_does_not_exist_is_refused_by_what_is_wrong_with_it() {
    let catalog = shipped(&[]);
    let good = catalog.flavors()[0].clone();
    let with = |changes: &[(&str, &str)]| {
        let params: BTreeMap<String, String> = variables(changes);
        Flavor { params, ..good.clone() }
    };
    for (flavor, path, word) in [
        (Flavor { template: id("fabric-9"), ..good.clone() }, "", "no template fabric-9; there are: fabric-0.6"),
        (with(&[("colour", "red")]), "colour", "is no parameter of this template; there are: consensus_plugin,"),
        (with(&[("consensus_plugin", "raft")]), "consensus_plugin", "may be pbft, noops, not \"raft\""),
        (with(&[("consensus_plugin", "pbft"), ("size", "4")]), "", "no such combination"),
        (with(&[("consensus_plugin", "noops"), ("consensus_mode", "batch"), ("size", "4")]), "", "no such combination"),
    ] {
        let refusal = catalog.plan(&flavor, &slot_2()).expect_err(word);
        assert_eq!(refusal.path, path, "{refusal}");
        assert!(refusal.message.contains(word), "{refusal}");
    }
    assert!(catalog.flavor(&FlavorId::parse("fabric-0.6-raft").expect("an id")).is_none());
}

#[test]
fn a_block_too_small_for_the_template_is_refused_with_the_port() {
    let catalog = shipped(&[]);
    let place = super::Placement { ports: PortRange { first: 9000, count: 9 }, ..slot_2() };
    let refusal = catalog.plan(&catalog.flavors()[0], &place).expect_err("too small");
    assert_eq!(refusal.path, "services.vp3.ports[1]");
    assert!(refusal.message.contains("host port 9009 is outside of the slot's block 9000-9008"), "{refusal}");
}

#[test]
fn a_variable_that_a_template_needs_is_missed_when_the_catalog_is_made() {
    let template = Template::parse(id("with-tools"), WITH_TOOLS).expect("good");
    let refusal = Catalog::of(vec![template], &CatalogSettings::default()).expect_err("no image");
    let expected = "template with-tools: services.peer.image: needs the variable PEER_IMAGE: set PEER_IMAGE";
    assert_eq!(refusal.to_string(), expected);
}

#[test]
fn fabric_is_proven_by_its_peers_and_its_chain() {
    let catalog = shipped(&[]);
    let project = catalog.plan(&catalog.flavors()[1], &slot_2()).expect("planned");
    let said = |probe: &HttpProbe| format!("{} {} {:?}", probe.endpoint, probe.path, probe.expect);
    assert_eq!(
        project.probes.iter().map(said).collect::<Vec<_>>(),
        [
            "rest /network/peers [Length { pointer: \"/peers\", is: 6 }]",
            "rest /chain [AtLeast { pointer: \"/height\", value: 1.0 }]",
        ]
    );
    assert_eq!(project.offspring_prefixes, ["5f0c1e2d3a4b5c6d7e8f9001-"]);
}

#[test]
fn the_example_of_the_document_is_a_template() {
    let document = include_str!("../../../docs/templates.md");
    let example = document.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let catalog =
        Catalog::of(vec![Template::parse(id("example"), example).expect("good")], &CatalogSettings::default());
    let catalog = catalog.expect("planned");
    let ids: Vec<&str> = catalog.flavors().iter().map(|flavor| flavor.id.as_str()).collect();
    assert_eq!(ids, ["example-4", "example-6"]);
    assert_eq!(catalog.flavors()[0].title, "Example chain, 4 nodes");
}

#[test]
fn every_file_that_ships_is_in_the_catalog() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let files = std::fs::read_dir(folder).expect("the folder of templates");
    for file in files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()) {
        let name = file.strip_suffix(".yml").unwrap_or_else(|| panic!("{file} is no template"));
        assert!(shipped(&[]).template(&id(name)).is_some(), "{name}");
    }
}
