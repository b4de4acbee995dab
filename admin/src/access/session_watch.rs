//! Whether a request that lasts may go on: a live page, a log that is followed.
//!
//! The guard looks once, at the beginning. Who has signed out since, whose session is over, or who has another role reads
//! no further: found out at every look, one [`LOOK_EVERY`], and at once when it was done through this admin.

use std::time::Duration;

use actix_web::web::Data;
use common::model::{Role, SessionId};
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::guard::{SignedIn, session_holds};
use crate::server::State;

/// The store is asked so often for each that lasts. Whatever lasts gives a sign of life as often, for proxies close what
/// is silent for a minute.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Looks after the session of one request.
pub struct SessionWatch {
    state: Data<State>,
    session: SessionId,
    role: Role,
    changed: watch::Receiver<()>,
    looks: Interval,
}

/// What became of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All is as it was; or the store does not answer, which says neither.
    Holds,
    /// Its operator has another role than when the request began.
    OtherRole,
    /// It is over, or its operator is gone.
    Over,
}

impl SessionWatch {
    /// For a request that was let in just now.
    pub fn new(state: &Data<State>, who: &SignedIn) -> SessionWatch {
        let mut looks = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        SessionWatch {
            state: state.clone(),
            session: who.session.id.clone(),
            role: who.operator.role,
            changed: state.operations.sessions_changed.subscribe(),
            looks,
        }
    }

    /// Until it is time for a [look](SessionWatch::look). May be dropped at any point and waited for again.
    pub async fn due(&mut self) {
        tokio::select! {
            Ok(()) = self.changed.changed() => self.looks.reset(),
            _ = self.looks.tick() => {}
        }
    }

    /// How the session stands now.
    pub async fn look(&self) -> Standing {
        match session_holds(&self.state, &self.session).await {
            Ok(Some(who)) if who.operator.role == self.role => Standing::Holds,
            Ok(Some(_)) => Standing::OtherRole,
            Ok(None) => Standing::Over,
            Err(_) => Standing::Holds,
        }
    }
}
