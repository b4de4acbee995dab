//! Failed attempts to sign in, counted by name and address together, by name and by address; in memory, bounded.
//!
//! The strict count is that of a name from one address: counted by name alone, anybody could lock an operator out by
//! failing in her name. The count by name is there for guessers with many addresses, and high.
//!
//! An attempt is counted before its password is checked and taken back when it was right, so that many at once
//! cannot slip through between check and count. Each admin process counts for itself, and forgets at a restart.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use common::model::Timestamp;

/// How long a failure counts.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// Failures in a window after which a name is refused from an address: a person mistypes a few times, a guesser
/// needs thousands.
const PER_NAME_AND_ADDRESS: u32 = 10;

/// The same for an address, behind which a whole office may sit.
const PER_ADDRESS: u32 = 40;

/// The same for a name from anywhere: 20 addresses' worth, so that no single one can lock its operator out, while
/// many together still guess at most some 19,000 times a day.
const PER_NAME: u32 = 200;

/// Names and addresses remembered. When full the oldest go, which only helps a guesser who owns as many addresses.
const REMEMBERED: usize = 10_000;

/// Counts attempts.
#[derive(Default)]
pub struct Attempts {
    seen: Mutex<HashMap<Key, Seen>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Both(String, IpAddr),
    Name(String),
    Address(IpAddr),
}

impl Key {
    fn limit(&self) -> u32 {
        match self {
            Key::Both(..) => PER_NAME_AND_ADDRESS,
            Key::Name(_) => PER_NAME,
            Key::Address(_) => PER_ADDRESS,
        }
    }
}

#[derive(Clone, Copy)]
struct Seen {
    first: Timestamp,
    times: u32,
}

impl Attempts {
    /// Counts an attempt, or says how long to wait before another.
    pub fn begin(&self, name: &str, address: IpAddr, now: Timestamp) -> Result<(), Duration> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = keys(name, address);
        let wait = keys.iter().filter_map(|key| {
            let entry = seen.get(key)?;
            (entry.times >= key.limit() && now < entry.first + WINDOW).then(|| (entry.first + WINDOW).since(now))
        });
        if let Some(wait) = wait.max() {
            return Err(wait);
        }
        if seen.len() + keys.len() > REMEMBERED {
            forget(&mut seen, now);
        }
        for key in keys {
            let entry = seen.entry(key).or_insert(Seen { first: now, times: 0 });
            if now >= entry.first + WINDOW {
                *entry = Seen { first: now, times: 0 };
            }
            entry.times += 1;
        }
        Ok(())
    }

    /// The attempt was right: its name is clean again at its address, and the rest is no worse for it.
    pub fn succeeded(&self, name: &str, address: IpAddr) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys(name, address) {
            match &key {
                Key::Both(..) => {
                    seen.remove(&key);
                }
                Key::Name(_) | Key::Address(_) => uncount(&mut seen, &key),
            }
        }
    }

    /// The attempt came to no check: as if it had not been.
    pub fn not_checked(&self, name: &str, address: IpAddr) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys(name, address) {
            uncount(&mut seen, &key);
        }
    }
}

fn uncount(seen: &mut HashMap<Key, Seen>, key: &Key) {
    if let Some(entry) = seen.get_mut(key) {
        entry.times = entry.times.saturating_sub(1);
    }
}

fn keys(name: &str, address: IpAddr) -> [Key; 3] {
    // Cut, so that a long name costs no memory; no operator's name is longer.
    let name: String = name.to_lowercase().chars().take(64).collect();
    let address = neighbourhood(address);
    [Key::Both(name.clone(), address), Key::Name(name), Key::Address(address)]
}

/// Whoever has one IPv6 address has the 2^64 of its network.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (!0 << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn forget(seen: &mut HashMap<Key, Seen>, now: Timestamp) {
    seen.retain(|_, entry| now < entry.first + WINDOW);
    if seen.len() > REMEMBERED / 2 {
        let mut firsts: Vec<Timestamp> = seen.values().map(|entry| entry.first).collect();
        firsts.sort_unstable();
        let cut = firsts[firsts.len() / 2];
        seen.retain(|_, entry| entry.first > cut);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000_000_000);

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::from(0x0a00_0000 + n))
    }

    #[test]
    fn a_name_is_refused_after_ten_failures_from_one_address_and_welcome_again_after_the_window() {
        let attempts = Attempts::default();
        for _ in 0..10 {
            assert_eq!(attempts.begin("alice", address(1), START), Ok(()));
        }
        assert_eq!(attempts.begin("Alice", address(1), START), Err(WINDOW), "case makes no other name");
        assert_eq!(attempts.begin("bob", address(1), START), Ok(()));
        assert_eq!(attempts.begin("alice", address(1), START + WINDOW), Ok(()));
    }

    #[test]
    fn nobody_locks_an_operator_out_from_an_address_that_is_not_hers() {
        let attempts = Attempts::default();
        for n in 0..1000 {
            let _ = attempts.begin("alice", address(1), START + Duration::from_millis(n));
        }
        assert_eq!(attempts.begin("alice", address(2), START + Duration::from_secs(2)), Ok(()));
    }

    #[test]
    fn guessers_with_many_addresses_are_stopped_by_the_name() {
        let attempts = Attempts::default();
        for n in 0..200 {
            assert_eq!(attempts.begin("alice", address(n), START), Ok(()));
        }
        assert_eq!(attempts.begin("alice", address(999), START), Err(WINDOW));
        assert_eq!(attempts.begin("bob", address(999), START), Ok(()));
    }

    #[test]
    fn all_of_an_ipv6_network_is_one_address() {
        let attempts = Attempts::default();
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        for n in 0..10 {
            assert_eq!(attempts.begin("alice", at(&format!("2001:db8::{n}:1")), START), Ok(()));
        }
        assert_eq!(attempts.begin("alice", at("2001:db8::ffff"), START), Err(WINDOW));
        assert_eq!(attempts.begin("alice", at("2001:db8:0:1::1"), START), Ok(()));
    }

    #[test]
    fn an_attempt_that_was_not_checked_does_not_count() {
        let attempts = Attempts::default();
        for _ in 0..100 {
            assert_eq!(attempts.begin("alice", address(1), START), Ok(()));
            attempts.not_checked("alice", address(1));
        }
    }

    #[test]
    fn an_address_is_refused_after_forty_failures_with_any_names() {
        let attempts = Attempts::default();
        for n in 0..40 {
            assert_eq!(attempts.begin(&format!("name{n}"), address(1), START), Ok(()));
        }
        assert!(attempts.begin("another", address(1), START).is_err());
        assert_eq!(attempts.begin("another", address(2), START), Ok(()));
    }

    #[test]
    fn a_success_wipes_the_name_clean() {
        let attempts = Attempts::default();
        for _ in 0..5 {
            for _ in 0..9 {
                assert_eq!(attempts.begin("alice", address(1), START), Ok(()));
                attempts.succeeded("alice", address(1));
            }
        }
        assert_eq!(attempts.begin("alice", address(1), START), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let attempts = Attempts::default();
        for n in 0..30_000 {
            let _ = attempts.begin(&format!("name{n}"), address(n), START + Duration::from_millis(n.into()));
        }
        assert!(attempts.seen.lock().unwrap().len() <= REMEMBERED);
    }
}
