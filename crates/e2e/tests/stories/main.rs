//! Stories told to the real programs, on a real Docker engine and a real MongoDB (some on SQLite): what operators and
//! users do, and what happens to them on a bad day. Everything else is tested closer to the code.

mod bad_input;
mod chance;
mod crowd;
mod ending;
mod killed;
mod operator_and_user;
mod store_away;
