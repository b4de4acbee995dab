//! The pages and the JSON through the real router, over real HTTP, on a SQLite store of the test's own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, helpers included")]

mod arbitrary;
mod clusters;
mod hosts;
mod pages;
mod roles;
mod sign_in;
mod support;
