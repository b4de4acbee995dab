//! Rules that hold at every moment of a pool's life, and what it comes to when nobody disturbs it ([`super`]).

use std::collections::{BTreeMap, BTreeSet};

use common::model::*;

use super::{Faults, Sim, SimHost, flavor};
use crate::reconciler::plan::pool::demand::Mix;

fn mix() -> Mix {
    let share = |(name, weight, min_free): (&str, u32, u32)| FlavorShare { flavor: flavor(name), weight, min_free };
    [("a", 3, 2), ("b", 1, 0), ("c", 1, 1)].map(share).to_vec()
}

fn asked(sim: &Sim) -> Asked {
    Asked { since: sim.now, by: "otto".into() }
}

/// Something happens to the pool.
fn disturb(sim: &mut Sim) {
    let n = [0, 0, 0, 1, 2][sim.draw(5)];
    let flavor = sim.mix[n].flavor.clone();
    let i = sim.draw(sim.hosts.len());
    match sim.draw(40) {
        0..=7 => drop(sim.apply(&flavor)),
        8..=14 => sim.release(),
        15 => sim.hosts[i].faults.away ^= true,
        16 => sim.hosts[i].faults.full ^= true,
        17 => sim.hosts[i].faults.breaks = 40,
        18 => drop(sim.hosts[i].faults.no_image.insert(flavor)),
        19 => drop(sim.bad.insert(flavor)),
        20 => sim.bad.clear(),
        21 => sim.hosts[i].faults = Faults::default(),
        22 => sim.hosts[i].host.settings.capacity = sim.draw(9) as u16,
        23 => sim.hosts[i].host.settings.schedulable ^= true,
        24 => sim.hosts[i].host.try_again = Some(sim.now),
        25 => sim.hosts[i].host.settings.mix = if sim.draw(2) == 0 { Vec::new() } else { mix()[1..].to_vec() },
        26..=29 => {
            // A node ends.
            let n = sim.draw(9);
            let found = sim.hosts[i].engine.values_mut().nth(n).and_then(|found| found.nodes.values_mut().next());
            if let Some(node) = found {
                node.state = NodeState::Exited;
            }
        }
        30 => {
            let asked = asked(sim);
            let purpose = match sim.draw(8) {
                0..=2 => HostPurpose::Serve,
                3 => HostPurpose::FillUp(asked),
                4 => HostPurpose::Clean(asked),
                5 => HostPurpose::Drain(asked),
                6 => HostPurpose::Reset { asked, foreign: Vec::new() },
                _ if sim.hosts.len() > 2 => HostPurpose::Leave { asked, by_force: sim.draw(2) == 0 },
                _ => HostPurpose::Serve,
            };
            if !sim.hosts[i].host.purpose.leaves() {
                sim.hosts[i].host = sim.hosts[i].host.with_purpose(purpose);
            }
        }
        _ => {}
    }
}

/// How many clusters each host had or might have, and whether its users may lose theirs. What was decided a moment before
/// an operator lowers the capacity is still begun, and then too many.
type Before = BTreeMap<HostId, (usize, bool)>;

fn before(sim: &Sim) -> Before {
    let by_force = |purpose: &HostPurpose| matches!(purpose, HostPurpose::Leave { by_force: true, .. });
    let might = |h: &SimHost| h.clusters.len().max(usize::from(h.host.settings.capacity));
    sim.hosts.iter().map(|h| (h.host.id.clone(), (might(h), by_force(&h.host.purpose)))).collect()
}

fn holds(sim: &mut Sim, before: &Before, forced: &mut BTreeSet<ClusterId>) {
    for host in &sim.hosts {
        let (had, by_force) = before.get(&host.host.id).copied().unwrap_or_default();
        let capacity = usize::from(host.host.settings.capacity);
        assert!(host.clusters.len() <= capacity.max(had), "the capacity is never exceeded");
        let slots: BTreeSet<Slot> = host.clusters.values().map(|cluster| cluster.slot).collect();
        assert_eq!(slots.len(), host.clusters.len(), "two in one slot");
        if by_force {
            forced.extend(host.clusters.keys().cloned());
        }
    }
    let held: BTreeMap<&ClusterId, &Lease> = sim
        .hosts
        .iter()
        .flat_map(|host| host.clusters.values())
        .filter(|cluster| cluster.phase.kind() == PhaseKind::InUse)
        .filter_map(|cluster| Some((&cluster.id, cluster.lease()?)))
        .collect();
    let lost = |(lease, cluster): (&LeaseId, &ClusterId)| held.get(cluster).is_none_or(|held| held.id != *lease);
    let lost: Vec<(LeaseId, ClusterId)> =
        sim.leases.iter().filter(|pair| lost(*pair)).map(|(a, b)| (a.clone(), b.clone())).collect();
    for (lease, cluster) in lost {
        assert!(forced.contains(&cluster), "a lease was removed: {cluster}");
        sim.leases.remove(&lease);
    }
}

/// Everything is as it should be again, and all that operators wanted is over.
fn calm(sim: &mut Sim) {
    sim.bad.clear();
    for host in &mut sim.hosts {
        host.faults = Faults::default();
        host.host.settings.schedulable = true;
        host.host.settings.autofill = true;
        host.host.settings.mix = Vec::new();
        host.host.settings.capacity = host.host.settings.capacity.max(3);
        if !host.host.purpose.leaves() {
            host.host.purpose = HostPurpose::Serve;
        }
    }
}

/// Steps that the runs must have met, or they show little.
const MET: [&str; 9] = [
    "released by u",
    "pool shrunk",
    "unhealthy",
    "could not be made: it broke",
    "could not be made: no such image",
    "could not be made: no space",
    "of its host, asked by",
    "removed by force",
    "delete the host",
];

fn count(sim: &Sim, met: &mut BTreeMap<&str, usize>) {
    for what in MET {
        *met.entry(what).or_default() += sim.steps.iter().filter(|step| step.contains(what)).count();
    }
}

#[test]
fn a_pool_that_everything_happens_to_keeps_its_promises_and_comes_to_rest() {
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..12 {
        let mut sim = Sim::new(seed, mix());
        for capacity in [6, 4, 8] {
            sim.add_host(capacity);
        }
        let mut forced = BTreeSet::new();
        for _ in 0..400 {
            let before = before(&sim);
            disturb(&mut sim);
            sim.turn();
            holds(&mut sim, &before, &mut forced);
            count(&sim, &mut met);
        }
        calm(&mut sim);
        let mut quiet = 0;
        for turn in 0.. {
            let before = before(&sim);
            sim.turn();
            holds(&mut sim, &before, &mut forced);
            count(&sim, &mut met);
            // Longer than anything waits that may still come: five minutes of backoff, a minute for what gives way.
            quiet = if sim.steps.is_empty() { quiet + 1 } else { 0 };
            if quiet > 400 {
                break;
            }
            assert!(turn < 4000, "seed {seed}: no rest, last: {:?}", sim.steps);
        }
        at_rest(&sim, seed);
    }
    for what in MET {
        assert!(met.get(what).is_some_and(|times| *times > 0), "{what}: this never happened in all runs: {met:?}");
    }
}

/// The pool is full and well, has what it should have of each flavor, and its engines have nothing else.
fn at_rest(sim: &Sim, seed: u64) {
    let mut free: BTreeMap<&FlavorId, u32> = BTreeMap::new();
    for host in sim.hosts.iter().filter(|host| !host.host.purpose.leaves()) {
        let kind = |kind: PhaseKind| host.clusters.values().filter(move |cluster| cluster.phase.kind() == kind);
        let there = kind(PhaseKind::Free).count() + kind(PhaseKind::InUse).count();
        assert_eq!(there, host.clusters.len(), "seed {seed}: something is on its way for ever");
        let capacity = usize::from(host.host.settings.capacity);
        assert_eq!(there, capacity.max(kind(PhaseKind::InUse).count()), "seed {seed}: a host is not full");
        assert!(host.clusters.keys().eq(host.engine.keys()), "seed {seed}: engine and records differ");
        for cluster in kind(PhaseKind::Free) {
            assert!(cluster.takeable(sim.now), "seed {seed}: {} cannot be had", cluster.name);
            *free.entry(&cluster.flavor).or_default() += 1;
        }
        assert!(host.memory.failures.is_empty() || free.values().sum::<u32>() > 0);
    }
    let floor = |share: &FlavorShare| share.min_free.max(1);
    if free.values().sum::<u32>() >= sim.mix.iter().map(floor).sum() {
        for share in &sim.mix {
            let has = free.get(&share.flavor).copied().unwrap_or(0);
            assert!(has >= floor(share), "seed {seed}: {} of {} are free", has, share.flavor);
        }
    }
}

#[test]
fn a_bad_template_is_tried_seldom_and_keeps_nobody_from_the_rest() {
    let mut sim = Sim::new(1, mix());
    sim.add_host(8);
    sim.bad.insert(flavor("a"));
    let mut begun = 0;
    for _ in 0..1800 {
        sim.turn();
        begun += sim.steps.iter().filter(|step| step.starts_with("create a ")).count();
    }
    // 5 s, 10 s, 20 s ... 300 s: nine in half an hour, and those that were under way together at first.
    assert!((9..=14).contains(&begun), "{begun} were begun");
    let free = sim.hosts[0].clusters.values().filter(|cluster| cluster.takeable(sim.now)).count();
    assert!(free >= 7, "{free} are free: all but the place for the next try");
    sim.bad.clear();
    for _ in 0..900 {
        sim.turn();
    }
    let of_a = sim.hosts[0].clusters.values().filter(|c| c.flavor == flavor("a") && c.takeable(sim.now)).count();
    assert!(of_a >= 2, "{of_a} of a: its minimum, when it works again");
}

#[test]
fn a_full_host_makes_others_work_and_no_failed_clusters() {
    let mut sim = Sim::new(2, mix());
    sim.add_host(4);
    sim.add_host(4);
    sim.hosts[0].faults.full = true;
    let mut begun = 0;
    for _ in 0..900 {
        sim.turn();
        begun += sim.steps.iter().filter(|step| step.starts_with("create ")).count();
        assert!(sim.steps.iter().all(|step| !step.starts_with("fail ")), "{:?}", sim.steps);
    }
    assert!(begun <= 4 + 4 + 9, "{begun} were begun: four there, four here at once, then one at a time");
    for name in ["a", "c"] {
        let free = sim.hosts[1].clusters.values().filter(|c| c.flavor == flavor(name) && c.takeable(sim.now)).count();
        assert!(free > 0, "none of {name}: what the full host cannot make is asked of the other");
    }
}

#[test]
fn what_users_take_and_keep_is_made_again_in_the_place_of_what_is_to_spare() {
    let mut sim = Sim::new(3, mix());
    sim.add_host(8);
    (0..120).for_each(|_| sim.turn());
    let mut gone = Vec::new();
    for _ in 0..600 {
        sim.apply(&flavor("b"));
        sim.apply(&flavor("c"));
        sim.turn();
        let removed = |step: &&String| step.starts_with("remove ") && step.contains("made room for");
        gone.extend(sim.steps.iter().filter(removed).map(|_| sim.now));
    }
    let free = sim.hosts[0].clusters.values().filter(|c| c.takeable(sim.now)).map(|c| c.flavor.as_str());
    let free: Vec<&str> = free.collect();
    assert_eq!((free, sim.leases.len()), (vec!["a", "a"], 6), "all but the minimum of a, which is kept");
    assert!(gone.len() == 4 && gone.windows(2).all(|pair| pair[1].since(pair[0]).as_secs() >= 60), "{gone:?}");
}
