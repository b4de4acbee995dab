//! How long each kind of call may take, and why so long.
//!
//! A deadline is there to end a wait that has become hopeless, not to hurry an engine: giving up on a call does not
//! undo it, and a second look then has to find out what came of it.

use std::time::Duration;

/// Opening a connection and agreeing on a version. A healthy engine takes milliseconds; five seconds still reach one on
/// the other side of the world whose packets got lost twice.
pub const CONNECT: Duration = Duration::from_secs(5);

/// A ping does no work, and a host is pinged every ten seconds: an answer must not meet the next question.
pub const PING: Duration = Duration::from_secs(5);

/// Reading: lists, inspections, `info`. Some milliseconds, but each waits for the lock of a container that is being
/// started or removed, and those take seconds on a busy host.
pub const LOOK: Duration = Duration::from_secs(30);

/// Making a network, a volume or a container. Tenths of a second; a full disk queue has been seen to take ten.
pub const CREATE: Duration = Duration::from_secs(60);

/// Starting a container: 0.4 s alone, 7.4 s when 32 start at once (measured), so a minute is for a host in trouble.
pub const START: Duration = Duration::from_secs(60);

/// Stopping, beyond the grace that was asked for: the engine waits some ten seconds for a killed process to go.
pub const STOP_BEYOND_GRACE: Duration = Duration::from_secs(30);

/// Removing one thing. A container's layers and volumes are deleted within the call, 100 MB and more with a ledger.
pub const REMOVE: Duration = Duration::from_secs(60);

/// Between two signs of life of a pull. Unpacking one large layer says nothing for most of a minute on a slow disk.
pub const PULL_SILENCE: Duration = Duration::from_secs(120);

/// A whole pull: 2 GB over a line of 20 Mbit/s.
pub const PULL: Duration = Duration::from_secs(20 * 60);

/// Reading the last lines of a log, or one sample of statistics: it is a page that waits.
pub const PEEK: Duration = Duration::from_secs(10);

/// Gathering what is to be learnt of a cluster that failed: its removal, and so its successor, waits for it.
pub const GATHER: Duration = Duration::from_secs(10);

/// Beyond all of the above, so that each of those is the one that ends a call; bollard's own has whole seconds only and
/// ends with the response's head.
pub(crate) const CLIENT_SECONDS: u64 = 3600;
