//! A flavor is a template with every parameter chosen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::name::InvalidText;

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes 1 to 64 lower-case letters, digits, `-`, `.` and `_`.
            pub fn parse(text: &str) -> Result<Self, InvalidText> {
                let ok = (1..=64).contains(&text.len())
                    && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_'));
                if ok {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidText("may have 1 to 64 lower-case letters, digits, '-', '.' and '_' only".into()))
                }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
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

slug!(/// Names a template: `fabric-0.6`.
    TemplateId);
slug!(/// Names a flavor: the template and its parameters' values, `fabric-0.6-pbft-batch-4`.
    FlavorId);

/// A template with every parameter chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flavor {
    /// Its name.
    pub id: FlavorId,
    /// The template it comes from.
    pub template: TemplateId,
    /// For people: `Hyperledger Fabric 0.6, pbft/batch, 4 peers`.
    pub title: String,
    /// Every parameter's value, in the template's words (`consensus_plugin`, `consensus_mode`, `size`, ...).
    pub params: BTreeMap<String, String>,
    /// How many nodes a user would count: the `size` parameter, else the number of services.
    pub size: u32,
    /// Hash of the template and the values: changes when what would be made changes.
    pub digest: String,
}

impl Flavor {
    /// The value of a parameter, "" when the template has none of that name.
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// `pbft`, `noops`, or "" for a template without consensus plugins.
    pub fn consensus_plugin(&self) -> &str {
        self.param("consensus_plugin")
    }

    /// `batch`, or "" where the plugin has no modes.
    pub fn consensus_mode(&self) -> &str {
        self.param("consensus_mode")
    }
}
