//! What holds of every plan of a host.

use common::model::*;
use proptest::prelude::*;

use crate::reconciler::case::Case;
use crate::reconciler::plan::Action;

fn any_case() -> impl Strategy<Value = String> {
    let cluster = prop_oneof![
        Just("creating"),
        Just("creating up"),
        Just("creating up well"),
        Just("creating late"),
        Just("creating doomed"),
        Just("creating given-up"),
        Just("free"),
        Just("free dead-vp1"),
        Just("free ill-1"),
        Just("free ill-3"),
        Just("free unoffered"),
        Just("free stale"),
        Just("free old-flavor"),
        Just("free stop-wanted"),
        Just("free sick-vp1"),
        Just("free died-thrice"),
        Just("free flavor-g unoffered"),
        Just("in-use"),
        Just("in-use dead-vp1"),
        Just("in-use known-dead-vp1"),
        Just("in-use known-dead-vp1 revived-vp1"),
        Just("in-use oom-vp1"),
        Just("in-use stop-wanted"),
        Just("releasing"),
        Just("removing"),
        Just("removing failing-once"),
        Just("removing failing-thrice"),
        Just("failed"),
        Just("failed failing-once"),
        Just("lost"),
        Just("free busy"),
        Just("creating busy"),
    ];
    let fact = prop_oneof![
        Just("filling"),
        Just("cleaning"),
        Just("draining"),
        Just("resetting"),
        Just("resetting web"),
        Just("leaving"),
        Just("leaving-by-force"),
        Just("host-fails 3 9"),
        Just("host-step"),
        Just("orphan-stays"),
        Just("cordoned"),
        Just("by-hand"),
        Just("away"),
        Just("inactive"),
        Just("blocked 1"),
        Just("blocked 9"),
        Just("orphan"),
        Just("at-once 1"),
        Just("flavor-fails 9"),
        Just("reached 1"),
        Just("flavor-fails 0"),
        Just("host-hold 9"),
        Just("host-hold 0"),
        Just("came-back"),
        Just("gives-way"),
        Just("beginning 0"),
        Just("beginning 9"),
    ];
    let clusters = prop::collection::vec(cluster, 0..8);
    let facts = prop::collection::vec(fact, 0..3);
    (clusters, facts, 0u32..10, 0u32..10).prop_map(|(clusters, facts, want, capacity)| {
        format!("{}; {}; want {want}; capacity {capacity}", clusters.join("; "), facts.join("; "))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_plan_touches_a_lease_exceeds_the_capacity_or_says_two_things_of_one_cluster(text in any_case()) {
        let case = Case::read(&text);
        let plan = case.plan();
        let mut met = std::collections::BTreeSet::new();
        for step in &plan.steps {
            if let Some(id) = step.action.cluster() {
                prop_assert!(met.insert(id.clone()), "two steps for one cluster: {step}");
                prop_assert!(!case.view.memory.busy.contains_key(id), "busy: {step}");
                let cluster = case.view.clusters.iter().find(|c| c.id == *id);
                let leased = cluster.is_some_and(|c| c.phase.kind() == PhaseKind::InUse);
                let destroys = matches!(step.action,
                    Action::Remove { .. } | Action::TakeDown { .. } | Action::Fail { .. } | Action::Sweep { .. });
                prop_assert!(!(leased && destroys), "a lease is never removed: {step}");
                if matches!(step.action, Action::TakeDown { .. } | Action::DropRecord { .. }) {
                    prop_assert!(cluster.is_some_and(Cluster::may_vanish));
                }
                let forced = matches!(case.view.host.purpose, HostPurpose::Leave { by_force: true, .. });
                let forces = matches!(step.action, Action::Lose { .. } | Action::DropRecord { .. });
                prop_assert!(forced || !forces, "only force ends a lease or leaves something behind: {step}");
            }
        }
        let begun = plan.steps.iter().filter(|s| matches!(s.action, Action::Begin { .. })).count();
        let capacity = usize::from(case.view.host.settings.capacity);
        let mut slots: std::collections::BTreeSet<Slot> = case.view.clusters.iter().map(|c| c.slot).collect();
        slots.extend(case.view.memory.beginning.keys());
        prop_assert!(begun == 0 || slots.len() + begun <= capacity);
        // The host serves again, or goes, only when what was wanted of it is done.
        let of_host: Vec<_> = plan.steps.iter().filter(|s| s.action.is_of_host()).collect();
        prop_assert!(of_host.len() <= 1 && (of_host.is_empty() || case.view.memory.host_step.is_none()));
        for step in of_host {
            let kinds: std::collections::BTreeSet<PhaseKind> =
                case.view.clusters.iter().map(|c| c.phase.kind()).collect();
            let at_rest = [PhaseKind::Free, PhaseKind::InUse];
            let unheld = [PhaseKind::Creating, PhaseKind::Free, PhaseKind::Removing, PhaseKind::Failed];
            let done = match &case.view.host.purpose {
                HostPurpose::FillUp(_) => {
                    let full = case.view.clusters.iter().filter(|c| at_rest.contains(&c.phase.kind())).count();
                    full >= usize::from(case.view.host.settings.capacity)
                }
                HostPurpose::Clean(_) => unheld.iter().all(|kind| !kinds.contains(kind)),
                HostPurpose::Reset { .. } | HostPurpose::Leave { .. } => kinds.is_empty(),
                HostPurpose::Serve | HostPurpose::Drain(_) => false,
            };
            let deletes = matches!(step.action, Action::DeleteHost);
            prop_assert!(done && deletes == case.view.host.purpose.leaves(), "too early: {step}");
        }
        // Nothing is begun in a slot that is occupied, blocked or being begun in, nor two in one.
        slots.extend(case.seen.blocked.keys());
        for step in &plan.steps {
            if let Action::Begin { slot, .. } = step.action {
                prop_assert!(slots.insert(slot));
            }
        }
        // The same state gives the same plan.
        prop_assert_eq!(plan, case.plan());
    }
}
