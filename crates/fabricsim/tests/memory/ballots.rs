//! The two ways in which a committed block could be lost that chance hardly ever finds, told step by step.

use std::cell::Cell;
use std::sync::Arc;

use fabricsim::{Message, Network, Peer, Reply, UnixNanos, Unreachable};

use crate::support::config;

/// Delivers what `rule` lets through, of messages to the peer of that number.
struct Ruled<'a> {
    peers: &'a [Arc<Peer>],
    rule: &'a dyn Fn(usize, &Message) -> bool,
}

impl Network for Ruled<'_> {
    fn call(&self, address: &str, message: Message, now: UnixNanos) -> Result<Reply, Unreachable> {
        let n =
            address.strip_prefix("vp").and_then(|rest| rest.strip_suffix(":7051")).unwrap().parse::<usize>().unwrap();
        // What waits at one is not handed on: else both would order the same.
        let lost = matches!(message, Message::Submit { .. }) || !(self.rule)(n, &message);
        if lost { Err(Unreachable) } else { Ok(self.peers[n].handle(message, now)) }
    }

    fn is_connected(&self, _address: &str) -> bool {
        true
    }
}

/// Four that have met, with one transaction at `vp0` and another at `vp1`, both due.
fn four() -> (Vec<Arc<Peer>>, UnixNanos) {
    let mut now = UnixNanos(1_000_000_000);
    let peers: Vec<_> = (0..4).map(|n| Arc::new(Peer::new(config(n, 4, "pbft"), now))).collect();
    (0..4).for_each(|n| peers[n].set_address(&format!("vp{n}:7051")));
    let network = Ruled { peers: &peers, rule: &|_, _| true };
    peers.iter().chain(&peers).for_each(|peer| peer.poll(&network, now));
    for (n, name) in [(0, "x"), (1, "y")] {
        let body = format!(
            r#"{{"jsonrpc":"2.0","method":"invoke","params":{{"chaincodeID":{{"name":"{name}"}},"ctorMsg":{{"args":["f"]}}}},"id":1}}"#
        );
        peers[n].rest(&network, "POST", "/chaincode", body.as_bytes(), now);
    }
    now.0 += 2_000_000_000;
    (peers, now)
}

/// `vp1` orders while `vp0` is away, and is the only one to learn that it has succeeded.
fn vp1_commits_and_nobody_hears(peers: &[Arc<Peer>], now: UnixNanos) {
    let rule = |to: usize, message: &Message| to != 0 && !matches!(message, Message::Commit { .. });
    peers[1].poll(&Ruled { peers, rule: &rule }, now);
    assert_eq!([0, 1, 2, 3].map(|n| peers[n].height()), [1, 2, 1, 1]);
}

fn all_agree_with_vp1(peers: &[Arc<Peer>], mut now: UnixNanos) {
    let committed = peers[1].chain();
    // Without vp1, who could tell them.
    let without = Ruled { peers, rule: &|to, _| to != 1 };
    for _ in 0..5 {
        now.0 += 2_000_000_000;
        [0, 2, 3].iter().for_each(|n| peers[*n].poll(&without, now));
    }
    for n in [0, 2, 3] {
        assert_eq!(peers[n].chain()[..2], committed[..2], "vp{n}");
        assert_eq!(peers[n].height(), 3, "the other transaction follows");
    }
}

#[test]
fn a_newer_proposal_outbids_an_older_one_that_nobody_else_holds() {
    let (peers, now) = four();
    let rule = |_, message: &Message| !matches!(message, Message::Propose { .. });
    peers[0].poll(&Ruled { peers: &peers, rule: &rule }, now);
    vp1_commits_and_nobody_hears(&peers, now);
    all_agree_with_vp1(&peers, now);
}

#[test]
fn a_proposal_that_comes_too_late_is_refused() {
    let (peers, now) = four();
    let overtaken = Cell::new(false);
    let rule = |_, message: &Message| {
        if matches!(message, Message::Propose { .. }) && !overtaken.replace(true) {
            vp1_commits_and_nobody_hears(&peers, now);
        }
        true
    };
    peers[0].poll(&Ruled { peers: &peers, rule: &rule }, now);
    assert!(overtaken.get());
    assert_eq!(peers[0].height(), 1);
    all_agree_with_vp1(&peers, now);
}
