use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::{ClusterName, HostName, UserId};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn node(name: &str) -> NodeName {
    NodeName::parse(name).unwrap()
}

fn fresh() -> Cluster {
    let host_name = HostName::parse("h").unwrap();
    Cluster::begin(NewCluster {
        id: ClusterId::random(),
        name: ClusterName::of(&host_name, Slot(0)),
        host: HostId::random(),
        host_name,
        slot: Slot(0),
        flavor: FlavorId::parse("fabric-0.6-noops-4").unwrap(),
        flavor_digest: "d".into(),
        size: 4,
        nodes: ["vp0", "vp1"].map(node).to_vec(),
        endpoints: BTreeMap::new(),
        now: at(0),
        deadline: at(1000),
    })
}

fn lease(user: &str) -> Lease {
    Lease {
        id: LeaseId::random(),
        user: UserId::parse(user).unwrap(),
        nth: 1,
        key: None,
        applied_at: at(5),
        metadata: BTreeMap::new(),
    }
}

#[derive(Clone, Debug)]
enum Try {
    OfferOut,
    OfferAgain,
    Withdraw,
    Claim,
    Release,
    Fail,
    Remove,
    Lose,
    Stop,
    Seen(bool),
}

fn carry_out(c: &Cluster, t: &Try, now: Timestamp) -> Option<Cluster> {
    let why = Why::PoolShrunk;
    match t {
        Try::OfferOut => c.offer_out(0.5, at(i64::MAX), now).ok(),
        Try::OfferAgain => c.offer_again(0.5, at(i64::MAX), now).ok(),
        Try::Withdraw => c.withdraw().ok(),
        Try::Claim => c.claim(lease("u"), now).ok(),
        Try::Release => c.release("u", now).ok(),
        Try::Fail => c.fail(why, now).ok(),
        Try::Remove => c.remove(why, now).ok(),
        Try::Lose => c.lose("gone".into(), now).ok(),
        Try::Stop => c.wish(&NodeScope::All, WishChange::Stop).ok().flatten(),
        Try::Seen(true) => Some(c.seen(vec![], Health::Ok)),
        Try::Seen(false) => Some(c.seen(vec![], c.worse("ill".into(), now))),
    }
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let one = prop_oneof![
        Just(Try::OfferOut),
        Just(Try::OfferAgain),
        Just(Try::Withdraw),
        Just(Try::Claim),
        Just(Try::Release),
        Just(Try::Fail),
        Just(Try::Remove),
        Just(Try::Lose),
        Just(Try::Stop),
        any::<bool>().prop_map(Try::Seen),
    ];
    prop::collection::vec(one, 0..40)
}

proptest! {
    #[test]
    fn whatever_happens_a_life_keeps_its_rules(tries in tries()) {
        let mut c = fresh();
        let mut had_user = false;
        for (i, t) in tries.iter().enumerate() {
            let Some(next) = carry_out(&c, t, at(10 + i as i64)) else { continue };
            let (was, is) = (c.phase.kind(), next.phase.kind());
            // An offer stands on a healthy Free cluster and nowhere else.
            if next.offer.is_some() {
                prop_assert_eq!(is, PhaseKind::Free);
                prop_assert_eq!(&next.health, &Health::Ok);
            }
            // Held once, never free again: a released cluster is never handed out again.
            had_user |= is == PhaseKind::InUse;
            if had_user {
                prop_assert!(!matches!(is, PhaseKind::Free | PhaseKind::Creating | PhaseKind::Failed | PhaseKind::Removing));
                prop_assert!(next.lease().is_some());
            }
            // A lease ends by release or loss only.
            if was == PhaseKind::InUse && is != was {
                prop_assert!(matches!(is, PhaseKind::Releasing | PhaseKind::Lost));
                prop_assert!(next.lease_record().is_some());
            }
            // Every change is a new version, and a move back is impossible.
            prop_assert!(next == c || next.version == c.version + 1);
            prop_assert!(is >= was || (was, is) == (PhaseKind::Failed, PhaseKind::Removing));
            c = next;
        }
    }

    #[test]
    fn a_phase_survives_its_json(tries in tries()) {
        let mut c = fresh();
        for t in &tries {
            if let Some(next) = carry_out(&c, t, at(10)) { c = next; }
        }
        let text = serde_json::to_string(&c).unwrap();
        prop_assert_eq!(serde_json::from_str::<Cluster>(&text).unwrap(), c);
    }
}

#[test]
fn an_expired_offer_is_not_taken() {
    let c = fresh().offer_out(0.1, at(100), at(50)).unwrap();
    assert!(c.claim(lease("a"), at(99)).is_ok());
    assert!(c.claim(lease("a"), at(100)).is_err());
}

#[test]
fn a_second_claim_is_refused() {
    let c = fresh().offer_out(0.1, at(100), at(50)).unwrap().claim(lease("a"), at(60)).unwrap();
    assert_eq!(c.claim(lease("b"), at(61)).unwrap_err().from, PhaseKind::InUse);
}

#[test]
fn a_wish_is_done_when_the_nodes_are_as_wanted() {
    let mut c = fresh().offer_out(0.1, at(100), at(50)).unwrap().claim(lease("a"), at(60)).unwrap();
    let running = |seq| Node { container: Some("x".into()), state: NodeState::Running, restarted_seq: seq };
    c = c.seen(vec![(node("vp0"), running(0)), (node("vp1"), running(0))], Health::Ok);
    assert!(c.wishes_done());
    c = c.wish(&NodeScope::One(node("vp1")), WishChange::Restart).unwrap().unwrap();
    assert!(c.wish_done(&node("vp0")) && !c.wish_done(&node("vp1")));
    c = c.seen(vec![(node("vp1"), running(1))], Health::Ok);
    assert!(c.wishes_done());
    assert_eq!(c.wish(&NodeScope::One(node("vp9")), WishChange::Stop), Ok(None));
}
