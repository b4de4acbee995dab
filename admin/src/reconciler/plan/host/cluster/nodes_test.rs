//! What is made of nodes that end, hang or fail their own checks, as text cases ([`crate::reconciler::case`]).

use crate::reconciler::case::check;

#[test]
fn a_free_cluster_with_a_dead_frozen_or_missing_node_is_replaced_though_its_probe_is_good() {
    check("free well dead-vp1", "fail h_0 (unhealthy: vp1 is not running)");
    check("free well paused-vp1", "fail h_0 (unhealthy: vp1 is paused)");
    check("free well gone-vp1", "fail h_0 (unhealthy: vp1 is gone)");
    check("free well restarting-vp1", "fail h_0 (unhealthy: vp1 is restarting (it ended with code 1))");
}

#[test]
fn the_reason_says_how_a_node_ended() {
    check("free well crashed-vp1", "fail h_0 (unhealthy: vp1 is not running (it ended with code 2))");
    check("free well oom-vp1", "fail h_0 (unhealthy: vp1 is not running (killed for want of memory))");
    check("in-use well oom-vp1", "record h_0 (vp1 is not running (killed for want of memory))");
}

#[test]
fn a_containers_own_check_counts_as_much_as_a_probe() {
    check("free well sick-vp1", "fail h_0 (unhealthy: vp1: the container's own check fails)");
    check("in-use well sick-vp1", "record h_0 (vp1: the container's own check fails)");
    // It is not free yet, and its deadline says for how long.
    check("creating up well sick-vp1; want 1", "");
    check(
        "creating up late well sick-vp1; want 1",
        "fail h_0 (not ready in time: vp1: the container's own check fails)",
    );
}

#[test]
fn a_free_cluster_whose_nodes_end_again_and_again_is_replaced() {
    check("free well died-twice", "");
    check("free well died-thrice", "fail h_0 (unhealthy: its nodes ended 3 times)");
    check("in-use well died-thrice", "");
}

#[test]
fn a_users_node_that_ended_and_runs_again_is_said_and_proven_anew() {
    check("in-use suspect", "record h_0 (a node ended)");
    check("in-use unknown suspect", "probe h_0 (its proof gets old)");
    check("in-use well suspect", "");
}

#[test]
fn a_users_node_that_does_not_stay_up_is_started_later_and_later() {
    check("in-use known-dead-vp1", "start vp1 of h_0 (as it is wanted)");
    check(
        "in-use known-dead-vp1 revived-vp1",
        "held back: starting vp1 of h_0 again: started 3 times, last: it did not stay up",
    );
    // What somebody asks for is done at once.
    check("in-use known-dead-vp1 revived-vp1 restart-wanted", "restart vp0, restart vp1 of h_0 (as it is wanted)");
}

#[test]
fn what_was_proven_before_its_host_was_reached_anew_is_proven_again() {
    check("free well; reached 1", "");
    check("free; reached 1", "probe h_0 (not proven since its host was reached)");
    check("free unoffered; reached 1", "probe h_0 (not proven since its host was reached)");
    check("free unoffered; reached 9", "offer h_0 again (proven well)");
    check("creating up; reached 1; want 1", "probe h_0 (every node runs)");
}

#[test]
fn after_a_blind_spell_the_flavors_of_which_fewest_are_on_offer_are_proven_first() {
    // Two of f are on offer still; of g there is none.
    check(
        "free well; free well; free unoffered; free flavor-g unoffered; free flavor-g unoffered; reached 1",
        "probe h_3 (not proven since its host was reached)
         probe h_4 (not proven since its host was reached)
         probe h_2 (not proven since its host was reached)",
    );
    // With none on offer they take turns.
    check(
        "free unoffered; free unoffered; free flavor-g unoffered; reached 1",
        "probe h_0 (not proven since its host was reached)
         probe h_2 (not proven since its host was reached)
         probe h_1 (not proven since its host was reached)",
    );
}

#[test]
fn the_evidence_of_a_failed_cluster_is_kept_unless_that_fails_three_times() {
    check("failed", "keep the evidence of h_0 and remove it (could not be made: boom)");
    check("failed failing-once", "held back: keeping the evidence of h_0: tried 1 times, last: timeout");
    check("failed failing-thrice", "remove h_0 (could not be made: boom)");
    // It is none that the pool has, and its place is taken until it is gone.
    check(
        "failed; want 1; capacity 1",
        "keep the evidence of h_0 and remove it (could not be made: boom)
         held back: 1 more to create: no room on the host: capacity 1, 1 being removed",
    );
}

#[test]
fn free_clusters_are_probed_deeply_one_at_a_time_and_never_the_last_on_offer() {
    check("free well; free well; free well; deep 90", "probe h_0 deeply (it is to commit a transaction now and then)");
    // The one that waits longest goes first.
    check("free well commits; free well; deep 3", "probe h_1 deeply (it is to commit a transaction now and then)");
    check("free well; free well; free well committing; deep 90", "");
    check("free well; free well committing; deep 90", "");
    check("free well; free flavor-g well; deep 90", "");
    check("free well commits; free well commits; deep 90", "");
    check("free well; free well; deep 101", "");
    check("free well; free well; deep 90; reached 50", "");
    check("in-use well; in-use well; deep 90", "");
    check("free well; free well", "");
}

#[test]
fn a_free_cluster_that_commits_nothing_is_not_given_out_and_replaced_after_three_tries() {
    check("free well stuck; deep 90", "record h_0 (deep probe: /height is 1)");
    check("free well unknown unoffered stuck-now; deep 90", "");
    check("free well unknown unoffered stuck; deep 90", "probe h_0 deeply (deep probe: /height is 1)");
    check("free well unknown unoffered stuck-thrice; deep 90", "fail h_0 (unhealthy: deep probe: /height is 1)");
}
