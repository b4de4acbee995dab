//! What stories and benches of the whole need: real parts, started and ended by whoever uses them.

pub mod answer;
pub mod bench;
pub mod browser;
pub mod chaos;
pub mod deployment;
pub mod heal;
pub mod house;
pub mod live;
pub mod mongod;
pub mod network;
pub mod on_engine;
pub mod operator;
pub mod pages;
pub mod pool;
pub mod program;
pub mod relay;
pub mod replica_set;
pub mod scale;
pub mod small_disk;
pub mod tls_engine;
pub mod tripwire;
pub mod wait;
