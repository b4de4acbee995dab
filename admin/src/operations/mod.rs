//! What operators can have done, one function each; pages and JSON call the same.
//!
//! Each decides apart from its reading and writing, and refuses with the field and the reason. Whatever changes the
//! pool rings the reconciler afterwards; whatever was done is an event.

mod add_host;
mod cluster_moves;
mod configure_host;
mod delete_host;
mod events;
mod host_input;
#[cfg(test)]
mod host_input_test;
mod lists;
mod records;
mod refusal;

use std::sync::Arc;

use common::compose::Catalog;
use common::model::{Actor, SlotLayout};
use common::store::SharedStore;
use serde::Serialize;

use crate::reconciler::Reconciler;

pub use cluster_moves::{ClusterAction, restarts};
pub use delete_host::Leaving;
pub use host_input::{HostInput, LogType};
pub use lists::{ClusterList, HostRow, Listed, cluster_filter, limit_of, page_of};
pub use refusal::{Fault, Refusal};

/// What every operation works on.
#[derive(Clone)]
pub struct Operations {
    /// The pool's records.
    pub store: SharedStore,
    /// The flavors there are.
    pub catalog: Arc<Catalog>,
    /// The running reconciler.
    pub reconciler: Reconciler,
    /// How slots map to ports and subnets.
    pub layout: SlotLayout,
}

/// What came of an operation, in words for whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Done {
    /// A sentence.
    pub message: String,
}

impl Done {
    fn said(message: impl Into<String>) -> Done {
        Done { message: message.into() }
    }
}

/// How often a conditional write that lost a race is decided anew before its caller is told to look again.
const TRIES: usize = 5;

fn operator(name: &str) -> Actor {
    Actor::Operator { name: name.to_owned() }
}
