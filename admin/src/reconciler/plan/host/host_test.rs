//! The plan of one host, as text cases ([`crate::reconciler::case`]).

use crate::reconciler::case::{Case, check};
use crate::reconciler::policy::Policy;

#[test]
fn a_full_and_healthy_host_needs_nothing() {
    check("free; free; in-use; want 2; capacity 3", "");
}

#[test]
fn an_empty_host_is_filled_no_faster_than_its_limit() {
    check(
        "want 3; at-once 2",
        "create f in slot 0 (3 of f are missing, room for 9)
         create f in slot 1 (2 of f are missing, room for 8)
         held back: 1 of f: the host is at its limit of 2 at once",
    );
}

#[test]
fn what_is_being_made_counts_against_the_limit_and_the_want() {
    check(
        "creating; creating; want 3; at-once 2",
        "
        bring up h_0 (vp0 is not made yet, vp1 is not made yet)
        bring up h_1 (vp0 is not made yet, vp1 is not made yet)
        held back: 1 of f: the host is at its limit of 2 at once",
    );
}

#[test]
fn capacity_counts_what_is_being_removed() {
    check(
        "in-use; releasing; want 1; capacity 2",
        "take down h_1 (released by u)
         held back: 1 more to create: no room on the host: capacity 2, 1 being removed",
    );
}

#[test]
fn a_blocked_slot_is_passed_over_and_said_so() {
    check(
        "want 1; blocked 0",
        "create f in slot 1 (1 of f are missing, room for 9)
         held back: slot 0: passed over: port 7050 is published by web",
    );
}

#[test]
fn hosts_that_are_filled_by_hand_or_cordoned_get_nothing_new() {
    check("want 2; by-hand", "");
    check("want 2; cordoned", "held back: 2 more to create: the host is not schedulable");
    check("free; cordoned", "withdraw h_0 (the host is not schedulable)");
}

#[test]
fn a_new_cluster_is_free_only_when_it_runs_and_was_probed_well() {
    check("creating up; want 1", "probe h_0 (every node runs)");
    check("creating up ill-1; want 1", "");
    check("creating up well; want 1", "free h_0 (every node runs and its probes hold)");
    check("creating up long-ago-well; want 1", "probe h_0 (its proof is old)");
    check("creating up well dead-vp1; want 1", "bring up h_0 (vp1 is not running)");
}

#[test]
fn a_cluster_that_is_not_ready_in_time_or_cannot_be_made_fails() {
    check("creating late; want 1", "fail h_0 (not ready in time: vp0 is not made yet, vp1 is not made yet)");
    check("creating up late ill-1; want 1", "fail h_0 (not ready in time: 3 peers, not 4)");
    check("creating doomed; want 1", "fail h_0 (could not be made: no such image)");
    check("failed", "keep the evidence of h_0 and remove it (could not be made: boom)");
}

#[test]
fn a_failed_try_is_repeated_later_not_at_once() {
    check("creating failing-once; want 1", "held back: bringing up h_0: tried 1 times, last: timeout");
    check("removing failing-once", "held back: removing h_0: tried 1 times, last: timeout");
}

#[test]
fn a_free_cluster_that_fails_its_probe_is_withdrawn_and_replaced_after_three() {
    check("free ill-1", "record h_0 (3 peers, not 4)");
    check("free ill-3", "fail h_0 (unhealthy: 3 peers, not 4)");
}

#[test]
fn a_free_cluster_whose_node_ended_or_was_restarted_is_proven_anew() {
    check("free suspect", "record h_0 (a node ended)");
    check("free unknown unoffered", "probe h_0 (not known to be well)");
}

#[test]
fn a_hosts_new_address_is_told_to_users() {
    check("free elsewhere", "tell 127.0.0.1 as the address of h_0 (the host's address changed)");
    check("in-use elsewhere well", "tell 127.0.0.1 as the address of h_0 (the host's address changed)");
}

#[test]
fn new_and_free_clusters_are_probed_before_what_users_broke() {
    let broken = "in-use unknown; ".repeat(9);
    let plan = Case::read(&format!("{broken} free old-proof; creating up; capacity 11")).plan();
    let looks: Vec<String> = plan.steps.iter().map(ToString::to_string).collect();
    assert_eq!(looks.len(), Policy::default().looks_at_once, "{looks:#?}");
    assert_eq!(&looks[..2], ["probe h_10 (every node runs)", "probe h_9 (its proof gets old)"]);
}

#[test]
fn a_proof_is_renewed_at_half_its_age_and_an_old_one_offers_nothing() {
    check("free old-proof", "probe h_0 (its proof gets old)");
    check("free stale unoffered", "probe h_0 (its proof gets old)");
    check("free unoffered", "offer h_0 again (proven well)");
}

#[test]
fn a_cluster_of_an_older_flavor_is_replaced_unless_somebody_holds_it() {
    check(
        "free old-flavor; free old-flavor",
        "remove h_0 (its flavor changed)
         held back: replacing h_1: its flavor changed; one at a time",
    );
    // While a successor is on its way, or cannot be made, the old ones serve on.
    check(
        "free old-flavor; creating up",
        "probe h_1 (every node runs)
         held back: replacing h_0: its flavor changed; one at a time",
    );
    check(
        "free old-flavor; want 2",
        "create f in slot 1 (1 of f are missing, room for 8)
         held back: replacing h_0: its flavor changed; one at a time",
    );
    check("free old-flavor busy; free old-flavor", "held back: replacing h_1: its flavor changed; one at a time");
    check("free old-flavor; flavor-fails 9", "held back: replacing h_0: its flavor changed; one at a time");
    check("in-use old-flavor well", "");
}

#[test]
fn a_users_network_outlasts_a_shrunken_host() {
    check("free; free; in-use; capacity 2", "remove h_0 (pool shrunk)");
    check("free; in-use; in-use; capacity 1", "remove h_0 (pool shrunk)");
    check("in-use; in-use; capacity 0", "");
    check("creating; free; capacity 1", "remove h_0 (pool shrunk)");
}

#[test]
fn a_users_dead_node_is_recorded_then_started_again() {
    check("in-use dead-vp1", "record h_0 (vp1 is not running)");
    check("in-use known-dead-vp1", "start vp1 of h_0 (as it is wanted)");
    check("in-use gone-vp1", "record h_0 (vp1 is gone)");
}

#[test]
fn a_users_network_that_is_not_known_to_be_well_is_probed_at_once() {
    check("in-use well", "");
    check("in-use unknown", "probe h_0 (its proof gets old)");
    check("in-use old-proof", "probe h_0 (its proof gets old)");
}

#[test]
fn wishes_are_carried_out_on_all_nodes_at_once() {
    check("in-use stop-wanted", "record h_0 (a node was stopped)");
    check("free stop-wanted", "stop vp0, stop vp1 of h_0 (as it is wanted)");
    check("free restart-wanted", "restart vp0, restart vp1 of h_0 (as it is wanted)");
}

#[test]
fn a_free_cluster_whose_node_cannot_be_started_is_replaced() {
    check("free known-stopped-vp1", "start vp1 of h_0 (as it is wanted)");
    check("free known-stopped-vp1 failing-thrice", "fail h_0 (unhealthy: port taken)");
}

#[test]
fn a_users_frozen_node_goes_on() {
    check("in-use known-paused-vp1", "start vp1 of h_0 (as it is wanted)");
}

#[test]
fn while_the_store_takes_no_writes_none_is_tried() {
    check(
        "free ill-1; free old-proof; write-hold",
        "
        probe h_1 (its proof gets old)
        held back: what is to be written down: disk full",
    );
    // A deep probe begins with a write.
    check("free well; free well; deep 90; write-hold", "held back: what is to be written down: disk full");
}

#[test]
fn what_is_busy_is_left_alone() {
    check(
        "free dead-vp1 busy; creating busy; removing busy; orphan",
        "
        sweep a cluster without a record (ffffffffffffffffffffffff is on the engine and has no record)",
    );
}

#[test]
fn an_engine_that_is_away_is_not_acted_on() {
    check("free; removing; away", "held back: everything on this host: it does not answer: refused");
    check(
        "free; removing; inactive",
        "
        withdraw h_0 (its host does not answer)
        held back: everything on this host: it does not answer: refused",
    );
}
