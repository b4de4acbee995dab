//! The pages and the JSON through the real router, over real HTTP, on a SQLite store of the test's own.

mod arbitrary;
mod clusters;
mod hosts;
mod pages;
mod roles;
mod sign_in;
mod support;
