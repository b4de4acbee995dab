//! What operators want of a host as a whole, as text cases ([`crate::reconciler::case`]).

use crate::reconciler::case::check;

#[test]
fn a_host_is_filled_up_once_even_if_it_is_filled_by_hand() {
    check(
        "free; by-hand; filling; want 2; capacity 3",
        "create f in slot 1 (1 of f are missing, room for 2)
         held back: filling up, asked by otto: 1 of 3 are there",
    );
    check(
        "free; creating busy; by-hand; filling; capacity 2",
        "held back: filling up, asked by otto: 1 of 2 are there",
    );
    check(
        "free; in-use; by-hand; filling; capacity 2",
        "let the host serve again (filled up as otto asked: it has 2 clusters)",
    );
    check("free; in-use; by-hand; capacity 3; want 2", "");
}

#[test]
fn a_host_that_is_filled_up_says_what_keeps_it() {
    check(
        "filling; by-hand; cordoned; want 1; capacity 1",
        "held back: filling up, asked by otto: 0 of 1 are there
         held back: 1 more to create: the host is not schedulable",
    );
}

#[test]
fn a_cleaned_host_loses_what_nobody_holds_and_is_not_filled_again() {
    check(
        "free; creating; in-use; cleaning; want 3",
        "remove h_0 (clean of its host, asked by otto)
         remove h_1 (clean of its host, asked by otto)
         held back: cleaning, asked by otto: 2 of 3 are still to be removed",
    );
    check(
        "removing; in-use; cleaning; want 3",
        "take down h_0 (pool shrunk)
         held back: cleaning, asked by otto: 1 of 2 are still to be removed",
    );
    check(
        "in-use; cleaning; want 3",
        "let the host serve again (cleaned as otto asked: users hold 1; it is not kept filled any more)",
    );
    check(
        "cleaning; want 3",
        "let the host serve again (cleaned as otto asked: none is left; it is not kept filled any more)",
    );
}

#[test]
fn a_drained_host_keeps_what_users_hold_and_stays_drained() {
    check(
        "free; in-use; draining; want 3",
        "remove h_0 (drain of its host, asked by otto)
         held back: draining, asked by otto: 1 of 2 are still to be removed",
    );
    check(
        "in-use; draining; want 3",
        "held back: drained, asked by otto: nothing is given out or made until it is ended; 1 in use",
    );
}

#[test]
fn a_reset_waits_for_users_and_sweeps_what_has_no_record() {
    check(
        "free; in-use; resetting web; orphan",
        "remove h_0 (reset of its host, asked by otto)
         sweep a cluster without a record (ffffffffffffffffffffffff is on the engine and has no record)
         held back: resetting, asked by otto: it waits for users: 1 in use",
    );
    check(
        "removing; resetting web",
        "take down h_0 (pool shrunk)
         held back: resetting, asked by otto: 1 of its clusters are still to be removed",
    );
    check("resetting", "let the host serve again (reset as otto asked: nothing of ours is left)");
    // What is going on is neither begun twice nor called done.
    check("resetting; host-step", "held back: resetting, asked by otto: 0 of its clusters are still to be removed");
}

#[test]
fn a_reset_removes_confirmed_foreign_things_last_and_does_not_wait_for_them_for_ever() {
    check(
        "resetting web db",
        "remove 2 foreign things and let the host serve again (reset as otto asked: nothing of ours is left; \
         foreign things that were confirmed are removed: container web, container db)",
    );
    check(
        "resetting web; host-fails 1 9",
        "held back: resetting, asked by otto: 0 of its clusters are still to be removed
         held back: the last step: tried 1 times, last: web is in use",
    );
    check(
        "resetting web; host-fails 3 0",
        "let the host serve again (reset as otto asked: nothing of ours is left; of the foreign things: web is in use)",
    );
}

#[test]
fn a_wish_waits_for_an_engine_that_is_away_and_says_so() {
    check(
        "free; cleaning; away",
        "held back: everything on this host: it does not answer: refused
         held back: cleaning, asked by otto: 1 of 1 are still to be removed",
    );
    check(
        "resetting; inactive",
        "held back: everything on this host: it does not answer: refused
         held back: resetting, asked by otto: 0 of its clusters are still to be removed",
    );
}

#[test]
fn a_leaving_host_is_emptied_but_for_what_users_hold() {
    check(
        "free; creating; in-use; leaving; want 3",
        "
        remove h_0 (its host is being deleted)
        remove h_1 (its host is being deleted)
        held back: deleting the host: 1 of its clusters are in use",
    );
    check("leaving", "delete the host's record (the host is being deleted and nothing of ours is left on it)");
    check(
        "leaving; orphan",
        "
        sweep a cluster without a record (ffffffffffffffffffffffff is on the engine and has no record)
        held back: deleting the host: 0 of its clusters are still to be removed",
    );
}

#[test]
fn a_leaving_host_without_clusters_goes_even_if_it_does_not_answer() {
    check(
        "leaving; inactive",
        "
        delete the host's record (the host is being deleted and has no clusters; its engine does not answer)
        held back: everything on this host: it does not answer: refused",
    );
}

#[test]
fn force_ends_leases_and_takes_clusters_down_while_the_engine_answers() {
    check(
        "free; in-use; leaving-by-force",
        "remove h_0 (its host is being deleted)
         end the lease of h_1 (host h is removed by force, asked by otto)
         held back: deleting the host: 2 of its clusters are still to be removed",
    );
    check(
        "lost; leaving-by-force",
        "take down h_0 (host removed)
         held back: deleting the host: 1 of its clusters are still to be removed",
    );
}

#[test]
fn force_waits_for_no_engine() {
    // Leases end at once; what is on the engine is given up only when it counts as away.
    check(
        "free; in-use; lost; leaving-by-force; away",
        "remove h_0 (its host is being deleted)
         end the lease of h_1 (host h is removed by force, asked by otto)
         held back: everything on this host: it does not answer: refused",
    );
    check(
        "removing; lost; releasing; leaving-by-force; inactive",
        "drop the record of h_0 (the host is removed by force; what is on its engine stays there)
         drop the record of h_1 (the host is removed by force; what is on its engine stays there)
         drop the record of h_2 (the host is removed by force; what is on its engine stays there)
         held back: everything on this host: it does not answer: refused",
    );
    check(
        "leaving-by-force; inactive",
        "delete the host's record (it is removed by force, has no clusters, and its engine does not answer)
         held back: everything on this host: it does not answer: refused",
    );
}

#[test]
fn force_leaves_what_an_engine_fails_to_remove_three_times() {
    check(
        "removing failing-once; leaving-by-force",
        "held back: removing h_0: tried 1 times, last: timeout
         held back: deleting the host: 1 of its clusters are still to be removed",
    );
    check(
        "removing failing-thrice; leaving-by-force",
        "drop the record of h_0 (the host is removed by force; what is on its engine stays there)
         held back: deleting the host: 1 of its clusters are still to be removed",
    );
    check(
        "leaving-by-force; orphan-stays",
        "delete the host's record (it is removed by force; what could not be removed stays on it)",
    );
    // Without force nothing of ours is left behind.
    check(
        "leaving; orphan-stays",
        "held back: sweeping what has no record: tried 3 times, last: in use
         held back: deleting the host: 0 of its clusters are still to be removed",
    );
}
