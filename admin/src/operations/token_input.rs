//! A token as it is asked for, in the words of a form, of JSON or of a command.

use std::time::Duration;

use common::model::{Timestamp, Token, TokenId, TokenKind, TokenState, UserId};

use super::{Fault, Refusal};

/// A token as it is asked for.
#[derive(Clone, Debug, Default)]
pub struct TokenInput {
    /// Chosen by a form beforehand, so that sending it twice makes one token; empty: a new one.
    pub id: String,
    /// `user` or `service`.
    pub kind: String,
    /// For `user`: whose.
    pub user: String,
    /// What people call it.
    pub name: String,
    /// `90d`, `12h`; `never` or empty: never by itself.
    pub expires: String,
    /// The most clusters that a user may hold by it; empty: as app is set.
    pub leases_max: String,
}

/// What is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// Its id.
    pub id: TokenId,
    /// Whom it speaks for.
    pub kind: TokenKind,
    /// What people call it.
    pub name: String,
    /// From when on it is void.
    pub expires_at: Option<Timestamp>,
    /// The most clusters that a user may hold by it.
    pub leases_max: Option<u32>,
}

/// A token that is to outlive this is better made anew.
const LONGEST: Duration = Duration::from_secs(3660 * 86_400);

const MOST_LEASES: u32 = 100_000;

impl TokenInput {
    /// What it asks for, or every fault.
    pub fn check(&self, now: Timestamp) -> Result<NewToken, Refusal> {
        let mut faults = Vec::new();
        let kind = self.kind().map_err(|fault| faults.push(fault)).ok();
        if let Err(why) = Token::check_name(&self.name) {
            faults.push(Fault::new("name", why.0));
        } else if self.name.is_empty() && kind == Some(TokenKind::Service) {
            faults.push(Fault::new("name", "must say which service it is"));
        }
        let expires_at = lifetime(&self.expires).map_err(|why| faults.push(Fault::new("expires", why))).ok();
        let leases_max = most(&self.leases_max).map_err(|why| faults.push(Fault::new("leases_max", why))).ok();
        let id = match self.id.as_str() {
            "" => Some(TokenId::random()),
            text => TokenId::parse(text).map_err(|why| faults.push(Fault::new("id", why.to_string()))).ok(),
        };
        match (kind, expires_at, leases_max, id) {
            (Some(kind), Some(life), Some(leases_max), Some(id)) if faults.is_empty() => {
                let expires_at = life.map(|life| now + life);
                Ok(NewToken { id, kind, name: self.name.clone(), expires_at, leases_max })
            }
            _ => Err(Refusal::Faults(faults)),
        }
    }

    fn kind(&self) -> Result<TokenKind, Fault> {
        match self.kind.as_str() {
            "service" if self.user.is_empty() => Ok(TokenKind::Service),
            "service" => Err(Fault::new("user", "must be empty for a service, which names its users itself")),
            "user" => match UserId::parse(&self.user) {
                Ok(user) => Ok(TokenKind::User { user }),
                Err(why) => Err(Fault::new("user", why.0)),
            },
            _ => Err(Fault::new("kind", "must be user or service")),
        }
    }
}

fn most(text: &str) -> Result<Option<u32>, String> {
    match text.parse::<u32>() {
        _ if text.is_empty() => Ok(None),
        Ok(most @ 1..=MOST_LEASES) => Ok(Some(most)),
        _ => Err(format!("must be a whole number from 1 to {MOST_LEASES}, or empty")),
    }
}

/// `90d`, `12h`, `30m`; `None` for never.
fn lifetime(text: &str) -> Result<Option<Duration>, String> {
    if text.is_empty() || text == "never" {
        return Ok(None);
    }
    let refuse = || "must be a number of days, hours or minutes, such as 90d, 12h or 30m, or never".to_owned();
    let (digits, unit) = text.split_at_checked(text.len() - 1).ok_or_else(refuse)?;
    let unit: u64 = match unit {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        _ => return Err(refuse()),
    };
    let number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten();
    let life = Duration::from_secs(number.ok_or_else(refuse)?.saturating_mul(unit));
    if life.is_zero() || life > LONGEST { Err("must be from 1m to 3660d, or never".into()) } else { Ok(Some(life)) }
}

/// A state's word.
pub fn token_state(state: TokenState) -> &'static str {
    match state {
        TokenState::Live => "live",
        TokenState::Expired => "expired",
        TokenState::Revoked => "revoked",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000_000);

    fn input(kind: &str, user: &str) -> TokenInput {
        TokenInput { kind: kind.into(), user: user.into(), name: "web".into(), ..TokenInput::default() }
    }

    fn faults(input: TokenInput) -> Vec<String> {
        match input.check(NOW) {
            Err(Refusal::Faults(faults)) => faults.into_iter().map(|fault| fault.field).collect(),
            Err(other) => panic!("{other:?}"),
            Ok(_) => Vec::new(),
        }
    }

    #[test]
    fn a_token_is_for_a_user_or_a_service() {
        let alice = input("user", "alice").check(NOW).unwrap();
        assert_eq!(alice.kind.user().map(UserId::as_str), Some("alice"));
        assert_eq!(input("service", "").check(NOW).unwrap().kind, TokenKind::Service);
        assert_eq!(faults(input("service", "alice")), ["user"]);
        assert_eq!(faults(input("user", "")), ["user"]);
        assert_eq!(faults(input("", "")), ["kind"]);
        assert_eq!(faults(TokenInput { name: String::new(), ..input("service", "") }), ["name"]);
        assert!(faults(TokenInput { name: String::new(), ..input("user", "alice") }).is_empty());
        let wrong =
            TokenInput { id: "x".into(), expires: "1y".into(), leases_max: "0".into(), ..input("user", "__SYSTEM__") };
        assert_eq!(faults(wrong), ["user", "expires", "leases_max", "id"]);
    }

    #[test]
    fn its_time_is_given_in_days_hours_or_minutes() {
        for (text, seconds) in [("90d", 7_776_000), ("12h", 43_200), ("1m", 60)] {
            assert_eq!(lifetime(text), Ok(Some(Duration::from_secs(seconds))), "{text}");
        }
        for text in ["", "never"] {
            assert_eq!(lifetime(text), Ok(None));
        }
        for text in ["0d", "d", "90", "-1d", "+1d", "1.5h", "9999d", "99999999999999999999d", "1ä", "ä"] {
            assert!(lifetime(text).is_err(), "{text}");
        }
    }
}
