//! What failures to make clusters add to a host's memory: three answers, and when each is over.

use std::time::Duration;

use common::model::*;

use super::Memory;
use crate::reconciler::case::Case;
use crate::reconciler::execute::outcome::Failure;
use crate::reconciler::policy::Policy;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000) + Duration::from_secs(seconds)
}

fn flavor(name: &str) -> FlavorId {
    FlavorId::parse(name).unwrap()
}

fn failed(memory: &mut Memory, name: &str, began: u64, failure: fn(String) -> Failure, now: u64) {
    memory.making_failed(&flavor(name), at(began), &failure("why".into()), &Policy::default(), at(now));
}

/// How long a flavor is held back from now on.
fn wait(memory: &Memory, name: &str, now: u64) -> Option<u64> {
    memory.failures.get(&flavor(name)).map(|retry| retry.not_before.since(at(now)).as_secs())
}

fn hold(memory: &Memory, now: u64) -> Option<u64> {
    memory.host_hold.as_ref().map(|hold| hold.not_before.since(at(now)).as_secs())
}

fn made(memory: &mut Memory, name: &str, began: u64, now: u64) {
    let mut cluster = Case::read("creating").view.clusters.remove(0);
    (cluster.flavor, cluster.created_at) = (flavor(name), at(began));
    memory.making_succeeded(&cluster, at(now));
}

fn new_host() -> Host {
    Case::read("").view.host
}

#[test]
fn a_bad_template_is_stopped_for_longer_and_longer() {
    let mut memory = Memory::default();
    let mut waits = Vec::new();
    let mut now = 10;
    for _ in 0..8 {
        failed(&mut memory, "a", now, Failure::Flavor, now + 1);
        waits.push(wait(&memory, "a", now + 1).unwrap());
        now += 1000;
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
    assert_eq!(hold(&memory, now), None, "one flavor is its template's fault, not the host's");
    assert!(!memory.is_careful(&new_host(), &Policy::default(), at(0)), "so others are made as ever");
}

#[test]
fn what_was_under_way_together_says_one_thing() {
    let mut memory = Memory::default();
    for now in 11..15 {
        failed(&mut memory, "a", 10, Failure::Flavor, now);
    }
    assert_eq!(wait(&memory, "a", 11), Some(5), "the first said it all");
    failed(&mut memory, "a", 16, Failure::Flavor, 17);
    assert_eq!(wait(&memory, "a", 17), Some(10));
}

#[test]
fn one_that_broke_is_replaced_at_once_and_three_in_a_row_are_not() {
    let mut memory = Memory::default();
    failed(&mut memory, "a", 10, Failure::Broke, 11);
    assert_eq!((wait(&memory, "a", 11), hold(&memory, 11)), (Some(0), None));
    assert!(memory.is_careful(&new_host(), &Policy::default(), at(0)), "one at a time until one is made");
    failed(&mut memory, "a", 12, Failure::Broke, 13);
    assert_eq!((wait(&memory, "a", 13), hold(&memory, 13)), (Some(0), None));
    failed(&mut memory, "a", 14, Failure::Broke, 15);
    assert_eq!((wait(&memory, "a", 15), hold(&memory, 15)), (Some(5), Some(5)));
}

#[test]
fn makings_that_break_whatever_the_flavor_hold_the_host_back() {
    let mut memory = Memory::default();
    for (n, name) in ["a", "b", "c"].into_iter().enumerate() {
        failed(&mut memory, name, 10 + n as u64 * 10, Failure::Broke, 15 + n as u64 * 10);
    }
    assert_eq!(hold(&memory, 35), Some(5));
    assert_eq!(wait(&memory, "c", 35), Some(0));
    assert!(memory.host_hold.as_ref().unwrap().error.contains("3 makings in a row failed, last: why"));
    failed(&mut memory, "a", 41, Failure::Broke, 45);
    assert_eq!(hold(&memory, 45), Some(10), "the one that was tried failed too");
}

#[test]
fn three_flavors_that_are_all_said_to_be_bad_are_the_hosts_fault() {
    let mut memory = Memory::default();
    for name in ["a", "b"] {
        failed(&mut memory, name, 10, Failure::Flavor, 11);
    }
    assert!(hold(&memory, 11).is_none() && memory.is_careful(&new_host(), &Policy::default(), at(0)));
    failed(&mut memory, "c", 10, Failure::Image, 11);
    assert!(hold(&memory, 11).is_some());
}

#[test]
fn a_host_without_room_is_held_and_no_flavor_is_blamed() {
    let mut memory = Memory::default();
    failed(&mut memory, "a", 10, Failure::Host, 11);
    failed(&mut memory, "b", 10, Failure::Host, 12);
    assert_eq!((hold(&memory, 11), memory.failures.len()), (Some(5), 0));
    failed(&mut memory, "a", 20, Failure::Host, 21);
    assert_eq!(hold(&memory, 21), Some(10));
}

#[test]
fn what_another_slot_or_try_may_mend_is_no_failed_making() {
    let mut memory = Memory::default();
    for _ in 0..5 {
        failed(&mut memory, "a", 10, Failure::Slot, 11);
        failed(&mut memory, "a", 12, Failure::Later, 13);
    }
    assert!(memory.failures.is_empty() && memory.host_hold.is_none() && memory.mishaps.is_empty());
}

#[test]
fn a_success_closes_the_matter() {
    let mut memory = Memory::default();
    for n in 0..3 {
        failed(&mut memory, "a", 10 + n * 10, Failure::Broke, 15 + n * 10);
    }
    made(&mut memory, "a", 50, 60);
    assert!(
        memory.failures.is_empty()
            && memory.host_hold.is_none()
            && !memory.is_careful(&new_host(), &Policy::default(), at(0))
    );
    assert_eq!((memory.made_at, memory.failed_lately(&Policy::default(), at(60))), (Some(at(60)), 3));
    assert_eq!(memory.failed_lately(&Policy::default(), at(1000)), 0);
}

#[test]
fn a_success_says_nothing_of_what_went_wrong_after_it_began() {
    let mut memory = Memory::default();
    failed(&mut memory, "a", 10, Failure::Flavor, 12);
    failed(&mut memory, "b", 10, Failure::Host, 13);
    made(&mut memory, "a", 10, 14);
    assert!(wait(&memory, "a", 14).is_some() && hold(&memory, 14).is_some());
    // Of one that merely broke it does.
    let mut memory = Memory::default();
    failed(&mut memory, "a", 10, Failure::Broke, 12);
    made(&mut memory, "a", 10, 14);
    assert!(memory.failures.is_empty() && !memory.is_careful(&new_host(), &Policy::default(), at(0)));
}

#[test]
fn an_operators_wish_to_try_again_voids_older_failures_and_no_newer_ones() {
    let mut memory = Memory::default();
    failed(&mut memory, "a", 10, Failure::Flavor, 12);
    failed(&mut memory, "b", 10, Failure::Host, 13);
    failed(&mut memory, "c", 20, Failure::Broke, 22);
    memory.forgive(None);
    assert_eq!(memory.failures.len(), 2);
    memory.forgive(Some(at(15)));
    assert!(memory.host_hold.is_none() && memory.failures.keys().eq([&flavor("c")]));
    assert!(memory.is_careful(&new_host(), &Policy::default(), at(0)), "c failed after it");
    memory.forgive(Some(at(30)));
    assert!(memory.failures.is_empty() && !memory.is_careful(&new_host(), &Policy::default(), at(0)));
}

#[test]
fn a_host_that_came_back_is_careful_until_it_made_one_and_a_new_one_never_was() {
    let mut memory = Memory::default();
    let back = Case::read("came-back").view.host;
    assert!(
        memory.is_careful(&back, &Policy::default(), at(0))
            && !memory.is_careful(&new_host(), &Policy::default(), at(0))
    );
    assert!(
        !memory.is_careful(&Case::read("came-back; made 3").view.host, &Policy::default(), at(0)),
        "it made one since"
    );
    assert!(
        memory.is_careful(&Case::read("came-back; made 8").view.host, &Policy::default(), at(0)),
        "that was before it went away"
    );
    made(&mut memory, "a", 0, 5);
    assert!(!memory.is_careful(&back, &Policy::default(), at(0)));
}

#[test]
fn a_host_on_which_nothing_went_wrong_for_long_is_careful_no_more_though_it_made_none() {
    let policy = Policy::default();
    let late = at(0) + policy.lately;
    let back = Case::read("came-back").view.host;
    assert!(Memory::default().is_careful(&back, &policy, at(0)) && !Memory::default().is_careful(&back, &policy, late));
    let mut memory = Memory::default();
    failed(&mut memory, "a", 0, Failure::Broke, 1);
    assert!(
        memory.is_careful(&new_host(), &policy, late) && !memory.is_careful(&new_host(), &policy, late + policy.lately)
    );
    let mut memory = Memory::default();
    failed(&mut memory, "a", 0, Failure::Host, 1);
    assert!(
        memory.is_careful(&new_host(), &policy, late) && !memory.is_careful(&new_host(), &policy, late + policy.lately)
    );
}
