//! What stories and benches of the whole need: real parts, started and ended by whoever uses them.

pub mod mongod;
pub mod pool;
pub mod wait;
