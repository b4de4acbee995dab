//! What operators set: the environment first, then the TOML file named by `POOLMANAGER_CONFIG_FILE`, then defaults.
//!
//! The only place that reads the environment. Parsing is pure over a map; [`Source::of_process`] alone does I/O.
//! Every variable, with its default and what is allowed, is in `docs/configuration.md`.

mod admin;
mod app;
mod first_mongo;
mod internal_secret;
mod parse;
mod proxies;
mod seal_key;
mod secret;
mod shared;
mod source;
#[cfg(test)]
mod source_test;
#[cfg(test)]
mod values_test;

pub use admin::{AdminConfig, PoolMix};
pub use app::{AppConfig, Auth};
pub use first_mongo::FirstMongoConfig;
pub use internal_secret::InternalSecret;
pub use proxies::TrustedProxies;
pub use seal_key::{SealKey, SealKeys};
pub use secret::Secret;
pub use shared::{CommonConfig, LogFormat, store_target};
pub use source::{ConfigError, NAMES, Source};
