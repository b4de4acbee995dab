//! Texts that people and templates choose, parsed at the door: whoever holds one of these holds a good one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text was refused; reads as a sentence after the field's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidText(pub String);

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes the text if it keeps the rules of this type, else says which one it breaks.
            pub fn parse(text: &str) -> Result<Self, InvalidText> {
                let check: fn(&str) -> Result<(), String> = $check;
                check(text).map_err(InvalidText)?;
                Ok(Self(text.to_owned()))
            }

            /// The text.
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
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidText;
            fn try_from(text: String) -> Result<Self, InvalidText> {
                Self::parse(&text)
            }
        }
    };
}

fn word(text: &str, longest: usize) -> Result<(), String> {
    if text.is_empty() {
        return Err("must not be empty".into());
    }
    if text.len() > longest {
        return Err(format!("may have at most {longest} characters"));
    }
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        return Err("may have letters, digits, '-' and '_' only".into());
    }
    if !text.as_bytes()[0].is_ascii_alphanumeric() {
        return Err("must begin with a letter or a digit".into());
    }
    Ok(())
}

text!(
    /// What operators call a host: letters, digits, `-` and `_`, at most 16, a letter or digit first.
    HostName,
    |text| word(text, 16)
);

text!(
    /// `<host>_<slot>`, frozen when the cluster is created.
    ClusterName,
    |text| word(text, 32)
);

text!(
    /// A service of a compose file, `vp0`: also a DNS name inside the cluster, so lower case and at most 32.
    NodeName,
    |text| {
        word(text, 32)?;
        if text.bytes().any(|b| b.is_ascii_uppercase()) { Err("must be lower case".into()) } else { Ok(()) }
    }
);

text!(
    /// Who holds a lease, in the words of whoever calls: 1 to 128 characters, none of them a control
    /// character, no space at either end, and not beginning with `__SYSTEM__`, which old clients read as ours.
    UserId,
    |text| {
        if text.is_empty() {
            return Err("must not be empty".into());
        }
        if text.chars().count() > 128 {
            return Err("may have at most 128 characters".into());
        }
        if text.chars().any(char::is_control) {
            return Err("may not have control characters".into());
        }
        if text.trim() != text {
            return Err("may not begin or end with a space".into());
        }
        if text.starts_with("__SYSTEM__") { Err("may not begin with __SYSTEM__".into()) } else { Ok(()) }
    }
);

impl ClusterName {
    /// The name of the cluster in a slot of a host.
    pub fn of(host: &HostName, slot: super::Slot) -> Self {
        // Both parts are words, 16 and at most 5 long, so the whole keeps the rules.
        Self(format!("{host}_{slot}"))
    }

    /// The compose project: the name in lower case, because Compose refuses anything else.
    pub fn project(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_short_words() {
        for good in ["a", "host-1", "Host_2", "0123456789abcdef"] {
            assert!(HostName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "0123456789abcdefg", "-a", "_a", "a b", "ä", "a.b", "<script>"] {
            assert!(HostName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn user_ids_are_free_text_within_bounds() {
        for good in ["alice", "Alice B.", "用户", "a@b.c/d", &"x".repeat(128)] {
            assert!(UserId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", " a", "a\n", "__SYSTEM__CREATING", &"x".repeat(129)] {
            assert!(UserId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
