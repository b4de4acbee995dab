//! The users' service over real HTTP: the real router on a free port, a real store in a folder of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where and stop")]

mod bounds;
mod bugs_of_old;
mod clusters;
mod command;
mod demand;
mod docs;
mod doorbell;
mod health;
mod house;
mod metrics;
mod nodes;
mod property;
mod sick;
mod sick_store;
mod tokens;
mod v1;
mod v2_apply;
mod v2_release;
