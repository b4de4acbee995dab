//! The rules for a host's fields.

use common::model::{LogLevel, LogTarget, SlotLayout};
use proptest::prelude::*;

use super::{Fault, HostInput};

fn good() -> HostInput {
    HostInput { name: "h1".into(), daemon_url: "tcp://10.0.0.1:2375".into(), ..HostInput::blank(LogLevel::Info) }
}

fn faults(input: &HostInput) -> Vec<Fault> {
    input.parse(&SlotLayout::default(), &[], 0).err().unwrap_or_default()
}

#[track_caller]
fn check_fault(input: HostInput, field: &str, words: &str) {
    let found = faults(&input);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].field, field);
    assert!(found[0].reason.contains(words), "{:?} should say {words:?}", found[0].reason);
}

#[test]
fn what_is_left_out_follows_from_the_rest() {
    let input = HostInput { bind_address: String::new(), ..good() };
    let settings = input.parse(&SlotLayout::default(), &[], 0).unwrap();
    assert_eq!(settings.address, "10.0.0.1", "by default users reach the host where admin does");
    assert_eq!(settings.bind_address.to_string(), "0.0.0.0");
    assert_eq!(settings.log_target, LogTarget::Local);
    assert_eq!(settings.chaincode_endpoint, None);
}

#[test]
fn a_socket_needs_an_address_for_users() {
    let input = HostInput { daemon_url: "unix:///var/run/docker.sock".into(), ..good() };
    check_fault(input.clone(), "address", "unix://");
    assert_eq!(faults(&HostInput { address: "192.0.2.7".into(), ..input }), []);
}

#[test]
fn each_field_is_refused_with_its_own_words() {
    check_fault(HostInput { name: "a b".into(), ..good() }, "name", "letters, digits");
    check_fault(HostInput { name: "seventeen-letters".into(), ..good() }, "name", "at most 16");
    check_fault(HostInput { daemon_url: "http://h:1".into(), ..good() }, "daemon_url", "tcp://HOST:2375");
    check_fault(HostInput { address: "10.0.0.1:80".into(), ..good() }, "address", "without a port");
    check_fault(HostInput { bind_address: "eth0".into(), ..good() }, "bind_address", "IP address");
    check_fault(HostInput { capacity: "many".into(), ..good() }, "capacity", "whole number");
    check_fault(HostInput { capacity: "-1".into(), ..good() }, "capacity", "whole number");
    check_fault(HostInput { capacity: "258".into(), ..good() }, "capacity", "at most 257");
    check_fault(HostInput { capacity: "99999999999".into(), ..good() }, "capacity", "0 to 1000");
    check_fault(HostInput { log_level: "loud".into(), ..good() }, "log_level", "debug, info");
    check_fault(HostInput { log_type: "journal".into(), ..good() }, "log_type", "local or syslog");
    check_fault(HostInput { log_type: "syslog".into(), ..good() }, "log_server", "udp://HOST:PORT");
    check_fault(HostInput { log_server: "udp://a:1".into(), ..good() }, "log_server", "only for the log type syslog");
    check_fault(HostInput { mix: "pbft=1".into(), ..good() }, "mix", "names pbft, which is no flavor");
    check_fault(HostInput { chaincode_endpoint: "docker".into(), ..good() }, "chaincode_endpoint", "or empty");
}

#[test]
fn a_syslog_server_and_a_chaincode_endpoint_keep_their_schemes() {
    let input = HostInput {
        log_type: "syslog".into(),
        log_server: "udp://logs.example:514".into(),
        chaincode_endpoint: "http://172.17.0.1:2375".into(),
        ..good()
    };
    let settings = input.parse(&SlotLayout::default(), &[], 0).unwrap();
    assert_eq!(settings.log_target, LogTarget::Syslog { server: "udp://logs.example:514".into() });
    assert_eq!(settings.chaincode_endpoint.as_deref(), Some("http://172.17.0.1:2375"));
}

#[test]
fn every_fault_is_told_at_once() {
    let input = HostInput { name: String::new(), capacity: "x".into(), log_level: "y".into(), ..good() };
    let fields: Vec<String> = faults(&input).into_iter().map(|fault| fault.field).collect();
    assert_eq!(fields, ["name", "capacity", "log_level"]);
}

#[test]
fn a_capacity_below_what_is_there_is_refused_and_the_way_out_is_told() {
    let found = HostInput { capacity: "2".into(), ..good() }.parse(&SlotLayout::default(), &[], 3).unwrap_err();
    assert!(found[0].reason.contains("3 clusters") && found[0].reason.contains("keep filled"), "{found:?}");
}

proptest! {
    #[test]
    fn any_text_in_any_field_is_taken_or_refused_by_name(texts in proptest::collection::vec(".{0,40}", 10)) {
        let [name, daemon_url, address, bind_address, capacity, log_level, log_type, log_server, chaincode_endpoint, mix] =
            <[String; 10]>::try_from(texts).unwrap();
        let input = HostInput {
            name, daemon_url, address, bind_address, capacity, log_level, log_type, log_server, chaincode_endpoint, mix,
            schedulable: true, autofill: true,
        };
        if let Err(faults) = input.parse(&SlotLayout::default(), &[], 0) {
            prop_assert!(!faults.is_empty());
        }
    }
}
