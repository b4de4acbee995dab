//! Chaos: a pool under constant apply and release while containers, programs and the database's primary are hit.
//!
//! Afterwards everything is compared: what users were told, what the record says, and what is on the engine.

mod agree;
mod crew;
mod door;
mod judge;
mod leaks;
mod record;
mod report;
mod run;
mod schedule;
mod strangers;
mod told;
mod user;
mod victims;

pub use door::Door;
pub use record::{all, doubles, lost};
pub use report::Report;
pub use run::{CAPACITY, Settings, USERS, run};
pub use schedule::{ContainerFault, Due, ProgramFault, Schedule, StoreFault, schedule};
pub use told::{Book, Counts, Ledger};
pub use user::Crowd;
