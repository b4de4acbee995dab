//! When which page is rendered next. Plain functions of the time.
//!
//! Live pages are a convenience, and the reconciler must not feel them: one is rendered at a time, each at most twice a
//! second, and all together within a share of one core, whatever happens in the pool and however many look on. When that
//! is not enough for all, whoever has waited longest is next, so everybody's page gets slower alike.

use std::time::{Duration, Instant};

/// One page is rendered at most so often: what changes faster cannot be read anyhow, and a second is promised.
pub const APART: Duration = Duration::from_millis(500);

/// Rendering takes at most one part in so many of one core's time: with pages of a few milliseconds that is some hundred
/// renders a second, and on two cores a tenth of what there is.
const PART: u32 = 5;

/// After one slow render the others wait no longer than this.
const LONGEST_REST: Duration = Duration::from_secs(2);

/// What no news tell of (when a host last answered, how many applies came) is looked at so often.
pub const SLOW: Duration = Duration::from_secs(15);

/// While another admin leads, what it does is heard of only by asking.
pub const SLOW_STANDING_BY: Duration = Duration::from_secs(5);

/// Where one page stands.
#[derive(Clone, Copy, Debug)]
pub enum Turn {
    /// It was never rendered, and somebody waits for it since then.
    New(Instant),
    /// It was begun to be rendered then.
    Rendered {
        /// When.
        begun: Instant,
        /// Since when something may be newer than that.
        wanted: Option<Instant>,
    },
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<K> {
    /// This one is rendered now.
    Render(K),
    /// Nothing before this, unless news come.
    Wait(Instant),
    /// There are no pages.
    Nothing,
}

impl Turn {
    /// Something changed.
    pub fn want(&mut self, now: Instant) {
        match self {
            Turn::New(_) => {}
            Turn::Rendered { wanted, .. } => _ = wanted.get_or_insert(now),
        }
    }

    /// It is being rendered; what changes from now on is for the next time.
    pub fn begin(&mut self, now: Instant) {
        *self = Turn::Rendered { begun: now, wanted: None };
    }

    /// When it may be rendered, as far as itself is concerned.
    fn due(&self, slow: Duration) -> Instant {
        match *self {
            Turn::New(since) => since,
            Turn::Rendered { begun, wanted: Some(wanted) } => wanted.max(begun + APART).min(begun + slow),
            Turn::Rendered { begun, wanted: None } => begun + slow,
        }
    }
}

/// Which page is rendered next, or when; not before `rested`.
pub fn next<'a, K: Clone + 'a>(
    turns: impl Iterator<Item = (&'a K, Turn)>,
    rested: Instant,
    slow: Duration,
    now: Instant,
) -> Next<K> {
    match turns.map(|(key, turn)| (turn.due(slow), key)).min_by_key(|(due, _)| *due) {
        None => Next::Nothing,
        Some((due, key)) if due.max(rested) <= now => Next::Render(key.clone()),
        Some((due, _)) => Next::Wait(due.max(rested)),
    }
}

/// How long all rest after a render that cost so much.
pub fn rest(cost: Duration) -> Duration {
    (cost * (PART - 1)).min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Which pages are rendered when, in milliseconds, if each costs so much and each is always wanted.
    fn busy(pages: usize, cost: Duration, until: Duration) -> Vec<(usize, u128)> {
        let start = Instant::now();
        let mut turns: Vec<(usize, Turn)> = (0..pages).map(|key| (key, Turn::New(start))).collect();
        let (mut now, mut rested, mut done) = (start, start, Vec::new());
        while now < start + until {
            match next(turns.iter().map(|(key, turn)| (key, *turn)), rested, SLOW, now) {
                Next::Render(key) => {
                    done.push((key, (now - start).as_millis()));
                    turns[key].1.begin(now);
                    now += cost;
                    rested = now + rest(cost);
                    turns.iter_mut().for_each(|(_, turn)| turn.want(now));
                }
                Next::Wait(at) => {
                    assert!(at > now, "waiting ends");
                    now = at;
                }
                Next::Nothing => break,
            }
        }
        done
    }

    #[test]
    fn one_page_is_rendered_at_once_and_then_twice_a_second() {
        let times: Vec<u128> = busy(1, 2 * MS, 2_000 * MS).into_iter().map(|(_, at)| at).collect();
        assert_eq!(times, [0, 500, 1_000, 1_500]);
    }

    #[test]
    fn all_pages_together_take_their_part_of_a_core_and_no_more() {
        for (pages, cost) in [(1_000, 2), (1_000, 20), (50, 10)] {
            let rendered = busy(pages, cost * MS, 10_000 * MS).len() as u32;
            let took = rendered * cost;
            assert!(took <= 10_000 / PART + cost, "{pages} pages of {cost} ms take {took} ms in 10 s");
        }
    }

    #[test]
    fn when_there_is_no_time_for_all_each_gets_its_turn() {
        let rendered = busy(100, 10 * MS, 20_000 * MS);
        let mut times = vec![0_u32; 100];
        rendered.iter().for_each(|(page, _)| times[*page] += 1);
        let (least, most) = (times.iter().min().unwrap(), times.iter().max().unwrap());
        assert!(*least >= 3 && most - least <= 1, "{times:?}");
    }

    #[test]
    fn what_nobody_tells_of_is_looked_at_now_and_then() {
        let start = Instant::now();
        let mut turn = Turn::New(start);
        turn.begin(start);
        assert_eq!(next([(&1, turn)].into_iter(), start, SLOW, start), Next::Wait(start + SLOW));
        assert_eq!(next([(&1, turn)].into_iter(), start, SLOW, start + SLOW), Next::Render(1));
        assert_eq!(next(std::iter::empty::<(&i32, Turn)>(), start, SLOW, start), Next::Nothing);
    }

    #[test]
    fn a_change_shows_at_once_on_a_page_that_was_quiet() {
        let start = Instant::now();
        let mut turn = Turn::New(start);
        turn.begin(start);
        let later = start + 5_000 * MS;
        turn.want(later);
        assert_eq!(next([(&1, turn)].into_iter(), start, SLOW, later), Next::Render(1));
    }

    #[test]
    fn a_slow_page_holds_up_the_others_for_a_bounded_time() {
        assert_eq!(rest(2 * MS), 8 * MS);
        assert_eq!(rest(5_000 * MS), LONGEST_REST);
    }
}
