//! Stories told to the real programs, on a real Docker engine and a real MongoDB (some on SQLite): what operators and
//! users do, and what happens to them on a bad day. Everything else is tested closer to the code.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "in a test, a panic is the report, and what was measured is shown"
)]

mod bad_input;
mod chance;
mod crowd;
mod ending;
mod killed;
mod operator_and_user;
mod sick_file;
mod stopped;
mod store_away;
mod store_of_three;

fn say(text: &str) {
    println!("{text}");
}
