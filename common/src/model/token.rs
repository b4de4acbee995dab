//! What programs show to the users' service instead of a name.
//!
//! The text has 160 random bits, so it cannot be guessed, and a plain SHA-256 of it is as good as a slow hash: those
//! protect what people choose. It is hashed with every request, so a slow one would cost users 20 ms each time.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{InvalidText, Timestamp, TokenId, UserId};

/// What a token is in the store. Its text is nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// Whom it speaks for.
    pub kind: TokenKind,
    /// What people call it.
    pub name: String,
    /// Of its text; unique.
    pub hash: TokenHash,
    /// The most clusters that a user may hold by it; `None`: as the service is set (`USER_LEASES_MAX`).
    pub leases_max: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Which operator made it.
    pub created_by: String,
    /// From when on it is void; `None`: never by itself.
    pub expires_at: Option<Timestamp>,
    /// Since when it is void because somebody said so.
    pub revoked: Option<Revoked>,
    /// When it was last used, to within some minutes.
    pub used_at: Option<Timestamp>,
}

/// Whom a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TokenKind {
    /// One user, and nobody else.
    User {
        /// Her.
        user: UserId,
    },
    /// Any user that it names: a front end that applies for its own users.
    Service,
}

/// The end that somebody put to a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// When.
    pub at: Timestamp,
    /// Which operator.
    pub by: String,
}

/// Whether a token is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// It is.
    Live,
    /// Its time is over.
    Expired,
    /// Somebody ended it.
    Revoked,
}

impl Token {
    /// Whether it is good now.
    pub fn state(&self, now: Timestamp) -> TokenState {
        match (&self.revoked, self.expires_at) {
            (Some(_), _) => TokenState::Revoked,
            (None, Some(at)) if at <= now => TokenState::Expired,
            (None, _) => TokenState::Live,
        }
    }

    /// Takes what a token may be called: at most 64 characters, none of them a control character.
    pub fn check_name(text: &str) -> Result<(), InvalidText> {
        let ok = text.chars().count() <= 64 && !text.chars().any(char::is_control) && text.trim() == text;
        if ok { Ok(()) } else { Err(InvalidText("may have at most 64 characters, no space at either end".into())) }
    }
}

impl TokenKind {
    /// The kind's word.
    pub fn as_str(&self) -> &'static str {
        match self {
            TokenKind::User { .. } => "user",
            TokenKind::Service => "service",
        }
    }

    /// The user it speaks for, if there is one.
    pub fn user(&self) -> Option<&UserId> {
        match self {
            TokenKind::User { user } => Some(user),
            TokenKind::Service => None,
        }
    }
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenKind::User { user } => write!(f, "user {user}"),
            TokenKind::Service => f.write_str("a service"),
        }
    }
}

/// SHA-256 of a token's text. Compared in constant time.
#[derive(Clone, Copy, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenHash([u8; 32]);

impl PartialEq for TokenHash {
    fn eq(&self, other: &TokenHash) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Hash for TokenHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenHash({self})")
    }
}

impl From<TokenHash> for String {
    fn from(hash: TokenHash) -> String {
        hash.to_string()
    }
}

impl TryFrom<String> for TokenHash {
    type Error = InvalidText;
    fn try_from(text: String) -> Result<Self, InvalidText> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(|_| InvalidText("must be 64 hexadecimal digits".into()))?;
        Ok(TokenHash(bytes))
    }
}

/// A token as its holder has it: `pm_`, 32 letters and digits at random, and 6 that check them. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenText(String);

/// None that are mistaken for each other, and 32 of them, so that each holds five bits.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// By which a token is known, by people and by programs that look for lost ones.
const PREFIX: &str = "pm_";
const RANDOM: usize = 32;
const CHECK: usize = 6;

impl TokenText {
    /// A new one.
    pub fn random() -> TokenText {
        let body = letters(rand::random::<[u8; RANDOM]>());
        let check = check_of(&body);
        TokenText(format!("{PREFIX}{body}{check}"))
    }

    /// Takes a text that has the shape of one of ours, the check included: what was cut, mistyped or made up without
    /// reading this is known without asking anybody.
    pub fn parse(text: &str) -> Option<TokenText> {
        let rest = text.strip_prefix(PREFIX)?;
        let shaped = rest.len() == RANDOM + CHECK && rest.bytes().all(|letter| LETTERS.contains(&letter));
        let (body, check) = shaped.then(|| rest.split_at(RANDOM))?;
        (check_of(body) == check).then(|| TokenText(text.to_owned()))
    }

    /// What the store knows it by.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The text, for the one who is to have it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a token)")
    }
}

fn letters(picks: impl IntoIterator<Item = u8>) -> String {
    picks.into_iter().map(|pick| char::from(LETTERS[usize::from(pick % 32)])).collect()
}

fn check_of(body: &str) -> String {
    letters(Sha256::digest(format!("{PREFIX}{body}").as_bytes()).into_iter().take(CHECK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_shape_and_no_other_text_is() {
        let token = TokenText::random();
        assert_eq!(token.expose().len(), 41);
        assert_eq!(TokenText::parse(token.expose()).as_ref(), Some(&token));
        assert!(!format!("{token:?}").contains(token.expose()));
        let text = token.expose();
        let swapped = text.replacen(&text[5..6], if &text[5..6] == "a" { "b" } else { "a" }, 1);
        let long = format!("{text}a");
        for other in ["", "pm_", "Bearer", &text[..40], &long, &swapped, &text[3..], &text.to_uppercase(), "pm_ä"] {
            assert!(TokenText::parse(other).is_none(), "{other}");
        }
    }

    #[test]
    fn no_two_are_alike_and_the_hash_is_of_the_text() {
        let (one, other) = (TokenText::random(), TokenText::random());
        assert_ne!(one.hash(), other.hash());
        assert_eq!(one.hash(), TokenText::parse(one.expose()).unwrap().hash());
        let text = String::from(one.hash());
        assert_eq!(TokenHash::try_from(text), Ok(one.hash()));
        assert!(TokenHash::try_from("00".to_owned()).is_err());
    }

    #[test]
    fn a_token_is_good_until_it_expires_or_is_revoked() {
        let at = Timestamp::from_millis;
        let token = Token {
            id: TokenId::random(),
            kind: TokenKind::Service,
            name: String::new(),
            hash: TokenText::random().hash(),
            leases_max: None,
            created_at: at(0),
            created_by: "ada".into(),
            expires_at: Some(at(10)),
            revoked: None,
            used_at: None,
        };
        assert_eq!((token.state(at(9)), token.state(at(10))), (TokenState::Live, TokenState::Expired));
        let revoked = Token { revoked: Some(Revoked { at: at(5), by: "ada".into() }), ..token };
        assert_eq!(revoked.state(at(6)), TokenState::Revoked);
    }
}
