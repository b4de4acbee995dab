//! The pool's plan: what each host should hold, and when one gives way.

use std::time::Duration;

use common::model::{ApplyCount, FlavorId, FlavorShare, HostId, Timestamp};

use super::demand::{Demand, Mix};
use super::give_way::{GiveWay, Patience};
use super::standing::{HeldFlavor, Standing};
use super::{HostRoom, PoolPlan, plan_pool};

const MINUTE: Duration = Duration::from_secs(60);

pub fn flavor(name: &str) -> FlavorId {
    FlavorId::parse(name).unwrap()
}

pub fn id(n: usize) -> HostId {
    HostId::parse(&format!("{n:024x}")).unwrap()
}

/// A host with these waiting, all of them free.
pub fn host(n: usize, capacity: u32, waiting: &[(&str, u32)], in_use: u32) -> HostRoom {
    let waiting: std::collections::BTreeMap<_, _> = waiting.iter().map(|(name, n)| (flavor(name), *n)).collect();
    HostRoom {
        id: id(n),
        gives: true,
        fills: true,
        capacity,
        free: waiting.clone(),
        waiting,
        in_use,
        going: 0,
        mix: Vec::new(),
        standing: Standing::default(),
    }
}

/// `a 2` is a weight, `a 2 1` a weight and a minimum.
fn mix(text: &str) -> Mix {
    let share = |part: &str| {
        let mut words = part.split_whitespace();
        let flavor = flavor(words.next().unwrap());
        let mut number = || words.next().map_or(0, |n| n.parse().unwrap());
        FlavorShare { flavor, weight: number(), min_free: number() }
    };
    text.split(',').map(share).collect()
}

fn wants(plan: &PoolPlan) -> Vec<String> {
    let words = |(flavor, count): (&FlavorId, &u32)| (*count > 0).then(|| format!("{flavor}:{count}"));
    plan.targets.values().map(|target| target.want.iter().filter_map(words).collect::<Vec<_>>().join(" ")).collect()
}

fn planned(hosts: &[HostRoom], mix_text: &str) -> Vec<String> {
    wants(&plan_pool(hosts, &mix(mix_text), &Demand::default()))
}

fn exchange(hosts: &[HostRoom], mix_text: &str) -> Option<(String, String)> {
    let plan = plan_pool(hosts, &mix(mix_text), &Demand::default());
    plan.give_way.into_iter().next().map(|GiveWay { from, to, .. }| (from.to_string(), to.to_string()))
}

pub fn holds(room: &mut HostRoom, name: &str, for_long: bool) {
    let held = HeldFlavor { until: Timestamp::from_millis(1), for_long };
    room.standing.flavors.insert(flavor(name), held);
}

#[test]
fn an_empty_host_is_filled_by_weight() {
    assert_eq!(planned(&[host(1, 6, &[], 0)], "a 2, b 1"), ["a:4 b:2"]);
    assert_eq!(planned(&[host(1, 1, &[], 0)], "a 1, b 1"), ["a:1"]);
}

#[test]
fn each_flavor_gets_one_before_any_gets_two_and_the_heaviest_first() {
    assert_eq!(planned(&[host(1, 4, &[], 0)], "a 100, b 1, c 1"), ["a:2 b:1 c:1"]);
    assert_eq!(planned(&[host(1, 2, &[], 0)], "a 1, b 1, c 9"), ["a:1 c:1"]);
    assert_eq!(planned(&[host(1, 4, &[("a", 3)], 0)], "a 100, b 1"), ["a:3 b:1"]);
}

#[test]
fn minimums_come_before_weights_and_a_flavor_without_weight_gets_no_more_than_its_minimum() {
    assert_eq!(planned(&[host(1, 6, &[], 0)], "a 1, b 0 2, c 1 3"), ["a:1 b:2 c:3"]);
    assert_eq!(planned(&[host(1, 3, &[], 0)], "a 9, b 0 2, c 0 2"), ["b:2 c:1"]);
    assert_eq!(planned(&[host(1, 9, &[], 0)], "b 0 2"), ["b:2"]);
}

#[test]
fn minimums_of_the_pools_mix_are_met_anywhere() {
    let hosts = [host(1, 3, &[("a", 2)], 1), host(2, 2, &[], 0)];
    assert_eq!(planned(&hosts, "a 0 3"), ["a:2", "a:1"]);
}

#[test]
fn a_hosts_own_mix_takes_the_place_of_the_pools_there() {
    let mut own = host(1, 4, &[], 0);
    own.mix = mix("b 1, c 0 1");
    assert_eq!(planned(&[own, host(2, 2, &[], 0)], "a 1"), ["b:3 c:1", "a:2"]);
}

#[test]
fn what_is_taken_most_is_made_next() {
    assert_eq!(planned(&[host(1, 4, &[("b", 2)], 1)], "a 1, b 1"), ["a:1 b:2"]);
}

#[test]
fn hosts_fill_evenly_and_a_cordoned_one_not_at_all() {
    let mut cordoned = host(3, 9, &[("a", 1)], 0);
    cordoned.fills = false;
    let hosts = [host(1, 2, &[], 0), host(2, 2, &[], 0), cordoned];
    assert_eq!(planned(&hosts, "a 1"), ["a:2", "a:2", "a:1"]);
}

#[test]
fn a_flavor_is_spread_so_that_no_host_takes_all_of_it_along() {
    let hosts = [host(1, 2, &[], 0), host(2, 2, &[], 0)];
    assert_eq!(planned(&hosts, "a 1, b 1"), ["a:1 b:1", "a:1 b:1"]);
}

#[test]
fn what_nobody_can_get_counts_for_nothing() {
    let mut away = host(1, 5, &[("a", 5)], 0);
    (away.fills, away.gives) = (false, false);
    assert_eq!(planned(&[away, host(2, 2, &[], 0)], "a 1, b 1"), ["a:5", "a:1 b:1"]);
}

#[test]
fn what_somebody_stopped_keeps_its_place_and_counts_for_nothing_else() {
    let stopped = |capacity, waiting: &[(&str, u32)]| {
        let mut host = host(1, capacity, waiting, 0);
        host.standing.stopped.insert(flavor("a"), 1);
        host
    };
    assert_eq!(planned(&[stopped(4, &[("a", 2)])], "a 0 2"), ["a:3"], "one more is made, where there is room");
    assert_eq!(planned(&[stopped(2, &[("a", 1)])], "a 1, b 1"), ["a:2"], "of a none waits, so it comes before b");
    assert_eq!(planned(&[stopped(2, &[("a", 2)])], "a 0 2"), ["a:2"], "it takes room");
    let full = [stopped(3, &[("a", 1), ("b", 2)])];
    assert_eq!(exchange(&full, "a 0 1, b 1"), Some(("b".into(), "a".into())));
    assert_eq!(exchange(&[stopped(2, &[("a", 2)])], "a 1, b 1"), None, "the last one of a that waits stays");
}

#[test]
fn a_big_host_is_preferred_to_a_small_one_and_a_good_one_to_one_on_which_makings_fail() {
    let one_of_a = |hosts: &[HostRoom]| planned(hosts, "a 0 1");
    assert_eq!(one_of_a(&[host(1, 2, &[], 0), host(2, 50, &[], 0)]), ["", "a:1"]);
    assert_eq!(one_of_a(&[host(1, 4, &[], 3), host(2, 4, &[], 1)]), ["", "a:1"], "the emptier one");
    let bad = |change: fn(&mut Standing)| {
        let mut bad = host(1, 4, &[], 0);
        change(&mut bad.standing);
        one_of_a(&[bad, host(2, 4, &[], 1)])
    };
    assert_eq!(bad(|standing| standing.failed = 3), ["", "a:1"]);
    assert_eq!(bad(|standing| standing.careful = true), ["", "a:1"]);
    assert_eq!(bad(|standing| standing.held = Some(Timestamp::from_millis(9))), ["", "a:1"]);
    let mut busy = host(1, 4, &[("b", 2)], 0);
    busy.free.clear();
    assert_eq!(one_of_a(&[busy, host(2, 4, &[("b", 2)], 0)]), ["b:2", "a:1 b:2"], "fewer are being made there");
}

#[test]
fn a_flavor_that_a_host_holds_back_is_asked_of_another() {
    let mut holding = host(1, 4, &[], 0);
    holds(&mut holding, "a", false);
    assert_eq!(planned(&[holding.clone(), host(2, 4, &[], 0)], "a 0 3"), ["", "a:3"]);
    // For a moment it is waited for; for long, its places go to others but for one.
    assert_eq!(planned(&[holding.clone()], "a 1, b 1"), ["a:2 b:2"]);
    holds(&mut holding, "a", true);
    assert_eq!(planned(&[holding.clone()], "a 1, b 1"), ["a:1 b:3"]);
    holding.waiting.insert(flavor("a"), 1);
    assert_eq!(planned(&[holding], "a 1, b 1"), ["a:1 b:3"], "it is being tried already");
}

#[test]
fn a_shrunken_host_is_asked_for_nothing_new() {
    assert_eq!(planned(&[host(1, 2, &[("a", 2)], 1)], "a 1"), ["a:1"]);
    assert_eq!(planned(&[host(1, 1, &[], 3)], "a 1"), [""]);
    assert_eq!(planned(&[host(1, 1, &[("a", 2)], 3)], "a 1"), [""]);
}

#[test]
fn a_shrunken_host_gives_up_what_is_most_to_spare() {
    assert_eq!(planned(&[host(1, 3, &[("a", 3), ("b", 1), ("c", 1)], 0)], "a 1, b 1, c 1"), ["a:1 b:1 c:1"]);
    assert_eq!(planned(&[host(1, 3, &[("a", 3), ("old", 2)], 0)], "a 1"), ["a:3"]);
    assert_eq!(planned(&[host(1, 3, &[("a", 3), ("b", 3)], 0)], "a 3, b 1"), ["a:2 b:1"]);
    assert_eq!(planned(&[host(1, 3, &[("a", 3), ("b", 2)], 0)], "a 1, b 1 2"), ["a:1 b:2"]);
}

#[test]
fn one_gives_way_to_a_flavor_that_starves_or_is_below_its_minimum() {
    let gone = |from: &str, to: &str| Some((from.to_owned(), to.to_owned()));
    assert_eq!(exchange(&[host(1, 3, &[("a", 3)], 0)], "a 1, b 1"), gone("a", "b"));
    assert_eq!(exchange(&[host(1, 4, &[("a", 3), ("b", 1)], 0)], "a 1, b 1 2"), gone("a", "b"));
    assert_eq!(exchange(&[host(1, 4, &[("a", 3)], 1)], "a 1, b 0 1"), gone("a", "b"));
    // The one with most for its weight goes; what is not in the mix at all before it.
    assert_eq!(exchange(&[host(1, 5, &[("a", 3), ("c", 2)], 0)], "a 3, b 1, c 1"), gone("c", "b"));
    assert_eq!(exchange(&[host(1, 4, &[("a", 3), ("old", 1)], 0)], "a 3, b 1"), gone("old", "b"));
}

#[test]
fn nothing_gives_way_while_there_is_room_or_where_nothing_is_to_spare() {
    assert_eq!(exchange(&[host(1, 4, &[("a", 3)], 0)], "a 1, b 1"), None, "there is room");
    assert_eq!(exchange(&[host(1, 2, &[("a", 1)], 1)], "a 1, b 1"), None, "never the last one");
    assert_eq!(exchange(&[host(1, 3, &[("a", 3)], 0)], "a 1 3, b 1"), None, "never below a minimum");
    assert_eq!(exchange(&[host(1, 4, &[("a", 3), ("b", 1)], 0)], "a 1, b 1"), None, "a mere share is no need");
    let mut going = host(1, 4, &[("a", 3)], 0);
    going.going = 1;
    assert_eq!(exchange(&[going], "a 1, b 1"), None, "a place comes free");
    let mut making = host(1, 4, &[("a", 3), ("b", 1)], 0);
    making.free.remove(&flavor("b"));
    assert_eq!(exchange(&[making], "a 1, b 1 3"), None, "one is on its way: it shows first whether it can be made");
}

#[test]
fn nothing_gives_way_to_what_could_not_be_made_there() {
    let full = || host(1, 3, &[("a", 3)], 0);
    for spoil in [
        |host: &mut HostRoom| host.fills = false,
        |host: &mut HostRoom| host.standing.careful = true,
        |host: &mut HostRoom| host.standing.held = Some(Timestamp::from_millis(1)),
        |host: &mut HostRoom| holds(host, "b", false),
    ] {
        let mut host = full();
        spoil(&mut host);
        assert_eq!(exchange(&[host], "a 1, b 1"), None);
    }
    assert!(exchange(&[full()], "a 1, b 1").is_some());
}

#[test]
fn the_last_one_of_what_people_take_stays_though_operators_want_no_more_of_it() {
    let now = Timestamp::from_millis(10_000_000);
    let asked = ApplyCount { minute: now, flavor: flavor("old"), given: 1, missed: 0 };
    let hosts = [host(1, 2, &[("a", 1), ("old", 1)], 0)];
    assert_eq!(plan_pool(&hosts, &mix("a 1, b 1"), &Demand::of(&[asked], now)).give_way, []);
    assert!(plan_pool(&hosts, &mix("a 1, b 1"), &Demand::default()).give_way.len() == 1);
}

#[test]
fn what_gives_way_waits_for_a_shortage_that_lasts_and_for_its_turn() {
    let hosts = [host(1, 9, &[("a", 9)], 0)];
    let mut patience = Patience::default();
    let mut at = |seconds: u64| {
        let mut plan = plan_pool(&hosts, &mix("a 1, b 1 3"), &Demand::default());
        patience.settle(&mut plan, MINUTE, Timestamp::from_millis(0) + Duration::from_secs(seconds));
        plan.targets[&id(1)].give_way.is_some()
    };
    assert!(!at(0) && !at(59));
    assert!(at(60), "it lasted");
    assert!(at(62), "it stays in the target until it is carried out");
    let mut plan = plan_pool(&[host(1, 9, &[("a", 8), ("b", 1)], 0)], &mix("a 1, b 1 3"), &Demand::default());
    patience.settle(&mut plan, MINUTE, Timestamp::from_millis(100_000));
    assert_eq!(plan.targets[&id(1)].give_way, None, "one a minute");
    patience.settle(&mut plan, MINUTE, Timestamp::from_millis(120_000));
    assert_eq!(wants(&plan), ["a:7 b:2"]);
}

#[test]
fn a_place_on_a_host_that_makes_none_is_no_cluster_so_the_shortage_is_seen() {
    let with_room = |spoil: fn(&mut HostRoom)| {
        let mut room = host(2, 4, &[], 0);
        spoil(&mut room);
        exchange(&[host(1, 3, &[("a", 3)], 0), room], "a 1, b 0 1")
    };
    let gone = Some(("a".to_owned(), "b".to_owned()));
    assert_eq!(with_room(|_| {}), None, "it is made there");
    assert_eq!(with_room(|room| room.standing.held = Some(Timestamp::from_millis(1))), gone);
    assert_eq!(with_room(|room| holds(room, "b", false)), gone);
}

#[test]
fn what_an_operator_wanted_there_gives_way_to_nothing() {
    let mut wanted = host(1, 3, &[("a", 3)], 0);
    wanted.standing.kept.insert(flavor("a"), 2);
    assert!(exchange(&[wanted.clone()], "a 1, b 1").is_some(), "one of the three came by itself");
    wanted.standing.kept.insert(flavor("a"), 3);
    assert_eq!(exchange(&[wanted], "a 1, b 1"), None);
}

#[test]
fn each_shortage_has_a_clock_of_its_own() {
    let both = [host(1, 9, &[("a", 9)], 0)];
    let one = [host(1, 9, &[("a", 8), ("b", 1)], 0)];
    let mut patience = Patience::default();
    let mut at = |hosts: &[HostRoom], seconds: u64| {
        let mut plan = plan_pool(hosts, &mix("a 1, b 1, c 1"), &Demand::default());
        patience.settle(&mut plan, MINUTE, Timestamp::from_millis(0) + Duration::from_secs(seconds));
        plan.targets[&id(1)].give_way.clone().map(|(_, to)| to.to_string())
    };
    assert_eq!(at(&both, 0), None);
    // Somebody released a b; c has been lacking all the while.
    assert_eq!(at(&one, 30), None);
    assert_eq!(at(&one, 60).as_deref(), Some("c"));
}
