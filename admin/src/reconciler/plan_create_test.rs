//! What a host begins and what it holds back, as text ([`super::plan_case`]), and what gives way.

use super::plan_case::Case;

fn check(case: &str, expected: &str) {
    let plan = Case::read(case).plan();
    let lines: Vec<String> =
        plan.steps.iter().map(ToString::to_string).chain(plan.held.iter().map(ToString::to_string)).collect();
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, expected, "{case}");
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
