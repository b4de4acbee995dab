//! The simulated engine, asked over its socket: by bollard where the product asks, by plain HTTP where words matter.
#![allow(clippy::unwrap_used, reason = "tests")]

mod binary;
mod chaincode;
mod containers;
mod events;
mod faults;
mod images;
mod life;
mod logs_and_stats;
mod networks;
mod peers;
mod presence;
mod scale;
mod support;
mod trouble;
mod volumes;
