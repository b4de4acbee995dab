//! Fabric 0.6's REST, as far as a peer without membership service has it.

mod chaincode;
mod shapes;

use std::hash::{BuildHasher, Hasher, RandomState};

use serde::Serialize;

use crate::{Network, Peer, UnixNanos};

/// An answer: JSON that ends with a newline (`Content-Type: application/json`). Empty for a JSON-RPC notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// JSON and a newline.
    pub body: String,
}

impl Response {
    fn json(status: u16, body: &impl Serialize) -> Self {
        let mut body = serde_json::to_string(body).unwrap_or_default();
        body.push('\n');
        Self { status, body }
    }

    /// An error, as every path but `/chaincode` words it.
    pub fn error(status: u16, text: &str) -> Self {
        Self::json(status, &shapes::Error { error: text })
    }

    fn not_found() -> Self {
        Self::error(404, "openchain: resource not found")
    }
}

impl Peer {
    /// Answers one REST request from what it holds now. `network` is asked only who is connected.
    ///
    /// `path` may carry a query, which nothing here heeds. An invoke is taken, not yet ordered.
    pub fn rest(&self, network: &dyn Network, method: &str, path: &str, body: &[u8], now: UnixNanos) -> Response {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match (method, parts.as_slice()) {
            ("GET", ["chain"]) => Response::json(200, &shapes::chain(&self.lock().ledger)),
            ("GET", ["chain", "blocks", number]) => self.block(number),
            ("GET", ["transactions", id]) => {
                let state = self.lock();
                let held = state.ledger.place(id);
                match held.and_then(|held| held.transactions().find(|transaction| *transaction.id == **id)) {
                    Some(transaction) => Response::json(200, &shapes::transaction(transaction)),
                    None => Response::not_found(),
                }
            }
            ("GET", ["network", "peers"]) => self.peers(network),
            ("POST", ["chaincode"]) => self.chaincode(body, now),
            _ => Response::not_found(),
        }
    }

    fn block(&self, number: &str) -> Response {
        let Ok(number) = number.parse() else {
            return Response::error(400, "Block id must be an integer (uint64).");
        };
        let state = self.lock();
        match state.ledger.committed(number) {
            Some(held) => Response::json(200, &shapes::block(held, &self.config.consensus)),
            None => Response::not_found(),
        }
    }

    /// The others in random order, then itself. Who is frozen is listed: its connection stands.
    fn peers(&self, network: &dyn Network) -> Response {
        let (known, own) = {
            let state = self.lock();
            (state.known.clone(), state.address.clone())
        };
        let connected = known.iter().filter(|(_, address)| network.is_connected(address)).cloned();
        let mut peers: Vec<_> = connected.map(|(id, address)| (random(), id, address)).collect();
        peers.sort_by_key(|(key, ..)| *key);
        let peers = peers.into_iter().map(|(_, id, address)| (id, address));
        Response::json(200, &shapes::peers(peers.chain([(self.id.clone(), own)])))
    }
}

/// A number that nobody can foresee, from the randomness that the standard library seeds its hash maps with.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
