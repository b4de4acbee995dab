//! A host at which there is nothing to do: until when, and what keeps it so. Plain functions.
//!
//! At rest a host costs a ping every ten seconds and one write for all its offers: its clusters' records are neither
//! read nor kept in memory.

use std::time::Duration;

use common::clock::Pace;
use common::model::{Cluster, Timestamp};

use crate::reconciler::plan::Plan;

/// Offers hold a minute beyond the engine's last answer; this often that minute is begun anew.
const EXTEND_EVERY: Duration = Duration::from_secs(20);

/// Nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Until then, if nothing is heard.
    pub until: Timestamp,
    /// Whether any of its clusters is on offer.
    pub offers: bool,
}

impl Rest {
    /// The rest after a plan, if it leaves nothing to do, nothing to wait for, and nothing held back but what
    /// only a change of its records can end; at most `longest`.
    pub fn after(plan: &Plan, clusters: &[Cluster], now: Timestamp, longest: Duration) -> Option<Rest> {
        let idle = plan.steps.is_empty() && !plan.ends_untold;
        let latest = now + longest;
        let until = plan.wake_at.map_or(latest, |at| at.min(latest));
        let offers = clusters.iter().any(|cluster| cluster.offer.is_some());
        (idle && until > now).then_some(Rest { until, offers })
    }

    /// Whether its offers are to be extended now.
    pub fn extends(&self, extended: Option<Timestamp>, now: Timestamp, pace: Pace) -> bool {
        self.offers && extended.is_none_or(|at| at + pace.of(EXTEND_EVERY) <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconciler::plan::{About, Held};

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);
    const LONGEST: Duration = Duration::from_secs(60);

    #[test]
    fn a_host_rests_until_the_plan_says_and_not_for_ever() {
        let rest = |wake_at| Rest::after(&Plan { wake_at, ..Plan::default() }, &[], NOW, LONGEST);
        let until = |at| Some(Rest { until: at, offers: false });
        assert_eq!(rest(None), until(NOW + LONGEST));
        assert_eq!(rest(Some(NOW + LONGEST * 2)), until(NOW + LONGEST));
        assert_eq!(rest(Some(NOW + LONGEST / 2)), until(NOW + LONGEST / 2));
        assert_eq!(rest(Some(NOW)), None);
    }

    #[test]
    fn what_is_held_back_leaves_no_rest_unless_only_a_change_can_end_it() {
        let held = vec![Held { about: About::Host, what: "1 of f".into(), why: "no room".into(), next: None }];
        let rest =
            |ends_untold| Rest::after(&Plan { held: held.clone(), ends_untold, ..Plan::default() }, &[], NOW, LONGEST);
        assert_eq!(rest(true), None);
        assert_eq!(rest(false), Some(Rest { until: NOW + LONGEST, offers: false }));
    }

    #[test]
    fn offers_are_extended_in_time_and_only_if_there_are_any() {
        let rest = Rest { until: NOW, offers: true };
        assert!(rest.extends(None, NOW, Pace::ORDINARY));
        assert!(rest.extends(Some(NOW), NOW + EXTEND_EVERY, Pace::ORDINARY));
        assert!(!rest.extends(Some(NOW), NOW + EXTEND_EVERY / 2, Pace::ORDINARY));
        assert!(!Rest { offers: false, ..rest }.extends(None, NOW, Pace::ORDINARY));
    }
}
