//! When what goes wrong. A plain function of the seed and the length: the same two give the same faults at the same moments.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What follows is for two minutes. Other lengths have their share, and each run at least one of what a rule names `at_least`.
const TWO_MINUTES: Duration = Duration::from_secs(120);

/// What goes wrong with app and admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramFault {
    /// SIGKILL to one of the apps.
    KillApp {
        /// Which.
        pick: u64,
    },
    /// SIGKILL to the admin that leads.
    KillLeader,
    /// SIGKILL to the admin that stands by.
    KillStandby,
    /// SIGSTOP to the admin that leads, until the other one does; then SIGCONT.
    StopLeader,
}

/// What goes wrong with containers. `pick` chooses among what is there at that moment, in the order of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerFault {
    /// `docker kill` of a node of some cluster.
    Kill {
        /// Which.
        pick: u64,
    },
    /// `docker pause` of a node of some cluster.
    Pause {
        /// Which.
        pick: u64,
    },
    /// `docker rm -f` of a node of some cluster.
    Remove {
        /// Which.
        pick: u64,
    },
    /// A stranger's container joins the network of some cluster.
    Intrude {
        /// Which.
        pick: u64,
    },
}

/// What goes wrong with MongoDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// The primary of the replica set steps down.
    StepDown,
    /// SIGKILL to it; it is started again when there is another.
    KillPrimary,
}

/// A fault and its moment, from the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due<F> {
    /// The moment.
    pub at: Duration,
    /// What goes wrong.
    pub fault: F,
}

/// All faults of a run, by who carries them out, in the order of their moments. Those of one list come one after another,
/// those of different lists at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// To admin and app.
    pub programs: Vec<Due<ProgramFault>>,
    /// To containers.
    pub containers: Vec<Due<ContainerFault>>,
    /// To MongoDB.
    pub store: Vec<Due<StoreFault>>,
}

/// The schedule of a run of this length.
pub fn schedule(seed: u64, length: Duration) -> Schedule {
    let mut dice = Dice { chance: StdRng::seed_from_u64(seed), length };
    // Half of them to app. The others to the leader, but for one in three: that one stands by.
    let kill = |n: u32, chance: &mut StdRng| match n {
        n if n % 2 == 0 => ProgramFault::KillApp { pick: chance.random() },
        n if n % 6 == 3 => ProgramFault::KillStandby,
        _ => ProgramFault::KillLeader,
    };
    let programs = [
        dice.spread(10, 3, kill),
        // It takes as long as a short run, which goes without.
        dice.spread(1, 0, |_, _| ProgramFault::StopLeader),
    ];
    let containers = [
        dice.spread(20, 2, |_, chance| ContainerFault::Kill { pick: chance.random() }),
        dice.spread(1, 1, |_, chance| ContainerFault::Pause { pick: chance.random() }),
        dice.spread(2, 1, |_, chance| ContainerFault::Remove { pick: chance.random() }),
        dice.spread(1, 1, |_, chance| ContainerFault::Intrude { pick: chance.random() }),
    ];
    let store = [dice.spread(3, 1, |_, _| StoreFault::StepDown), dice.spread(1, 0, |_, _| StoreFault::KillPrimary)];
    Schedule { programs: in_order(programs), containers: in_order(containers), store: in_order(store) }
}

fn in_order<F>(lists: impl IntoIterator<Item = Vec<Due<F>>>) -> Vec<Due<F>> {
    let mut all: Vec<Due<F>> = lists.into_iter().flatten().collect();
    all.sort_by_key(|due| due.at);
    all
}

struct Dice {
    chance: StdRng,
    length: Duration,
}

impl Dice {
    /// So many faults in two minutes: the length is cut in as many parts, and each has one at a moment of its own.
    fn spread<F>(
        &mut self,
        in_two_minutes: u32,
        at_least: u32,
        mut fault: impl FnMut(u32, &mut StdRng) -> F,
    ) -> Vec<Due<F>> {
        let share = f64::from(in_two_minutes) * self.length.as_secs_f64() / TWO_MINUTES.as_secs_f64();
        let count = (share.round() as u32).max(at_least);
        let part = self.length / count.max(1);
        (0..count)
            .map(|n| {
                let at = part * n + part.mul_f64(self.chance.random_range(0.1..0.9));
                Due { at, fault: fault(n, &mut self.chance) }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count<F>(due: &[Due<F>], wanted: impl Fn(&F) -> bool) -> usize {
        due.iter().filter(|due| wanted(&due.fault)).count()
    }

    fn is_in_order<F>(due: &[Due<F>], length: Duration) -> bool {
        due.is_sorted_by_key(|due| due.at) && due.iter().all(|due| due.at < length)
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_and_another_seed_others() {
        assert_eq!(schedule(7, TWO_MINUTES), schedule(7, TWO_MINUTES));
        assert_ne!(schedule(7, TWO_MINUTES), schedule(8, TWO_MINUTES));
    }

    #[test]
    fn two_minutes_have_ten_kills_of_programs_and_three_step_downs() {
        for seed in 0..50 {
            let Schedule { programs, containers, store } = schedule(seed, TWO_MINUTES);
            assert_eq!(count(&programs, |fault| *fault != ProgramFault::StopLeader), 10);
            assert_eq!(count(&programs, |fault| matches!(fault, ProgramFault::KillApp { .. })), 5);
            assert!(count(&programs, |fault| *fault == ProgramFault::KillLeader) >= 3);
            assert_eq!(count(&programs, |fault| *fault == ProgramFault::StopLeader), 1);
            assert_eq!(count(&containers, |fault| matches!(fault, ContainerFault::Kill { .. })), 20);
            assert_eq!(count(&store, |fault| *fault == StoreFault::StepDown), 3);
            assert_eq!(count(&store, |fault| *fault == StoreFault::KillPrimary), 1);
            assert!(is_in_order(&programs, TWO_MINUTES) && is_in_order(&store, TWO_MINUTES), "{programs:?} {store:?}");
            assert!(is_in_order(&containers, TWO_MINUTES), "{containers:?}");
        }
    }

    #[test]
    fn a_short_run_has_at_least_one_of_each_that_does_not_take_long() {
        let Schedule { programs, containers, store } = schedule(1, Duration::from_secs(10));
        assert_eq!(count(&programs, |fault| matches!(fault, ProgramFault::KillApp { .. })), 2);
        assert_eq!(count(&programs, |fault| *fault == ProgramFault::KillLeader), 1);
        let is = |wanted: fn(&ContainerFault) -> bool| count(&containers, wanted);
        assert_eq!(is(|fault| matches!(fault, ContainerFault::Kill { .. })), 2);
        assert_eq!(is(|fault| matches!(fault, ContainerFault::Pause { .. })), 1);
        assert_eq!(is(|fault| matches!(fault, ContainerFault::Remove { .. })), 1);
        assert_eq!(is(|fault| matches!(fault, ContainerFault::Intrude { .. })), 1);
        assert_eq!(count(&store, |fault| *fault == StoreFault::StepDown), 1);
    }
}
