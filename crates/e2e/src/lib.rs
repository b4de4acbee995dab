//! What the stories and benches share: real parts, started for one test and gone after it.

pub mod pool;
pub mod wait;
