//! When a host is looked at: what was heard of it, who hears of which change, how soon passes follow each other, and how
//! long a host at which there is nothing to do is left alone.

pub mod dirty;
pub mod news;
pub mod rest;
pub mod turns;
