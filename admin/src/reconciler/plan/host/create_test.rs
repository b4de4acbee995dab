//! What a host begins and what it holds back, as text ([`crate::reconciler::case`]), and what gives way.

use crate::reconciler::case::check;

#[test]
fn what_is_being_begun_counts_once_whether_it_is_written_down_yet_or_not() {
    check("want 1; beginning 0", "");
    check("want 2; beginning 0", "create f in slot 1 (1 of f are missing, room for 8)");
    check("creating busy; want 1; beginning 0", "");
    check("creating busy; want 2; beginning 0", "create f in slot 1 (1 of f are missing, room for 8)");
}

#[test]
fn a_flavor_that_fails_is_held_back_with_its_reason() {
    check(
        "want 1; flavor-fails 30",
        "held back: 1 of f: could not be made 2 times, last: no such image; tried again in 30 s",
    );
}

#[test]
fn when_the_wait_is_over_exactly_one_is_tried() {
    check("want 1; flavor-fails 0", "create f in slot 0 (1 of f are missing, room for 9)");
    check(
        "want 3; flavor-fails 0",
        "create f in slot 0 (3 of f are missing, room for 9)
         held back: 2 of f: could not be made 2 times, last: no such image; one is tried first",
    );
    check(
        "creating busy; want 3; flavor-fails 0",
        "held back: 2 of f: could not be made 2 times, last: no such image; one is tried first",
    );
}

#[test]
fn a_host_that_lacks_something_is_held_back_as_a_whole_and_then_tried_with_one() {
    check("want 2; host-hold 7", "held back: 2 more to create: no space left on device; tried again in 7 s");
    check(
        "want 2; host-hold 0",
        "create f in slot 0 (2 of f are missing, room for 9)
         held back: 1 of f: one is made first: no space left on device",
    );
    check("creating busy; want 2; host-hold 0", "held back: 1 of f: one is made first: no space left on device");
}

#[test]
fn a_host_that_was_away_makes_one_first_and_a_new_one_as_many_as_it_can() {
    check(
        "want 2; came-back",
        "create f in slot 0 (2 of f are missing, room for 9)
         held back: 1 of f: one is made first: the host was away",
    );
    let two = "create f in slot 0 (2 of f are missing, room for 9)
               create f in slot 1 (1 of f are missing, room for 8)";
    check("want 2; came-back; made 4", two);
    check("want 2", two);
}

#[test]
fn what_was_begun_before_the_host_went_away_is_brought_up_one_at_a_time() {
    check(
        "creating; creating; want 2; came-back",
        "bring up h_0 (vp0 is not made yet, vp1 is not made yet)
         held back: bringing up h_1: one is made first: the host was away",
    );
}

#[test]
fn an_operator_who_asks_to_try_again_voids_what_failed_before() {
    check("want 1; flavor-fails 30; tried-again", "create f in slot 0 (1 of f are missing, room for 9)");
    check("want 1; host-hold 30; tried-again", "create f in slot 0 (1 of f are missing, room for 9)");
    check("removing failing-once; tried-again", "take down h_0 (pool shrunk)");
}

#[test]
fn a_cluster_that_the_host_has_nothing_for_goes_without_having_failed() {
    check("creating given-up; want 1", "remove h_0 (could not be made: no such image)");
}

#[test]
fn one_free_cluster_gives_way_while_there_are_more_than_wanted() {
    check("free; free; want 1; gives-way", "remove h_0 (made room for g, of which too few are free)");
    check("free; free unoffered; want 1; gives-way", "remove h_1 (made room for g, of which too few are free)");
    check("free; want 1; gives-way", "");
    check("in-use well; in-use well; want 0; gives-way; capacity 2", "");
    check("free; free busy; want 1; gives-way", "");
    check("creating busy; creating busy; want 1; gives-way", "");
}

#[test]
fn what_an_operator_wanted_there_stays_whatever_the_pool_wants() {
    check("free by-hand; free by-hand; want 0; gives-way", "");
    check("free by-hand; free; want 1; gives-way", "remove h_1 (made room for g, of which too few are free)");
    check(
        "free stop-wanted; free; want 1; gives-way",
        "stop vp0, stop vp1 of h_0 (as it is wanted)
         remove h_1 (made room for g, of which too few are free)",
    );
    check("creating by-hand; want 0; by-hand", "bring up h_0 (vp0 is not made yet, vp1 is not made yet)");
    check("free by-hand; free by-hand flavor-g; want 0; by-hand", "");
    check("creating by-hand; want 0; cordoned", "bring up h_0 (vp0 is not made yet, vp1 is not made yet)");
    check(
        "creating by-hand; draining",
        "remove h_0 (drain of its host, asked by otto)
         held back: draining, asked by otto: 1 of 1 are still to be removed",
    );
    check("free by-hand; free; want 2; capacity 1", "remove h_1 (pool shrunk)");
}

#[test]
fn a_making_that_is_not_wanted_any_more_is_stopped_where_it_stands() {
    let stopped = |why: &str| format!("stop bringing up h_0 ({why})");
    check(
        "creating being-brought-up; leaving-by-force",
        &format!(
            "{}\nheld back: deleting the host: 1 of its clusters are still to be removed",
            stopped("its host is being deleted")
        ),
    );
    check(
        "creating being-brought-up pulling; draining",
        &format!(
            "{}\nheld back: draining, asked by otto: 1 of 1 are still to be removed",
            stopped("drain of its host, asked by otto")
        ),
    );
    check("removing being-brought-up", &stopped("it is removing by now"));
    check("creating being-brought-up old-flavor; want 1", &stopped("its flavor changed"));
    check("creating being-brought-up; want 0; capacity 0", &stopped("pool shrunk"));
    check(
        "creating being-brought-up; leaving-by-force; away",
        &format!(
            "{}\nheld back: everything on this host: it does not answer: refused",
            stopped("its host is being deleted")
        ),
    );
}

#[test]
fn a_making_that_is_late_is_stopped_unless_it_pulls_its_image() {
    check("creating being-brought-up late; want 1", "stop bringing up h_0 (not ready in time)");
    check("creating being-brought-up late pulling; want 1", "");
    check("creating being-brought-up; want 1", "");
}
