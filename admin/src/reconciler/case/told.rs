//! What is told of a pass over a host that is read from text, for tests here and of what explains it.

use std::time::Duration;

use common::model::{HostState, Timestamp};

use super::{Case, NOW};
use crate::reconciler::host_loop::contact::Tries;
use crate::reconciler::outlook::HostOutlook;
use crate::reconciler::outlook::of_pass::{Pass, outlook_of};
use crate::reconciler::plan::pool::Target;
use crate::reconciler::view::EngineView;

/// What is told of a pass over a case, with what was told of the one before.
pub fn told_after(before: Option<&HostOutlook>, case: &Case) -> HostOutlook {
    let away = matches!(case.view.engine, EngineView::Away { .. });
    let tries = Tries { failed: if away { 3 } else { 0 }, ..Tries::default() };
    let (plan, target): (_, Target) = (case.plan(), case.target());
    let pause = Duration::from_secs(3);
    outlook_of(
        before,
        &Pass { view: &case.view, plan: &plan, target: &target, policy: &case.policy, tries: &tries, pause, now: NOW },
    )
}

/// The same of a case's text.
pub fn told(text: &str) -> (Case, HostOutlook) {
    let case = Case::read(text);
    let outlook = told_after(None, &case);
    (case, outlook)
}

/// A time in words of a case: seconds from now.
pub fn from_now(at: Timestamp) -> String {
    let seconds = (at.as_millis() - NOW.as_millis()) as f64 / 1000.0;
    format!("{seconds:+}s")
}

#[test]
fn what_is_under_way_keeps_the_words_it_began_with() {
    let first = Case::read("creating; want 1");
    let begun = told_after(None, &first);
    assert_eq!(begun.lines(), ["bring up h_0 (vp0 is not made yet, vp1 is not made yet)"]);
    let mut later = Case::read("creating busy; want 1");
    for busy in later.view.memory.busy.values_mut() {
        busy.work = crate::reconciler::plan::Work::BringUp;
    }
    let told = told_after(Some(&begun), &later);
    assert_eq!(told.lines(), begun.lines(), "the memory alone knows only that it is being brought up");
    assert_eq!(told_after(None, &later).lines(), ["h_0: bringing up under way"]);
}

#[test]
fn what_is_held_back_says_when_it_is_tried_again_and_what_it_is_about() {
    let (case, outlook) = told("creating failing-once; want 2; flavor-fails 30");
    let held: Vec<(String, Option<bool>, String)> = outlook
        .held
        .iter()
        .map(|held| {
            (
                held.what.clone(),
                held.cluster.as_ref().map(|id| *id == case.view.clusters[0].id),
                held.next.map_or_else(String::new, from_now),
            )
        })
        .collect();
    assert_eq!(
        held,
        [("bringing up h_0".to_owned(), Some(true), "+1s".to_owned()), ("1 of f".to_owned(), None, "+30s".to_owned())]
    );
}

#[test]
fn what_waits_for_its_next_try_says_when_that_is_and_what_waits_for_something_else_does_not() {
    let next = |text: &str| -> Vec<String> {
        told(text).1.held.iter().map(|held| held.next.map_or_else(|| "-".into(), from_now)).collect()
    };
    assert_eq!(next("in-use known-dead-vp1 revived-vp1"), ["+4s"], "a node that does not stay up");
    assert_eq!(next("creating busy; want 2; flavor-fails 0"), ["-"], "one is tried first");
    assert_eq!(next("want 2; host-hold 7"), ["+7s"]);
    assert_eq!(next("free ill-1; write-hold"), ["+2s"]);
    assert_eq!(next("resetting web; host-fails 1 5"), ["-", "+5s"], "how far it is, and its last step");
}

#[test]
fn what_is_told_can_be_written_down_and_read_again() {
    for text in [
        "free; in-use; creating well; want 3; flavor-fails 30",
        "inactive; free",
        "failed; releasing; blocked 5; want 9",
    ] {
        let (case, outlook) = told(text);
        let json = serde_json::to_string(&outlook).unwrap();
        assert_eq!(serde_json::from_str::<HostOutlook>(&json).unwrap(), outlook, "{text}");
        let is_active = matches!(case.view.host.contact.state, HostState::Active { .. });
        assert_eq!(outlook.link.next_try.is_none(), is_active, "{text}");
    }
}
