//! How settings are read.

use super::*;

fn read(vars: &[(&str, &str)]) -> Result<PeerConfig, BadSetting> {
    PeerConfig::from_env(vars.iter().copied())
}

const PBFT: (&str, &str) = ("CORE_PEER_VALIDATOR_CONSENSUS_PLUGIN", "pbft");

#[test]
fn names_may_be_in_lower_case() {
    let config = read(&[("core_peer_id", "vp3"), ("Core_Peer_NetworkId", "n")]).unwrap();
    assert_eq!((config.id.as_str(), config.network_id.as_str()), ("vp3", "n"));
}

#[test]
fn a_third_may_be_away_and_no_more() {
    let quorum = |n: &str| read(&[PBFT, ("CORE_PBFT_GENERAL_N", n)]).unwrap().consensus.quorum();
    assert_eq!(["1", "4", "6", "7"].map(quorum), [1, 3, 5, 5]);
    assert_eq!(read(&[]).unwrap().consensus.quorum(), 1, "noops needs nobody else");
}

#[test]
fn times_come_with_and_without_a_unit() {
    for (text, millis) in [("2", 2000), ("2s", 2000), ("500ms", 500), ("0", 0)] {
        let config = read(&[("CORE_NOOPS_BLOCK_TIMEOUT", text)]).unwrap();
        assert_eq!(config.batch_wait, Duration::from_millis(millis), "{text}");
    }
}

#[test]
fn a_wrong_value_is_named_with_what_is_allowed() {
    for (name, value) in [
        ("CORE_PEER_VALIDATOR_CONSENSUS_PLUGIN", "raft"),
        ("CORE_PBFT_GENERAL_N", "none"),
        ("CORE_PBFT_GENERAL_N", "0"),
        ("CORE_PBFT_GENERAL_F", "2"),
        ("CORE_PBFT_GENERAL_MODE", "fast"),
        ("CORE_PBFT_GENERAL_TIMEOUT_BATCH", "1h"),
        ("CORE_PEER_ADDRESSAUTODETECT", "perhaps"),
    ] {
        let bad = read(&[PBFT, (name, value)]).unwrap_err();
        assert_eq!((bad.name, bad.value.as_str()), (name, value), "{bad}");
    }
    let bad = ServerConfig::from_env([("CORE_REST_ADDRESS", "here")]).unwrap_err();
    assert!(bad.to_string().contains("CORE_REST_ADDRESS is \"here\"; allowed: an IP address"), "{bad}");
}

#[test]
fn an_empty_root_is_none() {
    assert_eq!(read(&[("CORE_PEER_DISCOVERY_ROOTNODE", "")]).unwrap().root, None);
}
