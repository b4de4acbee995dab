//! The pages and the JSON through the real router, over real HTTP, on a SQLite store of the test's own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, helpers included")]

mod access;
mod add_host;
mod arbitrary;
mod assets;
mod bodies;
mod browser;
mod cluster_pages;
mod clusters;
mod counts;
mod create;
mod explain;
mod failures;
mod following;
mod host_form;
mod host_operations;
mod host_tls;
mod hosts;
mod lists;
mod live;
mod many;
mod metrics;
mod node_logs;
mod on_sim;
mod openapi;
mod pages;
mod reset;
mod roles;
mod samples;
mod sign_in;
mod support;
mod tokens;
mod twice;
