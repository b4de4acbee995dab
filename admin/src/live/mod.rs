//! Live pages: what changes shows within a second, without a reload.
//!
//! A page that is live has a part that is rendered again whenever something it tells of may have changed: once for all
//! who look at the same address with the same role, and sent to them only if the text is another one. [`pages`] lists
//! those pages; [`Hub`] renders and keeps the last text of each; `stream` is what one browser reads; `ears` hear of
//! changes: from the store, its events and the reconciler. `pace` and `topic` decide when, and for what; they are
//! plain functions.
//!
//! What is shared must hold nothing of one session: a form's token is [`TOKEN`] there, and each stream puts in its own.

mod asked;
mod cost;
mod ears;
mod fragment;
mod hub;
mod pace;
pub mod pages;
mod places;
mod render;
mod stream;
mod topic;

pub use asked::Asked;
pub use fragment::TOKEN;
pub use hub::Hub;
pub use stream::stream;
pub use topic::Topic;
