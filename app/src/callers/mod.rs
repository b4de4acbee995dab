//! Who is calling, and what that allows. Every operation takes a [`Caller`], and whatever is given out goes past
//! [`Caller::may_see`]: nobody sees or acts on what is another user's.

mod book;
mod given;
mod recognise;

pub use book::TokenBook;
pub use given::PARAMETER;
pub use recognise::recognise;

use std::sync::Arc;

use common::config::Auth;
use common::model::{Cluster, Phase, TokenKind, TokenState, UserId};

use self::given::Given;
use crate::lease_ops::Trouble;

/// Whose request this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    who: Who,
    most: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Who {
    /// Nobody is asked (`AUTH=open`): whoever is named is believed.
    Anyone,
    /// This user, by a token of hers.
    User(UserId),
    /// A service that acts for whomever it names, by a token of its own.
    Service(String),
}

/// Another user was named than the one who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotHers {
    /// Whose the token is.
    pub caller: UserId,
}

impl Caller {
    /// The user that a call is about: whom it names, else whose token it is. `None` when neither tells.
    pub fn user(&self, named: Option<UserId>) -> Result<Option<UserId>, NotHers> {
        match (&self.who, named) {
            (Who::User(caller), Some(named)) if named != *caller => Err(NotHers { caller: caller.clone() }),
            (Who::User(caller), _) => Ok(Some(caller.clone())),
            (Who::Anyone | Who::Service(_), named) => Ok(named),
        }
    }

    /// The user whose token it is, if it is a user's.
    pub fn only_user(&self) -> Option<&UserId> {
        match &self.who {
            Who::User(user) => Some(user),
            Who::Anyone | Who::Service(_) => None,
        }
    }

    /// The service whose token it is, by the token's name.
    pub fn service(&self) -> Option<&str> {
        match &self.who {
            Who::Service(name) => Some(name),
            Who::Anyone | Who::User(_) => None,
        }
    }

    /// Whether she is told of this cluster at all: users of free ones and their own.
    pub fn may_see(&self, cluster: &Cluster) -> bool {
        matches!(cluster.phase, Phase::Free { .. }) || self.may_act_on(cluster)
    }

    /// Whether she may release, start or stop it. To whom may not, it is as if it did not exist.
    pub fn may_act_on(&self, cluster: &Cluster) -> bool {
        self.only_user().is_none_or(|user| cluster.lease().is_some_and(|lease| lease.user == *user))
    }

    /// Whether she is told where Docker daemons are: users with tokens are not.
    pub fn sees_daemons(&self) -> bool {
        self.only_user().is_none()
    }

    /// The most clusters that the user may hold; `None`: any number.
    pub fn most(&self) -> Option<u32> {
        self.most
    }
}

/// Why a request is nobody's.
#[derive(Debug)]
pub enum Unknown {
    /// It brought no token.
    Missing,
    /// What it brought is no token of ours.
    NoSuch,
    /// The token's time is over.
    Expired,
    /// The token was revoked.
    Revoked,
    /// Nobody can say now.
    Trouble(Trouble),
}

/// Tells callers.
pub struct Callers {
    auth: Auth,
    tokens: Arc<TokenBook>,
    most: Option<u32>,
}

impl Callers {
    /// `most`: how many clusters a user may hold, unless her token says otherwise.
    pub fn new(auth: Auth, tokens: Arc<TokenBook>, most: Option<u32>) -> Callers {
        Callers { auth, tokens, most }
    }

    async fn tell(&self, given: Given) -> Result<Caller, Unknown> {
        match self.auth {
            Auth::Open => return Ok(Caller { who: Who::Anyone, most: self.most }),
            Auth::Tokens => {}
        }
        let text = match given {
            Given::Nothing => return Err(Unknown::Missing),
            Given::Nonsense => return Err(Unknown::NoSuch),
            Given::Token(text) => text,
        };
        let token = self.tokens.find(text.hash()).await.map_err(Unknown::Trouble)?.ok_or(Unknown::NoSuch)?;
        match token.state(common::clock::now()) {
            TokenState::Live => {}
            TokenState::Expired => return Err(Unknown::Expired),
            TokenState::Revoked => return Err(Unknown::Revoked),
        }
        let who = match &token.kind {
            TokenKind::User { user } => Who::User(user.clone()),
            TokenKind::Service => Who::Service(token.name.clone()),
        };
        Ok(Caller { who, most: token.leases_max.or(self.most) })
    }
}
