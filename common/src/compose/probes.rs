//! What proves a project well: requests and what must hold of their answers. Plain data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An HTTP request whose answer proves something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HttpProbe {
    /// The endpoint it goes to.
    pub endpoint: String,
    /// Path and query, beginning with `/`.
    pub path: String,
    /// After which it counts as failed.
    pub timeout: Duration,
    /// What must hold of the JSON body; empty: status 200 is enough. Status 200 is always needed.
    pub expect: Vec<JsonExpect>,
}

/// Requests that together make a network do its work: that all steps hold, one after the other, is the proof. It leaves
/// traces, such as a block on the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeepProbe {
    /// How long a proof is good for: asked no more often than this.
    pub every: Duration,
    /// It needs chaincode, so it is not sent to clusters on hosts that give their nodes no Docker endpoint.
    pub needs_chaincode: bool,
    /// In this order, at least one.
    pub steps: Vec<DeepStep>,
}

impl DeepProbe {
    /// Whether it can be asked of clusters on a host with this setting.
    pub fn suits(&self, chaincode_endpoint: Option<&str>) -> bool {
        !self.needs_chaincode || chaincode_endpoint.is_some()
    }
}

/// One request of a deep probe. A `GET` is sent again, after a pause, until all that it expects holds or `within` has
/// passed; a `POST` once, and waits at most `within`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeepStep {
    /// How.
    pub method: HttpMethod,
    /// The endpoint it goes to.
    pub endpoint: String,
    /// Path and query, beginning with `/`.
    pub path: String,
    /// Sent as JSON; only with a `POST`.
    pub body: Option<serde_json::Value>,
    /// After which it counts as failed.
    pub within: Duration,
    /// What must hold of the JSON answer. Status 200 is always needed.
    pub expect: Vec<JsonExpect>,
    /// JSON pointers to numbers which must be larger than the first step with the same endpoint and path saw them.
    pub grows: Vec<String>,
}

/// How a step asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
}

/// What must hold of a JSON value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonExpect {
    /// The array at this JSON pointer has this many items.
    Length {
        /// RFC 6901.
        pointer: String,
        /// So many.
        is: u64,
    },
    /// The number at this JSON pointer is at least this.
    AtLeast {
        /// RFC 6901.
        pointer: String,
        /// This much.
        value: f64,
    },
    /// The value at this JSON pointer is this.
    Equals {
        /// RFC 6901.
        pointer: String,
        /// This.
        value: serde_json::Value,
    },
}
