//! Transactions and blocks, and the hashes that chain them.

use std::fmt;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha512};

use crate::UnixNanos;

/// 64 bytes, as Fabric's are; base64 in JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash([u8; 64]);

impl Hash {
    /// Of all parts, each kept apart from the next by its length.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = Sha512::new();
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// What comes before the first block.
    pub const fn none() -> Self {
        Self([0; 64])
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As REST shows it.
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }

    /// As Fabric names a chaincode: 128 digits.
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}{:02x}{:02x}{:02x}", self.0[0], self.0[1], self.0[2], self.0[3])
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_base64())
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(serde::de::Error::custom)?;
        bytes.try_into().map(Self).map_err(|_| serde::de::Error::custom("a hash has 64 bytes"))
    }
}

/// What a transaction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Makes a chaincode.
    Deploy,
    /// Calls one.
    Invoke,
}

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// Unique in its network. A deployment's is the chaincode's name when Fabric would have chosen that name.
    pub id: Arc<str>,
    /// What it does.
    pub kind: Kind,
    /// The chaincode's name.
    pub chaincode: Box<str>,
    /// The function, then its arguments.
    pub args: Vec<Box<str>>,
    /// When a peer took it.
    pub at: UnixNanos,
}

impl Transaction {
    /// What it costs a peer to hold it, in bytes, roughly.
    pub fn size(&self) -> usize {
        256 + self.id.len() + self.chaincode.len() + self.args.iter().map(|arg| arg.len() + 24).sum::<usize>()
    }
}

/// Transactions in their order, on top of the block before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// 0 is the first.
    pub number: u64,
    /// Hash of the block before.
    pub previous: Hash,
    /// Everything that was ordered here, whether or not it could be carried out.
    pub ordered: Vec<Arc<Transaction>>,
}

impl Block {
    /// The block that every chain begins with.
    pub fn genesis() -> Arc<Self> {
        static GENESIS: OnceLock<Arc<Block>> = OnceLock::new();
        Arc::clone(GENESIS.get_or_init(|| Arc::new(Self { number: 0, previous: Hash::none(), ordered: Vec::new() })))
    }

    /// What the next block names as its `previous`.
    pub fn hash(&self) -> Hash {
        let number = self.number.to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![&number, self.previous.as_bytes()];
        for tx in &self.ordered {
            parts.push(tx.id.as_bytes());
            parts.push(match tx.kind {
                Kind::Deploy => b"deploy",
                Kind::Invoke => b"invoke",
            });
            parts.push(tx.chaincode.as_bytes());
            parts.extend(tx.args.iter().map(|arg| arg.as_bytes()));
        }
        Hash::of(parts)
    }

    /// What it costs a peer to hold it, in bytes, roughly.
    pub fn size(&self) -> usize {
        512 + self.ordered.iter().map(|tx| tx.size()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_shown_by_rest_is_as_long_as_fabrics() {
        let text = Block::genesis().hash().to_base64();
        assert_eq!((text.len(), text.ends_with("==")), (88, true));
    }

    #[test]
    fn a_hash_survives_json() {
        let hash = Block::genesis().hash();
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(serde_json::from_str::<Hash>(&json).unwrap(), hash);
    }

    #[test]
    fn a_block_is_told_apart_by_the_arguments_of_its_transactions() {
        let block = |args: &[&str]| Block {
            number: 1,
            previous: Hash::none(),
            ordered: vec![Arc::new(Transaction {
                id: "t".into(),
                kind: Kind::Invoke,
                chaincode: "c".into(),
                args: args.iter().map(|arg| (*arg).into()).collect(),
                at: UnixNanos(0),
            })],
        };
        assert_ne!(block(&["ab", "c"]).hash(), block(&["a", "bc"]).hash());
    }
}
