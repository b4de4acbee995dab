//! What peers say to each other.

/// To be filled.
#[derive(Clone, Debug)]
pub enum Message {}

/// To be filled.
#[derive(Clone, Debug)]
pub enum Reply {}
