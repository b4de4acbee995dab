//! An operator's own sessions: where she is signed in, and ending one of them.

use common::model::{Event, EventKind, Operator, Session, SessionId, Timestamp};

use super::{Done, Operations, Refusal, operator};
use crate::access::holds;

impl Operations {
    /// Those that hold, latest used first.
    pub async fn sessions(&self, of: &Operator, now: Timestamp) -> Result<Vec<Session>, Refusal> {
        let all = self.store.list_sessions(&of.id).await?;
        Ok(all.into_iter().filter(|session| holds(session, of, now)).collect())
    }

    /// A session has ended by another way than those here: at the door.
    pub fn session_ended(&self) {
        self.tell_sessions();
    }

    /// Ends one of her own. Another's is as if it did not exist; one that has ended is fine.
    pub async fn end_session(&self, id: &SessionId, of: &Operator, now: Timestamp) -> Result<Done, Refusal> {
        let found = self.store.session(id).await?.filter(|session| session.operator == of.id);
        let Some(session) = found else { return Ok(Done::said("That session has ended already.")) };
        self.store.delete_session(id).await?;
        self.tell_sessions();
        let said = format!("ended the own session from {}", place(&session));
        self.store.append_events(&[Event::new(now, EventKind::Access, operator(&of.username), said)]).await?;
        Ok(Done::said(format!("The session from {} has ended.", place(&session))))
    }
}

fn place(session: &Session) -> &str {
    if session.address.is_empty() { "an unknown address" } else { &session.address }
}
