//! When what goes wrong. A plain function of the seed and the length: the same two give the same faults at the same moments.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// In two minutes; other lengths have their share, and each at least what shows every kind of fault.
const TWO_MINUTES: Duration = Duration::from_secs(120);
const PROGRAM_KILLS: f64 = 10.0;
const LEADER_STOPS: f64 = 1.0;
const STEP_DOWNS: f64 = 3.0;
const CONTAINER_KILLS: f64 = 30.0;

/// What goes wrong. `pick` chooses among what is there at that moment, in the order of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
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
    /// `docker kill` of a node of some cluster.
    KillContainer {
        /// Which.
        pick: u64,
    },
    /// `docker pause` of a node of some cluster.
    PauseContainer {
        /// Which.
        pick: u64,
    },
    /// A stranger's container joins the network of some cluster.
    Intrude {
        /// Which.
        pick: u64,
    },
    /// The primary of the replica set steps down.
    StepDown,
}

/// A fault and its moment, from the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The moment.
    pub at: Duration,
    /// What goes wrong.
    pub fault: Fault,
}

/// All faults of a run, by who carries them out, in the order of their moments. Those of one kind come one after another,
/// those of different kinds at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// To admin and app.
    pub programs: Vec<Due>,
    /// To containers.
    pub containers: Vec<Due>,
    /// To MongoDB.
    pub store: Vec<Due>,
}

/// The schedule of a run of this length.
pub fn schedule(seed: u64, length: Duration) -> Schedule {
    let mut chance = StdRng::seed_from_u64(seed);
    let share = length.as_secs_f64() / TWO_MINUTES.as_secs_f64();
    let kills = (PROGRAM_KILLS * share).round().max(3.0) as u32;
    // Half of them to app. The others to the leader, but for one in three: that one stands by.
    let program = |n: u32, chance: &mut StdRng| match n {
        n if n % 2 == 0 => Fault::KillApp { pick: chance.random() },
        n if n % 6 == 3 => Fault::KillStandby,
        _ => Fault::KillLeader,
    };
    let mut programs = spread(&mut chance, length, kills, program);
    // It takes as long as a short run, which goes without.
    let stops = (LEADER_STOPS * share).round() as u32;
    programs.extend(spread(&mut chance, length, stops, |_, _| Fault::StopLeader));
    programs.sort_by_key(|due| due.at);
    let mut containers = spread(&mut chance, length, (CONTAINER_KILLS * share).round().max(2.0) as u32, |_, chance| {
        Fault::KillContainer { pick: chance.random() }
    });
    containers.extend(spread(&mut chance, length, 1, |_, chance| Fault::PauseContainer { pick: chance.random() }));
    containers.extend(spread(&mut chance, length, 1, |_, chance| Fault::Intrude { pick: chance.random() }));
    containers.sort_by_key(|due| due.at);
    let store = spread(&mut chance, length, (STEP_DOWNS * share).round().max(1.0) as u32, |_, _| Fault::StepDown);
    Schedule { programs, containers, store }
}

/// So many faults: the length is cut in as many parts, and each has one at a moment of its own.
fn spread(
    chance: &mut StdRng,
    length: Duration,
    count: u32,
    mut fault: impl FnMut(u32, &mut StdRng) -> Fault,
) -> Vec<Due> {
    let part = length / count.max(1);
    (0..count)
        .map(|n| {
            let at = part * n + part.mul_f64(chance.random_range(0.1..0.9));
            Due { at, fault: fault(n, chance) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(due: &[Due], wanted: impl Fn(&Fault) -> bool) -> usize {
        due.iter().filter(|due| wanted(&due.fault)).count()
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_and_another_seed_others() {
        assert_eq!(schedule(7, TWO_MINUTES), schedule(7, TWO_MINUTES));
        assert_ne!(schedule(7, TWO_MINUTES), schedule(8, TWO_MINUTES));
    }

    #[test]
    fn two_minutes_have_ten_kills_of_programs_and_three_step_downs() {
        for seed in 0..50 {
            let schedule = schedule(seed, TWO_MINUTES);
            assert_eq!((schedule.programs.len(), schedule.store.len()), (11, 3));
            assert_eq!(count(&schedule.programs, |fault| *fault == Fault::StopLeader), 1);
            assert_eq!(count(&schedule.programs, |fault| matches!(fault, Fault::KillApp { .. })), 5);
            assert!(count(&schedule.programs, |fault| *fault == Fault::KillLeader) >= 3);
            assert!(count(&schedule.containers, |fault| matches!(fault, Fault::KillContainer { .. })) == 30);
            for due in [&schedule.programs, &schedule.containers, &schedule.store] {
                assert!(due.is_sorted_by_key(|due| due.at), "{due:?}");
                assert!(due.iter().all(|due| due.at < TWO_MINUTES), "{due:?}");
            }
        }
    }

    #[test]
    fn a_short_run_has_at_least_one_of_each() {
        let schedule = schedule(1, Duration::from_secs(10));
        assert!(count(&schedule.programs, |fault| matches!(fault, Fault::KillApp { .. })) > 0);
        assert!(count(&schedule.programs, |fault| *fault == Fault::KillLeader) > 0);
        let containers = |wanted: fn(&Fault) -> bool| count(&schedule.containers, wanted);
        assert!(containers(|fault| matches!(fault, Fault::KillContainer { .. })) > 0);
        assert_eq!(containers(|fault| matches!(fault, Fault::PauseContainer { .. })), 1);
        assert_eq!(containers(|fault| matches!(fault, Fault::Intrude { .. })), 1);
        assert_eq!(schedule.store.len(), 1);
    }
}
