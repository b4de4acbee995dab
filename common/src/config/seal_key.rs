//! The keys with which credentials of hosts are sealed in the store.

use std::fmt;

use super::{ConfigError, Source};

/// 32 bytes that are shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct SealKey([u8; 32]);

/// The key that seals, and those that still open what was sealed before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealKeys {
    /// `SEAL_KEY`; without it nothing can be sealed.
    pub current: Option<SealKey>,
    /// `SEAL_KEY_OLD`
    pub former: Vec<SealKey>,
}

impl SealKey {
    /// The bytes, for the one who needs them.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Takes 64 hexadecimal digits, as `openssl rand -hex 32` makes them.
    pub fn parse(text: &str) -> Result<SealKey, String> {
        let mut bytes = [0; 32];
        match hex::decode_to_slice(text.trim(), &mut bytes) {
            Ok(()) if bytes != [0; 32] => Ok(SealKey(bytes)),
            _ => Err("must be 64 hexadecimal digits: openssl rand -hex 32 makes them".into()),
        }
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl SealKeys {
    pub(super) fn read(source: &Source) -> Result<SealKeys, ConfigError> {
        let former = |text: &str| text.split(',').map(SealKey::parse).collect::<Result<Vec<_>, _>>();
        Ok(SealKeys {
            current: source.parsed("SEAL_KEY", SealKey::parse)?,
            former: source.parsed("SEAL_KEY_OLD", former)?.unwrap_or_default(),
        })
    }
}
