//! What explanations say, told from a host's case to the words.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use common::model::{Host, HostId, PhaseKind};

use super::*;
use crate::operations::HostRow;
use crate::reconciler::case::told::{from_now, told};
use crate::reconciler::case::{Case, NOW};
use crate::reconciler::{HostOutlook, PoolOutlook, add_up};

/// An explanation as lines, without what `wanted` and `is` have of every host.
fn lines(of: &Explanation) -> Vec<String> {
    let part = |word: &str, points: &[Point]| -> Vec<String> {
        points.iter().map(|point| format!("{word} {}", line(point))).collect()
    };
    [
        part("wanted:", &of.wanted),
        part("is:", &of.is),
        part("doing:", &of.doing),
        part("held:", &of.held),
        part("next:", &of.next),
    ]
    .concat()
}

fn line(point: &Point) -> String {
    let mut line = point.what.clone();
    if let Some(why) = &point.why {
        line.push_str(&format!(": {why}"));
    }
    if let Some(since) = point.since {
        line.push_str(&format!(" since {}", from_now(since)));
    }
    if let Some(at) = point.at {
        line.push_str(&format!(" at {}", from_now(at)));
    }
    line
}

fn here<T>(outlook: Option<T>) -> Told<T> {
    Told { source: Source::Here, outlook, lock_until: None }
}

fn row(case: &Case) -> HostRow {
    let mut phases = BTreeMap::new();
    for cluster in &case.view.clusters {
        *phases.entry(cluster.phase.kind()).or_insert(0) += 1;
    }
    HostRow { host: case.view.host.clone(), phases }
}

fn host_says(text: &str) -> Vec<String> {
    let (case, outlook) = told(text);
    lines(&explain_host(&row(&case), &here(Some(outlook)), NOW))
}

#[track_caller]
fn has(lines: &[String], line: &str) {
    assert!(lines.iter().any(|one| one == line), "{line:?} is not in {lines:#?}");
}

fn cluster_says(text: &str) -> Vec<String> {
    let (case, outlook) = told(text);
    lines(&explain_cluster(&case.view.clusters[0], Some(&case.view.host), &here(Some(outlook)), NOW))
}

#[test]
fn a_host_that_is_full_says_all_of_it() {
    assert_eq!(
        host_says("free well; in-use well; want 1; capacity 2"),
        [
            "wanted: it serves the pool",
            "wanted: it holds at most 2 clusters and is kept filled",
            "wanted: 1 of f wait there for users",
            "is: its engine answers since -900s",
            "is: its engine last answered at +0s",
            "is: 1 cluster free",
            "is: 1 cluster in use",
            "is: no cluster was made on it yet, so it is not proven",
            "next: the next probe of a cluster is due at +30s",
            "next: the host is looked at again, if nothing happens before at +30s",
        ]
    );
}

#[test]
fn a_free_cluster_that_somebody_stopped_keeps_its_place_and_waits_for_nobody() {
    let text = "free stop-wanted; free well; in-use well; want 2; capacity 3";
    let said = "is: 1 of the free ones is stopped: it keeps its place and waits for nobody";
    let (case, outlook) = told(text);
    let explained = explain_host(&row(&case), &here(Some(outlook.clone())), NOW);
    assert_eq!((explained.stopped, explained.filled), (1, Some(Filled { up: 2, of: 2 })));
    let says = lines(&explained);
    has(&says, "wanted: 1 of f wait there for users");
    has(&says, "is: 2 clusters free");
    has(&says, said);
    let (rows, pool) = pool(&[text, "free stop-wanted; cordoned; want 1"]);
    let explained = explain_pool(&facts(&rows), &here(Some(pool)), NOW);
    assert_eq!(explained.stopped, 1, "what a host gives to nobody anyway is told of that host");
    has(&lines(&explained), said);
}

#[test]
fn what_failed_says_how_often_and_when_it_is_tried_again() {
    let says = host_says("want 1; flavor-fails 30");
    has(&says, "held: 1 of f: could not be made 2 times, last: no such image; tried again in 30 s at +30s");
    has(&says, "next: f is tried again: no such image at +30s");
}

#[test]
fn a_host_that_does_not_answer_says_since_when_and_when_it_is_asked_again() {
    let says = host_says("inactive; free");
    has(&says, "is: its engine does not answer; its free clusters are not given out: refused since -9s");
    has(&says, "held: everything on this host: it does not answer: refused");
    has(&says, "next: its engine is asked again: refused at +3s");
}

#[test]
fn a_purpose_says_who_asked_and_what_it_waits_for() {
    let says = host_says("leaving; in-use well");
    has(&says, "wanted: it leaves the pool when its clusters are gone: asked by otto since -9s");
    has(&says, "held: deleting the host: 1 of its clusters are in use");
}

#[test]
fn a_cluster_says_what_it_waits_for_and_its_deadline() {
    let says = cluster_says("creating failing-once; want 1");
    has(&says, "wanted: it becomes free: every node runs and its probes hold since -100s");
    has(&says, "wanted: 2 of 2 nodes run");
    has(&says, "is: vp0 does not run: it is not made yet");
    has(&says, "held: bringing up h_0: tried 1 times, last: timeout at +1s");
    has(&says, "next: it counts as failed if it is not ready by then, and is replaced at +20s");
    let says = cluster_says("free well; want 1");
    has(&says, "next: the next probe is due at +30s");
    has(&says, "is: it can be given out, until it must be proven again at +55s");
    let says = cluster_says("in-use stop-wanted; want 1");
    has(&says, "wanted: vp0 is stopped: somebody asked for it");
    has(&says, "doing: record h_0: a node was stopped since +0s");
}

#[test]
fn a_cluster_on_a_host_that_is_away_says_so_at_the_cluster() {
    let says = cluster_says("inactive; free");
    has(&says, "is: its host does not answer: refused since -9s");
    has(&says, "held: everything on its host: it does not answer: refused at +3s");
}

fn pool(texts: &[&str]) -> (Vec<HostRow>, PoolOutlook) {
    let (mut rows, mut all): (Vec<HostRow>, Vec<Arc<HostOutlook>>) = (Vec::new(), Vec::new());
    for (n, text) in texts.iter().enumerate() {
        let (case, mut outlook) = told(text);
        outlook.host = HostId::parse(&format!("{n:024x}")).unwrap();
        rows.push(row(&case));
        all.push(Arc::new(outlook));
    }
    (rows, add_up(&all, NOW))
}

fn facts(rows: &[HostRow]) -> PoolFacts {
    let hosts: Vec<Host> = rows.iter().map(|row| row.host.clone()).collect();
    let mut phases = BTreeMap::new();
    for (phase, n) in rows.iter().flat_map(|row| &row.phases) {
        *phases.entry(*phase).or_default() += n;
    }
    PoolFacts::of(&hosts, &phases)
}

fn pool_says(texts: &[&str]) -> Vec<String> {
    let (rows, pool) = pool(texts);
    lines(&explain_pool(&facts(&rows), &here(Some(pool)), NOW))
}

#[test]
fn the_pool_adds_its_hosts_up() {
    let says = pool_says(&["want 2; flavor-fails 30", "want 3; flavor-fails 20", "free well; draining", "inactive"]);
    has(&says, "wanted: 4 hosts hold at most 36 clusters");
    has(&says, "wanted: 5 of f wait for users");
    has(&says, "wanted: drain: 1 of the hosts");
    has(&says, "is: 3 of 4 hosts answer");
    has(&says, "is: 1 cluster free");
    has(
        &says,
        "held: 2 of f and 1 alike, on 2 hosts: could not be made 2 times, last: no such image; tried again in 30 s at +20s",
    );
    has(&says, "next: f is tried again on 2 hosts: no such image at +20s");
}

#[test]
fn a_thousand_hosts_are_told_in_a_page() {
    let texts: Vec<String> = (0..1000).map(|n| format!("want 9; blocked {}; creating; free", n % 12)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (rows, pool) = pool(&texts);
    let size = serde_json::to_string(&pool).unwrap().len();
    assert!(size < 20_000, "{size} bytes go from the leader to one that stands by");
    let told = here(Some(pool));
    let size = serde_json::to_string(&explain_pool(&facts(&rows), &told, NOW)).unwrap().len();
    assert!(size < 20_000, "{size} bytes");
}

#[test]
fn a_flavor_is_told_over_all_hosts() {
    let (_, pool) = pool(&["want 2; flavor-fails 30", "creating; want 1"]);
    let catalog = common::compose::Catalog::shipped(&Default::default()).unwrap();
    let mut flavor = catalog.flavors()[0].clone();
    flavor.id = common::model::FlavorId::parse("f").unwrap();
    let phases = BTreeMap::from([(PhaseKind::Creating, 1)]);
    let says = lines(&explain_flavor(&flavor, &phases, &here(Some(pool)), NOW));
    has(&says, "wanted: 3 wait for users, over all hosts");
    has(&says, "is: 1 cluster being made");
    has(&says, "doing: 1 cluster brought up (f) since +0s");
    has(&says, "held: 2 of f: could not be made 2 times, last: no such image; tried again in 30 s at +30s");
    has(&says, "next: f is tried again on one host: no such image at +30s");
}

#[test]
fn silence_is_never_taken_for_rest() {
    let (case, outlook) = told("free well; want 1");
    let until = NOW + Duration::from_secs(4);
    let silent = Source::Silent { address: "http://10.0.0.1:8080".into(), why: "connection refused".into() };
    let told = Told::<HostOutlook> { source: silent, outlook: None, lock_until: Some(until) };
    let says = lines(&explain_host(&row(&case), &told, NOW));
    has(
        &says,
        "held: it is not known here what is being done: the leader at http://10.0.0.1:8080 does not answer: connection refused",
    );
    has(&says, "next: this admin stands by, and takes over if the leader does not renew its lock by then at +4s");
    let told = Told::<HostOutlook> {
        source: Source::Nobody { why: "no admin leads".into() },
        outlook: None,
        lock_until: None,
    };
    has(&lines(&explain_host(&row(&case), &told, NOW)), "held: nothing is being done: no admin leads");
    let told = Told::<HostOutlook> { source: Source::Here, outlook: None, lock_until: None };
    let says = lines(&explain_host(&row(&case), &told, NOW));
    has(&says, "held: it is not known here what is being done: the reconciler has not looked at it yet");
    let leader = Source::Leader { address: "http://10.0.0.1:8080".into() };
    let told = Told { source: leader, outlook: Some(outlook), lock_until: Some(until) };
    let says = lines(&explain_host(&row(&case), &told, NOW));
    assert!(!says.iter().any(|line| line.starts_with("held:")), "{says:?}");
}

#[test]
fn one_that_gives_way_to_another_flavor_is_explained_where_somebody_looks() {
    let (case, outlook) = told("free well; want 0; gives-way");
    let said = "one free f gives way to one g: fewer of g wait than there should at least, and no host has room; of f \
                there are more";
    let host = lines(&explain_host(&row(&case), &here(Some(outlook.clone())), NOW));
    has(&host, &format!("wanted: {said}"));
    let pool = add_up(&[Arc::new(outlook)], NOW);
    has(&lines(&explain_pool(&facts(&[row(&case)]), &here(Some(pool)), NOW)), &format!("wanted: {said}"));
}

#[test]
fn while_something_is_done_to_a_cluster_its_deadline_waits_for_that() {
    let said = cluster_says("creating busy; want 1");
    assert!(said.iter().any(|line| line.contains("and what is under way has ended")), "{said:#?}");
    let said = cluster_says("creating failing-once; want 2");
    assert!(!said.iter().any(|line| line.contains("what is under way")), "{said:#?}");
}

#[test]
fn what_is_held_back_leads_to_what_it_is_about() {
    let (case, outlook) = told("creating failing-once; want 2; flavor-fails 30");
    let held = explain_host(&row(&case), &here(Some(outlook)), NOW).held;
    let about: Vec<_> = held.iter().map(|point| (point.cluster_id.clone(), point.flavor.is_some())).collect();
    assert_eq!(about, [(Some(case.view.clusters[0].id.clone()), true), (None, true)], "{held:?}");
}

#[test]
fn what_comes_and_goes_all_the_time_is_marked_for_pages() {
    let (case, outlook) = told("free well; want 1");
    let explained = explain_host(&row(&case), &here(Some(outlook)), NOW);
    let all = [&explained.is, &explained.doing, &explained.next].into_iter().flatten();
    let routine: Vec<&str> = all.filter(|point| point.routine).map(|point| point.what.as_str()).collect();
    assert!(routine.contains(&"its engine last answered"), "{routine:?}");
}
