//! The JSON of Fabric 0.6, field by field in its order.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::block::{Hash, Kind, Transaction};
use crate::id::PeerId;
use crate::ledger::{Held, Ledger};
use crate::{Consensus, UnixNanos};

#[derive(Serialize)]
pub struct Error<'a> {
    #[serde(rename = "Error")]
    pub error: &'a str,
}

#[derive(Serialize)]
struct Time {
    seconds: u64,
    #[serde(skip_serializing_if = "is_zero")]
    nanos: u32,
}

fn is_zero(nanos: &u32) -> bool {
    *nanos == 0
}

impl From<UnixNanos> for Time {
    fn from(at: UnixNanos) -> Self {
        Self { seconds: at.seconds(), nanos: at.nanos() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Chain {
    height: u64,
    current_block_hash: Hash,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_block_hash: Option<Hash>,
}

pub fn chain(ledger: &Ledger) -> impl Serialize + use<> {
    let height = ledger.height();
    let before = height.checked_sub(2).and_then(|number| ledger.committed(number));
    Chain { height, current_block_hash: ledger.head(), previous_block_hash: before.map(|held| held.hash) }
}

#[derive(Serialize)]
struct Peers {
    peers: Vec<PeerEndpoint>,
}

#[derive(Serialize)]
struct PeerEndpoint {
    #[serde(rename = "ID")]
    id: PeerName,
    address: Box<str>,
    /// 1 is a validating peer, which all are here.
    r#type: u8,
}

#[derive(Serialize)]
struct PeerName {
    name: PeerId,
}

pub fn peers(peers: impl Iterator<Item = (PeerId, Box<str>)>) -> impl Serialize {
    Peers { peers: peers.map(|(name, address)| PeerEndpoint { id: PeerName { name }, address, r#type: 1 }).collect() }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Block<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    transactions: Vec<Tx<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_hash: Option<Hash>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_block_hash: Option<Hash>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consensus_metadata: Option<String>,
    non_hash_data: NonHashData,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NonHashData {
    local_ledger_commit_timestamp: Time,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    chaincode_events: Vec<NoEvent>,
}

/// One a transaction; the toy chaincode says nothing.
#[derive(Serialize)]
struct NoEvent {}

pub fn block<'a>(held: &'a Held, consensus: &Consensus) -> impl Serialize + use<'a> {
    let later = (held.block.number > 0).then_some(());
    let transactions: Vec<Tx<'_>> = held.transactions().map(|transaction| tx(transaction)).collect();
    Block {
        state_hash: later.map(|()| held.state),
        previous_block_hash: later.map(|()| held.block.previous),
        consensus_metadata: match consensus {
            Consensus::Noops => None,
            // The sequence number, field 1.
            Consensus::Pbft { .. } => later.map(|()| {
                let mut metadata = vec![0x08];
                varint(&mut metadata, held.block.number);
                STANDARD.encode(metadata)
            }),
        },
        non_hash_data: NonHashData {
            local_ledger_commit_timestamp: held.at.into(),
            chaincode_events: transactions.iter().map(|_| NoEvent {}).collect(),
        },
        transactions,
    }
}

#[derive(Serialize)]
struct Tx<'a> {
    r#type: u8,
    #[serde(rename = "chaincodeID")]
    chaincode_id: String,
    payload: String,
    txid: &'a str,
    timestamp: Time,
}

pub fn transaction(transaction: &Transaction) -> impl Serialize + use<'_> {
    tx(transaction)
}

fn tx(transaction: &Transaction) -> Tx<'_> {
    let name = field(2, transaction.chaincode.as_bytes());
    // ChaincodeSpec: type GOLANG, chaincodeID, ctorMsg. A deployment and an invocation wrap it alike, as field 1.
    let mut input = Vec::new();
    transaction.args.iter().for_each(|arg| input.extend(field(1, arg.as_bytes())));
    let mut spec = vec![0x08, 0x01];
    spec.extend(field(2, &name));
    spec.extend(field(3, &input));
    Tx {
        r#type: match transaction.kind {
            Kind::Deploy => 1,
            Kind::Invoke => 2,
        },
        chaincode_id: STANDARD.encode(&name),
        payload: STANDARD.encode(field(1, &spec)),
        txid: &transaction.id,
        timestamp: transaction.at.into(),
    }
}

/// A field of bytes in protocol buffers' encoding.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    varint(&mut out, bytes.len() as u64);
    out.extend_from_slice(bytes);
    out
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
