//! The door: a name and a password against a session.

use std::net::IpAddr;
use std::time::Duration;

use common::model::{Actor, Event, EventKind, Operator, Session, Timestamp};
use common::store::{Store, StoreError};

use super::client::Seen;
use super::{Attempts, NotChecked, Passwords, SignedIn, begin_session};

/// Ties the sign-in form to the browser it was given to, before there is a session.
pub const SIGN_IN_COOKIE: &str = "pm_sign_in";

/// Longer names and passwords are nobody's, and are not hashed.
const LONGEST_NAME: usize = 64;
const LONGEST_PASSWORD: usize = 1024;

/// Lets operators in.
pub struct Door {
    passwords: Passwords,
    attempts: Attempts,
}

/// Why somebody was not let in.
#[derive(Debug)]
pub enum NotSignedIn {
    /// Name or password is wrong; which of them is not told.
    Wrong,
    /// Too many failures; wait so long.
    TooMany(Duration),
    /// Too many are at the door at once; this attempt does not count.
    Busy,
    /// The store does not answer.
    Store(StoreError),
    /// Our own code failed.
    Broken(anyhow::Error),
}

impl From<StoreError> for NotSignedIn {
    fn from(error: StoreError) -> Self {
        NotSignedIn::Store(error)
    }
}

impl Door {
    /// A door at which nobody has failed yet.
    pub fn new(passwords: Passwords) -> Door {
        Door { passwords, attempts: Attempts::default() }
    }

    /// A new session for whoever knows the password. Returns the cookie's secret and the session; both are new at
    /// every sign-in, so that a session planted before is worth nothing.
    pub async fn sign_in(
        &self,
        store: &dyn Store,
        username: &str,
        password: &str,
        from: &Seen,
        now: Timestamp,
    ) -> Result<(String, Session, Operator), NotSignedIn> {
        self.attempts.begin(username, from.address, now).map_err(NotSignedIn::TooMany)?;
        let possible = username.chars().count() <= LONGEST_NAME && password.len() <= LONGEST_PASSWORD;
        let operator = if possible { store.operator_by_name(username).await? } else { None };
        let password = if possible { password } else { "" };
        self.judge(username, password, operator.as_ref(), from.address).await?;
        let Some(operator) = operator else { return Err(NotSignedIn::Wrong) };
        let (secret, session) = begin_session(&operator, from, now);
        store.put_session(&session).await?;
        let actor = Actor::Operator { name: operator.username.clone() };
        let event = Event::new(now, EventKind::Access, actor, format!("signed in from {}", from.address));
        store.append_events(&[event]).await?;
        Ok((secret, session, operator))
    }

    /// Whether this is the operator's password, as an attempt that counts.
    pub(super) async fn check(
        &self,
        operator: &Operator,
        password: &str,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<(), NotSignedIn> {
        self.attempts.begin(&operator.username, from, now).map_err(NotSignedIn::TooMany)?;
        let password = if password.len() <= LONGEST_PASSWORD { password } else { "" };
        self.judge(&operator.username, password, Some(operator), from).await
    }

    /// The end of an attempt that was begun. Without an operator it takes as long.
    async fn judge(
        &self,
        username: &str,
        password: &str,
        operator: Option<&Operator>,
        from: IpAddr,
    ) -> Result<(), NotSignedIn> {
        let hash = operator.map(|operator| operator.password_hash.as_str());
        match self.passwords.check(password, hash).await {
            Ok(true) => {
                self.attempts.succeeded(username, from);
                Ok(())
            }
            Ok(false) => {
                // The name is not told: people type passwords into the wrong field.
                tracing::warn!(address = %from, "a sign-in failed");
                Err(NotSignedIn::Wrong)
            }
            Err(NotChecked::Busy) => {
                self.attempts.not_checked(username, from);
                Err(NotSignedIn::Busy)
            }
            Err(NotChecked::Broken(error)) => Err(NotSignedIn::Broken(error)),
        }
    }

    pub(super) fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// Ends a session.
    pub async fn sign_out(&self, store: &dyn Store, who: &SignedIn, now: Timestamp) -> Result<(), StoreError> {
        store.delete_session(&who.session.id).await?;
        let actor = Actor::Operator { name: who.operator.username.clone() };
        store.append_events(&[Event::new(now, EventKind::Access, actor, "signed out")]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::store::{StoreTarget, StoreUser};

    #[tokio::test]
    async fn who_finds_the_door_crowded_is_told_to_come_again_and_has_not_failed() {
        let folder = tempfile::tempdir().unwrap();
        let target = StoreTarget::Sqlite { path: folder.path().join("poolmanager.db") };
        let store = common::store::open(&target, StoreUser::Admin).await.unwrap();
        let door = Door::new(Passwords::crowded());
        let from = Seen { address: [192, 0, 2, 1].into(), browser: String::new() };
        for _ in 0..50 {
            let came = door.sign_in(store.as_ref(), "ada", "guess", &from, common::clock::now()).await;
            let refused = came.expect_err("crowded");
            assert!(matches!(refused, NotSignedIn::Busy), "{refused:?}");
            let problem = crate::api::session::problem(refused);
            assert_eq!((problem.status.as_u16(), problem.retry_after), (503, Some(1)));
        }
        store.close().await;
    }
}
