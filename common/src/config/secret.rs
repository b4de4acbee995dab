//! A text that must not be shown.

use std::fmt;

use subtle::ConstantTimeEq;

/// A password or shared secret: shown by neither `Debug` nor `Display`, so that no log, page or error holds it by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one who needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the header `Authorization` has it, as `Bearer ...`; how long this takes does not depend on the text given.
    pub fn is_in(&self, header: Option<&str>) -> bool {
        let given = header.and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
        given.as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}
