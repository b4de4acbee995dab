//! A person who signs in to admin.

use serde::{Deserialize, Serialize};

use super::{InvalidText, OperatorId, SessionId, Timestamp};

/// A person who signs in to admin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// Its id.
    pub id: OperatorId,
    /// Grows by one with every change. Records from before changes were possible have none, which is 0.
    #[serde(default)]
    pub version: u64,
    /// What she signs in with; unique.
    pub username: String,
    /// Argon2id, in the PHC string format.
    pub password_hash: String,
    /// Somebody else made her password: it is good for nothing but choosing one of her own.
    #[serde(default)]
    pub one_time: bool,
    /// What she may do.
    pub role: Role,
    /// When she was added.
    pub created_at: Timestamp,
    /// Sessions hold only while they have this number: one more ends all of hers in one write, those included whose
    /// sign-in is still under way.
    #[serde(default)]
    pub generation: u64,
}

impl Operator {
    /// A new one.
    pub fn new(username: String, password_hash: String, role: Role, now: Timestamp) -> Operator {
        Operator {
            id: OperatorId::random(),
            version: 1,
            username,
            password_hash,
            one_time: false,
            role,
            created_at: now,
            generation: 0,
        }
    }

    /// The same with another role. Her sessions go on, and have it from their next request.
    pub fn with_role(&self, role: Role) -> Operator {
        Operator { role, version: self.version + 1, ..self.clone() }
    }

    /// The same with a password that she chose; her sessions end.
    pub fn with_password(&self, hash: String) -> Operator {
        Operator { password_hash: hash, one_time: false, ..self.signed_out() }
    }

    /// The same with a password that somebody made for her; her sessions end.
    pub fn with_one_time_password(&self, hash: String) -> Operator {
        Operator { password_hash: hash, one_time: true, ..self.signed_out() }
    }

    /// The same; her sessions end.
    pub fn signed_out(&self) -> Operator {
        Operator { generation: self.generation + 1, version: self.version + 1, ..self.clone() }
    }
}

/// Takes what an operator may be called: 1 to 64 characters, no control characters, no space at either end.
pub fn check_username(text: &str) -> Result<(), InvalidText> {
    let ok = (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control) && text.trim() == text;
    if ok { Ok(()) } else { Err(InvalidText("must have 1 to 64 characters, no space at either end".into())) }
}

/// What an operator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look.
    Viewer,
    /// Look and operate hosts and clusters.
    Operator,
    /// Everything, other operators and tokens included.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Operator, Role::Admin];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }

    /// The role of this word.
    pub fn parse(word: &str) -> Result<Role, InvalidText> {
        let found = Role::ALL.into_iter().find(|role| role.as_str() == word);
        found.ok_or_else(|| InvalidText("must be viewer, operator or admin".into()))
    }
}

/// One signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Hash of the secret in the cookie: the store never holds the secret.
    pub id: SessionId,
    /// Whose it is.
    pub operator: OperatorId,
    /// Hers, when this was begun.
    #[serde(default)]
    pub generation: u64,
    /// What forms must carry.
    pub csrf: String,
    /// When she signed in.
    pub created_at: Timestamp,
    /// When it was last used, to within a minute.
    pub used_at: Timestamp,
    /// After which it is void.
    pub ends_at: Timestamp,
    /// Where she signed in from; "" if that was not kept yet.
    #[serde(default)]
    pub address: String,
    /// What her browser said it is, cut; "" if it said nothing.
    #[serde(default)]
    pub browser: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_keep_their_words() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
            assert_eq!(Role::parse(role.as_str()), Ok(role));
        }
        assert!(Role::parse("root").is_err() && Role::Viewer < Role::Operator && Role::Operator < Role::Admin);
    }

    #[test]
    fn a_new_password_ends_sessions_and_a_new_role_does_not() {
        let made = Operator::new("ann".into(), "hash".into(), Role::Viewer, Timestamp::from_millis(0));
        let promoted = made.with_role(Role::Admin);
        assert_eq!((promoted.generation, promoted.version), (0, 2));
        let reset = promoted.with_one_time_password("other".into());
        assert_eq!((reset.generation, reset.version, reset.one_time), (1, 3, true));
        let chosen = reset.with_password("own".into());
        assert_eq!((chosen.generation, chosen.version, chosen.one_time), (2, 4, false));
    }

    #[test]
    fn records_from_before_versions_are_read() {
        let old =
            r#"{"id":"0123456789abcdef01234567","username":"ann","password_hash":"x","role":"admin","created_at":1}"#;
        let read: Operator = serde_json::from_str(old).unwrap();
        assert_eq!((read.version, read.generation, read.one_time), (0, 0, false));
    }
}
