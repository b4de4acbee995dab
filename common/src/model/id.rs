//! Ids: each a type of its own, so that a lease's cannot be passed for a cluster's.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text that is not an id: 24 lower-case hexadecimal digits were expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an id: 24 lower-case hexadecimal digits are expected")]
pub struct InvalidId(pub String);

/// 24 hexadecimal digits, as many as the ids that clients of the old services store.
const ID_DIGITS: usize = 24;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// A new id: 96 random bits, so that nobody guesses one and no two meet.
            pub fn random() -> Self {
                Self(hex::encode(rand::random::<[u8; ID_DIGITS / 2]>()))
            }

            /// Takes a text for an id if it has the shape of one.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let ok = text.len() == ID_DIGITS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                if ok { Ok(Self(text.to_owned())) } else { Err(InvalidId(text.chars().take(64).collect())) }
            }

            /// The 24 digits.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text)
            }
        }
    };
}

id!(/// Names one store's pool. On every label, so that two pools can share an engine unharmed.
    PoolId);
id!(/// Names a host for ever; its name can change.
    HostId);
id!(/// Names a cluster. Also its Fabric network id, which chaincode containers are named after.
    ClusterId);
id!(/// Names one user's hold on one cluster.
    LeaseId);
id!(/// Names an event.
    EventId);
id!(/// Names an operator.
    OperatorId);
id!(/// Names a token in the store. Says nothing about its text.
    TokenId);
id!(/// Names an operator's session in the store: the hash of the secret in the cookie, cut to an id.
    SessionId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text() {
        let id = ClusterId::random();
        assert_eq!(ClusterId::parse(id.as_str()), Ok(id));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "abc", "ABCDEFABCDEFABCDEFABCDEF", "0123456789abcdef0123456g", "0123456789abcdef01234567 "] {
            assert!(LeaseId::parse(text).is_err(), "{text:?}");
        }
    }
}
