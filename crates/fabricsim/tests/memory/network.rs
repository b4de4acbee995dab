//! What a network of peers does when some are killed, frozen or made anew, as measured on real Fabric 0.6.

use std::sync::Arc;

use crate::support::{Town, config, ip};
use fabricsim::Peer;
use proptest::prelude::*;

#[test]
fn every_peer_lists_all_and_itself_last() {
    let town = Town::new(6, "pbft");
    for n in 0..6 {
        let peers = town.get(n, "/network/peers")["peers"].as_array().unwrap().clone();
        assert_eq!((peers.len(), &peers[5]["ID"]["name"]), (6, &format!("vp{n}").into()));
        assert_eq!(peers[5]["address"], format!("{}:7051", ip(n)));
    }
    let orders: std::collections::HashSet<_> = (0..50).map(|_| town.get(0, "/network/peers").to_string()).collect();
    assert!(orders.len() > 1, "the order of the others is random");
}

#[test]
fn a_killed_peer_is_missing_at_the_next_poll_and_back_once_started() {
    let town = Town::new(4, "pbft");
    assert_eq!(town.listed(0).len(), 4);
    town.kill(2);
    assert_eq!(town.listed(0), ["vp0", "vp1", "vp3"]);
    assert_eq!(town.ask(2, "GET", "/chain", ""), None);
    town.start(2);
    assert_eq!((town.listed(0).len(), town.listed(2).len()), (4, 4));
}

#[test]
fn without_the_root_the_others_still_list_each_other() {
    let town = Town::new(4, "pbft");
    town.mesh.settle(town.now);
    town.kill(0);
    assert_eq!(town.listed(3), ["vp1", "vp2", "vp3"]);
    town.kill(1);
    town.start(1);
    assert_eq!(
        town.listed(1),
        ["vp1", "vp2", "vp3"],
        "a peer that starts while the root is away finds those it met before"
    );
}

#[test]
fn a_frozen_peer_is_listed_and_answers_nothing() {
    let mut town = Town::new(4, "pbft");
    town.mesh.settle(town.now);
    town.mesh.pause(ip(0));
    assert_eq!(town.ask(0, "GET", "/chain", ""), None);
    assert_eq!(town.listed(1).len(), 4);
    town.invoke(1);
    town.pass(5);
    assert_eq!(town.height(3), 2, "three of four are a quorum, whoever is frozen");
    town.mesh.unpause(ip(0));
    assert_eq!(town.height(0), 2);
}

#[test]
fn peers_of_another_network_are_strangers() {
    let town = Town::new(2, "noops");
    let mut other = config(1, 4, "noops");
    other.network_id = "elsewhere".to_owned();
    other.id = "vp7".to_owned();
    town.mesh.attach(ip(7), &[], Arc::new(Peer::new(other, town.now)));
    assert_eq!((town.listed(0), town.listed(7)), (vec!["vp0".into(), "vp1".into()], vec!["vp7".into()]));
}

#[test]
fn a_transaction_reaches_the_ledger_of_every_peer() {
    let mut town = Town::new(4, "pbft");
    let deployed = town.rpc(3, "deploy", "mycc", &["init", "a", "100", "b", "200"]);
    assert_eq!(deployed["result"]["message"], "mycc");
    town.pass(2);
    town.rpc(2, "invoke", "mycc", &["invoke", "a", "b", "10"]);
    town.pass(2);
    for n in 0..4 {
        assert_eq!(town.rpc(n, "query", "mycc", &["query", "a"])["result"]["message"], "90");
        assert_eq!(town.height(n), 3);
        assert_eq!(town.peers[n].chain(), town.peers[0].chain());
        assert_eq!(town.get(n, "/chain/blocks/2")["stateHash"], town.get(0, "/chain/blocks/2")["stateHash"]);
    }
}

#[test]
fn a_batch_is_full_at_once_or_late() {
    let mut town = Town::new(4, "pbft");
    town.invoke(0);
    assert_eq!(town.height(0), 1, "one waits for a second");
    town.invoke(0);
    assert_eq!(town.height(0), 2, "two make a block");
    town.invoke(0);
    town.pass(1);
    assert_eq!(town.height(0), 3, "one that waited long enough makes one too");
}

#[test]
fn without_quorum_the_height_stands_still_until_one_returns() {
    let mut town = Town::new(4, "pbft");
    town.invoke(0);
    town.pass(2);
    town.kill(2);
    town.invoke(1);
    town.pass(2);
    assert_eq!(town.height(0), 3, "one of four dead: transactions commit");
    town.kill(3);
    town.invoke(1);
    town.pass(30);
    assert_eq!((town.height(0), town.height(1)), (3, 3), "two of four dead: OK, and the height stands still");
    town.start(2);
    town.pass(2);
    assert_eq!([0, 1, 2].map(|n| town.height(n)), [4, 4, 4], "one returned");
    town.start(3);
    assert_eq!(town.height(3), 4, "so did the other, and caught up");
}

#[test]
fn noops_commits_wherever_a_peer_runs() {
    let mut town = Town::new(4, "noops");
    (0..3).for_each(|n| town.kill(n));
    town.invoke(3);
    town.pass(3);
    assert_eq!(town.height(3), 2);
    town.start(0);
    assert_eq!(town.height(0), 2);
}

#[test]
fn histories_that_parted_under_noops_join_and_lose_no_transaction() {
    let mut town = Town::new(2, "noops");
    town.mesh.settle(town.now);
    town.rpc(0, "deploy", "cc", &["init", "a", "100", "b", "0"]);
    town.pass(3);
    town.kill(1);
    town.rpc(0, "invoke", "cc", &["invoke", "a", "b", "1"]);
    town.pass(3);
    town.rpc(0, "invoke", "cc", &["invoke", "a", "b", "2"]);
    town.pass(3);
    town.kill(0);
    town.start(1);
    town.rpc(1, "invoke", "cc", &["invoke", "a", "b", "10"]);
    town.pass(3);
    town.start(0);
    town.pass(5);
    for n in 0..2 {
        assert_eq!(town.rpc(n, "query", "cc", &["query", "a"])["result"]["message"], "87");
    }
    assert_eq!(town.peers[0].chain(), town.peers[1].chain());
}

#[test]
fn a_peer_made_anew_is_listed_at_once_and_catches_up() {
    let mut town = Town::new(4, "pbft");
    for _ in 0..10 {
        town.invoke(0);
        town.pass(1);
    }
    town.kill(3);
    town.peers[3] = Arc::new(Peer::new(config(3, 4, "pbft"), town.now));
    assert_eq!(town.peers[3].height(), 1);
    town.start(3);
    assert_eq!(town.listed(0).len(), 4);
    assert_eq!(town.peers[3].chain(), town.peers[0].chain());
    assert_eq!(town.height(3), 11);
}

#[test]
fn stop_and_start_keep_the_ledger_even_of_all() {
    let mut town = Town::new(4, "pbft");
    town.invoke(0);
    town.pass(2);
    (0..4).for_each(|n| town.kill(n));
    (0..4).for_each(|n| town.start(n));
    assert_eq!((town.height(0), town.listed(0).len()), (2, 4));
}

#[derive(Clone, Debug)]
enum Step {
    Kill(usize),
    Start(usize),
    Freeze(usize),
    Thaw(usize),
    Invoke(usize),
    Pass(u64),
}

fn steps(size: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (0..size).prop_map(Step::Kill),
        3 => (0..size).prop_map(Step::Start),
        1 => (0..size).prop_map(Step::Freeze),
        1 => (0..size).prop_map(Step::Thaw),
        4 => (0..size).prop_map(Step::Invoke),
        4 => (1..4u64).prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 1..40)
}

/// Runs the steps, then starts everybody and lets time pass.
fn live(town: &mut Town, steps: &[Step]) -> Result<(), TestCaseError> {
    let size = town.peers.len();
    let mut longest: Vec<String> = Vec::new();
    for step in steps {
        match *step {
            Step::Kill(n) => town.kill(n),
            Step::Start(n) => town.start(n),
            Step::Freeze(n) => town.mesh.pause(ip(n)),
            Step::Thaw(n) => town.mesh.unpause(ip(n)),
            Step::Invoke(n) => {
                town.ask(n, "POST", "/chaincode", r#"{"jsonrpc":"2.0","method":"invoke","params":{"chaincodeID":{"name":"x"},"ctorMsg":{"args":["y"]}},"id":1}"#);
            }
            Step::Pass(seconds) => town.pass(seconds),
        }
        if town.peers[0].config().consensus.quorum() == 1 {
            continue;
        }
        // With a quorum nothing that was ever committed is replaced, whoever is away.
        for peer in &town.peers {
            let chain = peer.chain();
            let common = chain.len().min(longest.len());
            prop_assert_eq!(&chain[..common], &longest[..common]);
            if chain.len() > longest.len() {
                longest = chain;
            }
        }
    }
    (0..size).for_each(|n| town.start(n));
    town.pass(10);
    for peer in &town.peers {
        prop_assert_eq!(peer.chain(), town.peers[0].chain());
        prop_assert!(!peer.is_busy(), "everything that waited is committed");
        prop_assert!(town.peers[0].config().consensus.quorum() == 1 || peer.replaced() == 0);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_dies_and_returns_peers_with_a_quorum_never_disagree(steps in steps(4)) {
        live(&mut Town::new(4, "pbft"), &steps)?;
    }

    #[test]
    fn so_with_six(steps in steps(6)) {
        live(&mut Town::new(6, "pbft"), &steps)?;
    }

    #[test]
    fn whoever_dies_and_returns_peers_without_quorum_agree_once_together(steps in steps(4)) {
        live(&mut Town::new(4, "noops"), &steps)?;
    }
}
