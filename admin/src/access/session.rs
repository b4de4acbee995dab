//! Sessions: a random secret in a cookie, its hash in the store.

use std::time::Duration;

use actix_web::cookie::{Cookie, SameSite};
use common::model::{Operator, Session, SessionId, Timestamp};
use sha2::{Digest, Sha256};

use super::client::Seen;

/// The cookie that holds the session's secret. No `__Host-` prefix: browsers take that over https alone, and the
/// service also runs without.
pub const SESSION_COOKIE: &str = "pm_session";

/// A session that nobody used for so long is over.
pub const IDLE: Duration = Duration::from_secs(8 * 3600);

/// A session is over after so long, used or not.
pub const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// How exactly the store knows when a session was last used; a write for every request would be too many.
pub const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// A new secret, and the session that the store keeps for it.
pub fn begin_session(operator: &Operator, from: &Seen, now: Timestamp) -> (String, Session) {
    let secret = hex::encode(rand::random::<[u8; 32]>());
    let session = Session {
        id: hashed(&secret),
        operator: operator.id.clone(),
        generation: operator.generation,
        csrf: hex::encode(rand::random::<[u8; 32]>()),
        created_at: now,
        used_at: now,
        ends_at: now + LONGEST,
        address: from.address.to_string(),
        browser: from.browser.clone(),
    };
    (secret, session)
}

/// The id of the session with this secret; `None` for a text that no cookie of ours holds.
pub fn session_id(secret: &str) -> Option<SessionId> {
    let ours = secret.len() == 64 && secret.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    ours.then(|| hashed(secret))
}

/// Finding a session is a look-up by hash, so its timing tells nothing about the secret. 96 bits of the hash are
/// as hard to meet by chance as any id here.
fn hashed(secret: &str) -> SessionId {
    let hash = Sha256::digest(secret.as_bytes());
    #[expect(clippy::expect_used, reason = "12 bytes are 24 hexadecimal digits")]
    SessionId::parse(&hex::encode(&hash[..12])).expect("24 digits are an id")
}

/// Whether a session's time is not over.
pub fn is_live(session: &Session, now: Timestamp) -> bool {
    now < session.ends_at && now < session.used_at + IDLE
}

/// Whether a session still holds for its operator, as she is now.
pub fn holds(session: &Session, operator: &Operator, now: Timestamp) -> bool {
    is_live(session, now) && session.operator == operator.id && session.generation == operator.generation
}

/// The session as it is after being used now; `None` while the store knows it well enough.
pub fn touched(session: &Session, now: Timestamp) -> Option<Session> {
    (now.since(session.used_at) >= TOUCH_EVERY).then(|| Session { used_at: now, ..session.clone() })
}

/// The cookie for a secret.
pub fn session_cookie(secret: &str, secure: bool) -> Cookie<'static> {
    Cookie::build(SESSION_COOKIE, secret.to_owned())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(secure)
        .finish()
}

/// The cookie that takes another one away.
pub fn removal_cookie(name: &'static str) -> Cookie<'static> {
    let mut cookie = Cookie::build(name, "").path("/").http_only(true).same_site(SameSite::Lax).finish();
    cookie.make_removal();
    cookie
}

#[cfg(test)]
mod tests {
    use common::model::Role;

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000_000_000);

    fn session() -> (String, Session) {
        begin_session(&ann(), &Seen { address: [192, 0, 2, 1].into(), browser: String::new() }, START)
    }

    fn ann() -> Operator {
        Operator::new("ann".into(), String::new(), Role::Viewer, START)
    }

    #[test]
    fn the_store_never_holds_the_secret() {
        let (secret, session) = session();
        assert_eq!(session_id(&secret), Some(session.id.clone()));
        assert!(!format!("{session:?}").contains(&secret));
        assert!(!secret.contains(session.id.as_str()));
    }

    #[test]
    fn a_session_ends_when_idle_and_in_any_case_after_a_week() {
        let (_, session) = session();
        assert!(is_live(&session, START + IDLE - Duration::from_secs(1)));
        assert!(!is_live(&session, START + IDLE));
        let used = Session { used_at: START + LONGEST - Duration::from_secs(1), ..session };
        assert!(is_live(&used, START + LONGEST - Duration::from_secs(1)));
        assert!(!is_live(&used, START + LONGEST));
    }

    #[test]
    fn a_session_holds_for_its_own_operator_until_she_is_signed_out() {
        let ann = ann();
        let (_, session) = begin_session(&ann, &Seen { address: [192, 0, 2, 1].into(), browser: String::new() }, START);
        assert!(holds(&session, &ann, START));
        assert!(holds(&session, &ann.with_role(Role::Admin), START), "a new role ends nothing");
        for ended in [ann.signed_out(), ann.with_password("x".into()), self::ann()] {
            assert!(!holds(&session, &ended, START));
        }
    }

    #[test]
    fn use_is_written_once_a_minute() {
        let (_, session) = session();
        assert_eq!(touched(&session, START + Duration::from_secs(59)), None);
        assert!(touched(&session, START + Duration::from_secs(60)).is_some());
    }

    #[test]
    fn what_no_cookie_of_ours_holds_has_no_session() {
        for text in ["", "abc", &"g".repeat(64), &"A".repeat(64), &"a".repeat(65)] {
            assert_eq!(session_id(text), None, "{text}");
        }
    }
}
