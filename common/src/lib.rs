//! What app and admin share: the model, the store, compose templates, configuration, logging and metrics.
//!
//! No Docker client lives here: app links this crate and must not be able to reach a Docker host.

pub mod clock;
pub mod compose;
pub mod config;
pub mod json;
pub mod logging;
pub mod metrics;
pub mod model;
pub mod store;
