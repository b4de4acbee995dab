//! What a simulated container uses: a plain function of who it is and how long it has run.
//!
//! Nothing runs, so nothing can be measured; what is shown follows a model that whoever watches can check
//! (`docs/simdocker.md` has it). It needs no memory of earlier samples, so a hundred thousand containers cost nothing.

use std::f64::consts::TAU;
use std::time::Duration;

/// Memory at the start, in bytes.
const MEMORY: f64 = 5.0 * MIB;
const MIB: f64 = 1_048_576.0;
/// A ledger grows, up to so much more.
const LEDGER: f64 = 32.0 * MIB;
/// By so much an hour.
const LEDGER_AN_HOUR: f64 = MIB;
/// Of one processor, always.
const IDLE: f64 = 0.004;
/// Of one processor, and up to twice this on top of it.
const SWING: f64 = 0.003;
/// From one height of the processor's use to the next.
const CPU_PERIOD: f64 = 600.0;
/// The same of the memory's.
const MEMORY_PERIOD: f64 = 300.0;
/// What it took to start.
const STARTING: Duration = Duration::from_millis(20);

/// What a container used by some moment of its run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Usage {
    /// Processor time since its start.
    pub(crate) cpu: Duration,
    /// Bytes.
    pub(crate) memory: u64,
    /// Bytes received on each of its networks.
    pub(crate) received: u64,
    /// Bytes sent on each.
    pub(crate) sent: u64,
}

impl Usage {
    /// Of a container that has run for so long.
    pub(crate) fn after(id: &str, ran: Duration) -> Usage {
        let t = ran.as_secs_f64();
        let own = own(id);
        // The integral of IDLE + SWING (1 + cos(TAU t / period + phase)): it only ever grows.
        let phase = own * TAU;
        let wave = CPU_PERIOD / TAU * ((TAU * t / CPU_PERIOD + phase).sin() - phase.sin());
        let cpu = STARTING + Duration::from_secs_f64((IDLE * t + SWING * (t + wave)).max(0.0));
        let ledger = (LEDGER_AN_HOUR * t / 3600.0).min(LEDGER);
        let breath = (0.5 + own) * MIB * (1.0 - (TAU * t / MEMORY_PERIOD).cos()) / 2.0;
        Usage {
            cpu,
            memory: whole(MEMORY + ledger + breath),
            received: 1000 + ran.as_secs() * 200,
            sent: 1000 + ran.as_secs() * 150,
        }
    }
}

/// A number in [0, 1) that is a container's own, so that not all do the same at the same time.
fn own(id: &str) -> f64 {
    let digits = id.get(..4).and_then(|digits| u16::from_str_radix(digits, 16).ok()).unwrap_or(0);
    f64::from(digits) / 65_536.0
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some megabytes, never below the start")]
fn whole(bytes: f64) -> u64 {
    bytes as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_only_grows_and_stays_between_idle_and_its_swing() {
        for id in ["0000ab", "7fffab", "ffffab"] {
            let mut before = Usage::after(id, Duration::ZERO);
            assert_eq!((before.cpu, before.memory), (STARTING, 5 << 20));
            for minute in 1..120 {
                let now = Usage::after(id, Duration::from_secs(minute * 60));
                let share = (now.cpu - before.cpu).as_secs_f64() / 60.0;
                assert!((IDLE - 1e-9..=IDLE + 2.0 * SWING + 1e-9).contains(&share), "{id} {minute}: {share}");
                assert!(now.memory >= 5 << 20 && now.memory < 40 << 20 && now.sent > before.sent);
                before = now;
            }
        }
    }
}
