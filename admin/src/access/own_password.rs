//! An operator chooses another password.

use common::model::{Actor, Event, EventKind, Session, Timestamp};
use common::store::{Store, StoreError};

use super::client::Seen;
use super::{Door, NotChecked, NotSignedIn, SignedIn, begin_session, check_password};
use crate::operations::Fault;

/// What is asked for.
pub struct NewPassword<'a> {
    /// The one she has: a browser that she left open is not enough.
    pub present: &'a str,
    /// The one she wants.
    pub chosen: &'a str,
}

/// Why nothing was changed.
#[derive(Debug)]
pub enum NotChanged {
    /// What was given cannot be taken.
    Faults(Vec<Fault>),
    /// Her record was changed at the same moment.
    Conflict,
    /// As at the door.
    NotNow(NotSignedIn),
}

impl From<StoreError> for NotChanged {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(_) | StoreError::NotFound(_) => NotChanged::Conflict,
            error => NotChanged::NotNow(NotSignedIn::Store(error)),
        }
    }
}

impl Door {
    /// Changes it. All her sessions end, and this browser gets a new one: its cookie's secret, and it.
    ///
    /// Wrong present passwords count as failed sign-ins do: whoever stole a session does not learn the password by it.
    pub async fn change_password(
        &self,
        store: &dyn Store,
        who: &SignedIn,
        asked: &NewPassword<'_>,
        from: &Seen,
        now: Timestamp,
    ) -> Result<(String, Session), NotChanged> {
        let operator = &who.operator;
        let refuse = |field: &str, why: &str| NotChanged::Faults(vec![Fault::new(field, why)]);
        if let Err(why) = check_password(asked.chosen, &operator.username) {
            return Err(refuse("password", &why));
        }
        if asked.chosen == asked.present {
            return Err(refuse("password", "must be another than the present one"));
        }
        match self.check(operator, asked.present, from.address, now).await {
            Ok(()) => {}
            Err(NotSignedIn::Wrong) => return Err(refuse("present", "is wrong")),
            Err(not_now) => return Err(NotChanged::NotNow(not_now)),
        }
        let hash = self.passwords().hash(asked.chosen).await.map_err(|fault| {
            NotChanged::NotNow(match fault {
                NotChecked::Busy => NotSignedIn::Busy,
                NotChecked::Broken(error) => NotSignedIn::Broken(error),
            })
        })?;
        let changed = operator.with_password(hash);
        let actor = Actor::Operator { name: operator.username.clone() };
        let said = "changed the own password, which ended every other session";
        store.change_operator(&changed, Event::new(now, EventKind::Access, actor, said)).await?;
        let (secret, session) = begin_session(&changed, from, now);
        store.put_session(&session).await?;
        // They do not hold any more; this only tidies up.
        store.delete_sessions(&changed.id, Some(&session.id)).await?;
        Ok((secret, session))
    }
}
