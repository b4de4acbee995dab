//! What operators can have done, one function each; pages and JSON call the same.
//!
//! Each decides apart from its reading and writing, and refuses with the field and the reason. Whatever changes the
//! pool rings the reconciler afterwards; whatever was done is an event.

mod add_host;
mod add_many;
mod change_host;
mod cluster_moves;
mod configure_host;
mod create_cluster;
mod delete_host;
mod event_input;
mod events;
mod evidence;
mod explain;
mod holders;
mod host_input;
#[cfg(test)]
mod host_input_test;
mod host_purpose;
mod host_tls;
mod list_input;
mod lists;
mod many_input;
mod mix_input;
mod operators;
mod own_sessions;
mod records;
mod refusal;
mod reset_host;
mod stats;
mod tail;
mod token_input;
mod tokens;

use std::sync::Arc;

use common::compose::Catalog;
use common::model::{Actor, FlavorId, SlotLayout, Timestamp};
use common::store::SharedStore;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::watch;

use crate::access::Passwords;
use crate::leader_link::LeaderLink;
use crate::seal::Seal;
use crate::tally::Tally;

pub use add_host::Added;
pub use add_many::{LineDone, LineResult, ManyDone};
pub use cluster_moves::{ClusterAction, restarts};
pub use create_cluster::{CreateInput, Created, may_take};
pub use delete_host::ForceInput;
pub use event_input::EventInput;
pub use holders::Holders;
pub use host_input::{HostInput, LogType};
pub use host_purpose::HostAction;
pub use host_tls::TlsInput;
pub use list_input::{ListInput, Natural};
use lists::not_there;
pub use lists::{ClusterList, HostRow, Listed, limit_of, page_of};
pub use many_input::{LONGEST_TEXT, MOST_LINES};
pub use mix_input::{mix_of_json, mix_text, parse_mix};
pub use operators::{MadeOperator, OperatorInput, reset_lost_password};
pub use refusal::{Fault, Refusal};
pub use reset_host::ResetInput;
pub use stats::{Share, Shares, Stats};
pub use tail::{LONGEST_WAIT, Waiting};
pub use token_input::{TokenInput, token_state};
pub use tokens::{MadeToken, make_token, revoke_token};

/// What every operation works on.
#[derive(Clone)]
pub struct Operations {
    /// The pool's records.
    pub store: SharedStore,
    /// The flavors there are.
    pub catalog: Arc<Catalog>,
    /// The way to whoever looks after the hosts.
    pub leader: LeaderLink,
    /// What new passwords are hashed by.
    pub passwords: Passwords,
    /// What following events takes.
    pub waiting: Waiting,
    /// What credentials of hosts are sealed with, and the way to their daemons.
    pub seal: Seal,
    /// How slots map to ports and subnets.
    pub layout: SlotLayout,
    /// How many clusters there are.
    pub tally: Tally,
    /// Told when a session may have ended or may do other things than before: whatever lasts looks after its own then.
    pub sessions_changed: watch::Sender<()>,
    /// The turn of those who want a cluster made.
    pub placing: Arc<tokio::sync::Mutex<()>>,
}

impl Operations {
    /// Has whoever looks after the hosts look at once: something is wanted.
    fn ring(&self) {
        self.tally.changed_here();
        self.leader.ring();
    }

    /// Has whoever follows something find out whether she still may.
    fn tell_sessions(&self) {
        self.sessions_changed.send_replace(());
    }

    /// Every flavor there is.
    fn flavors(&self) -> Vec<FlavorId> {
        self.catalog.flavors().iter().map(|flavor| flavor.id.clone()).collect()
    }
}

/// What came of an operation, in words for whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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

/// A point in time within a sentence: to the minute, in UTC.
fn to_the_minute(at: Timestamp) -> String {
    let iso = at.to_string();
    match (iso.get(..10), iso.get(11..16)) {
        (Some(day), Some(time)) => format!("{day} {time} UTC"),
        _ => iso,
    }
}

fn operator(name: &str) -> Actor {
    Actor::Operator { name: name.to_owned() }
}
