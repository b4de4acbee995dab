//! Cases as text: `open c1@h1; leased c2@h2*9; away h3; calls 8; each 4`, and what is measured then. A cluster has four
//! containers unless it says otherwise.

use std::collections::BTreeSet;

use common::model::{ClusterId, HostId};

use super::due::{Bounds, Candidate, Class, due};

fn id(name: &str) -> String {
    let number: u32 = name[1..].parse().unwrap();
    format!("{number:024x}")
}

fn name(id: &ClusterId) -> String {
    format!("c{}", u32::from_str_radix(&id.as_str()[16..], 16).unwrap())
}

fn candidate(text: &str, class: Class) -> Candidate {
    let (text, containers) = text.split_once('*').unwrap_or((text, "4"));
    let (cluster, host) = text.split_once('@').unwrap();
    Candidate {
        cluster: ClusterId::parse(&id(cluster)).unwrap(),
        host: HostId::parse(&id(host)).unwrap(),
        containers: containers.parse().unwrap(),
        class,
    }
}

fn check(case: &str, expected: &str) {
    let (mut candidates, mut away) = (Vec::new(), BTreeSet::new());
    let mut bounds = Bounds { calls: 100, calls_of_host: 100 };
    for part in case.split(';').map(str::trim) {
        let (word, rest) = part.split_once(' ').unwrap();
        let mut all = |class| candidates.extend(rest.split(' ').map(|text| candidate(text, class)));
        match word {
            "open" => all(Class::Open),
            "leased" => all(Class::Leased),
            "shown" => all(Class::OnOpenHost),
            "free" => all(Class::Free),
            "away" => away.extend(rest.split(' ').map(|host| HostId::parse(&id(host)).unwrap())),
            "calls" => bounds.calls = rest.parse().unwrap(),
            "each" => bounds.calls_of_host = rest.parse().unwrap(),
            other => panic!("no such word: {other}"),
        }
    }
    let due = due(&candidates, &away, bounds);
    let mut said: Vec<String> = due.take.iter().map(|(cluster, _)| name(cluster)).collect();
    for (count, word) in [(due.over, "over"), (due.away, "away")] {
        if count > 0 {
            said.push(format!("{count} {word}"));
        }
    }
    let next = [("leased", &due.leased_up_to), ("free", &due.free_up_to)];
    said.extend(next.into_iter().filter_map(|(word, id)| Some(format!("{word} up to {}", name(id.as_ref()?)))));
    assert_eq!(said.join(", "), expected, "{case}");
}

#[test]
fn what_a_page_has_open_comes_first_then_what_is_leased() {
    check("free c1@h1; leased c2@h1; shown c3@h1; open c4@h2", "c4, c2, c3, c1, leased up to c2, free up to c1");
}

#[test]
fn a_cluster_is_measured_once() {
    check("leased c1@h1 c2@h1; open c2@h1; shown c1@h1", "c2, c1, leased up to c1");
}

#[test]
fn what_does_not_fit_waits_for_its_turn() {
    check("leased c1@h1 c2@h1 c3@h1; calls 8", "c1, c2, 1 over, leased up to c2");
    check("leased c1@h1 c2@h1; free c3@h1; calls 8", "c1, c2, 1 over, leased up to c2");
}

#[test]
fn a_small_one_does_not_overtake_a_large_one_of_its_kind_for_ever() {
    check("leased c1@h1 c2@h1*9 c3@h1*1; calls 8", "c1, 2 over, leased up to c1");
    check("leased c1@h1 c2@h1*9; free c3@h1*1; calls 8", "c1, c3, 1 over, leased up to c1, free up to c3");
}

#[test]
fn one_engine_is_asked_so_much_and_its_others_are_passed_over_for_this_turn() {
    check("leased c1@h1 c2@h1 c3@h2; each 4", "c1, c3, 1 over, leased up to c3");
}

#[test]
fn engines_that_are_away_are_passed_over() {
    check("open c1@h1; leased c2@h2 c3@h1; away h1", "c2, 2 away, leased up to c3");
}

#[test]
fn a_cluster_without_a_running_container_costs_nothing() {
    check("leased c1@h1*0; calls 0", "c1, leased up to c1");
}
