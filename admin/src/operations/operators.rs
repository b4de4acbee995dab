//! Looking after operators: who may come in, and as what.
//!
//! Nobody changes her own role or deletes herself, so nobody does it by accident; and the store keeps the last admin.

use common::config::Secret;
use common::model::{Event, EventKind, Operator, OperatorId, Role, Timestamp, check_username};
use common::store::{Store, StoreError};

use super::{Done, Fault, Operations, Refusal, TRIES, operator};
use crate::access::{NotChecked, Passwords, one_time_password};

/// A new operator as she is asked for.
#[derive(Clone, Debug, Default)]
pub struct OperatorInput {
    /// What she signs in with.
    pub username: String,
    /// Her role's word.
    pub role: String,
}

/// An operator with a password that was made for her, and that nobody will be told again.
#[derive(Debug)]
pub struct MadeOperator {
    /// As she is now.
    pub operator: Operator,
    /// Good for choosing one of her own.
    pub password: Secret,
}

impl Operations {
    /// All operators, by name.
    pub async fn operators(&self) -> Result<Vec<Operator>, Refusal> {
        Ok(self.store.list_operators().await?)
    }

    /// One operator.
    pub async fn operator(&self, id: &OperatorId) -> Result<Operator, Refusal> {
        self.store.operator(id).await?.ok_or(Refusal::NoSuch("operator"))
    }

    /// Adds one, with a password made here.
    pub async fn add_operator(
        &self,
        input: &OperatorInput,
        by: &Operator,
        now: Timestamp,
    ) -> Result<MadeOperator, Refusal> {
        let role = check(input, &self.store.list_operators().await?)?;
        let password = one_time_password();
        let hash = self.hash(&password).await?;
        let made = Operator { one_time: true, ..Operator::new(input.username.clone(), hash, role, now) };
        self.store.insert_operator(&made).await?;
        let said = format!("added the operator {} with the role {}", made.username, role.as_str());
        self.store.append_events(&[told(by, said, now)]).await?;
        Ok(MadeOperator { operator: made, password })
    }

    /// Gives one another role; she has it from her next request.
    pub async fn change_role(
        &self,
        id: &OperatorId,
        role: &str,
        seen: Option<u64>,
        by: &Operator,
        now: Timestamp,
    ) -> Result<Done, Refusal> {
        let of = self.operator(id).await?;
        let role = Role::parse(role).map_err(|why| Refusal::field("role", why.0))?;
        not_herself(&of, by, "change your own role")?;
        still(&of, seen)?;
        if of.role == role {
            return Ok(Done::said(format!("{} has the role {} already.", of.username, role.as_str())));
        }
        let said = format!("gave {} the role {} instead of {}", of.username, role.as_str(), of.role.as_str());
        self.store.change_operator(&of.with_role(role), told(by, said, now)).await?;
        self.tell_sessions();
        Ok(Done::said(format!("{} has the role {} now.", of.username, role.as_str())))
    }

    /// Makes a new password for one, who must choose her own with it; her sessions end.
    pub async fn reset_password(
        &self,
        id: &OperatorId,
        seen: Option<u64>,
        by: &Operator,
        now: Timestamp,
    ) -> Result<MadeOperator, Refusal> {
        let of = self.operator(id).await?;
        not_herself(&of, by, "have a password made for yourself (change yours on the page Access)")?;
        still(&of, seen)?;
        let password = one_time_password();
        let reset = of.with_one_time_password(self.hash(&password).await?);
        let said = format!("made a one-time password for {}, which ended that operator's sessions", of.username);
        self.store.change_operator(&reset, told(by, said, now)).await?;
        self.store.delete_sessions(id, None).await?;
        self.tell_sessions();
        Ok(MadeOperator { operator: reset, password })
    }

    /// Ends all of an operator's sessions, wherever she is signed in.
    pub async fn sign_out_everywhere(&self, id: &OperatorId, by: &Operator, now: Timestamp) -> Result<Done, Refusal> {
        for _ in 0..TRIES {
            let of = self.operator(id).await?;
            let said = format!("signed {} out everywhere", of.username);
            match self.store.change_operator(&of.signed_out(), told(by, said, now)).await {
                Err(StoreError::Conflict(_)) => {}
                outcome => {
                    outcome?;
                    self.store.delete_sessions(id, None).await?;
                    self.tell_sessions();
                    return Ok(Done::said(format!("{} is signed out everywhere.", of.username)));
                }
            }
        }
        Err(Refusal::Conflict("the operator keeps changing; try again".into()))
    }

    /// Deletes one whose name was typed; her sessions end.
    pub async fn delete_operator(
        &self,
        id: &OperatorId,
        confirm: &str,
        seen: Option<u64>,
        by: &Operator,
        now: Timestamp,
    ) -> Result<Done, Refusal> {
        let of = self.operator(id).await?;
        not_herself(&of, by, "delete yourself")?;
        still(&of, seen)?;
        if confirm != of.username {
            return Err(Refusal::field("confirm", format!("must be {}, to show that it is meant", of.username)));
        }
        let event = told(by, format!("deleted the operator {}", of.username), now);
        self.store.delete_operator(id, of.version, event).await?;
        self.tell_sessions();
        Ok(Done::said(format!("{} is no operator any more.", of.username)))
    }

    async fn hash(&self, password: &Secret) -> Result<String, Refusal> {
        hash(&self.passwords, password).await
    }
}

/// Makes a new password for the operator of this name, whatever was done to her meanwhile; `by` has the machine itself, not a session. For
/// when nobody is left who could sign in.
pub async fn reset_lost_password(
    store: &dyn Store,
    passwords: &Passwords,
    name: &str,
    by: &str,
    now: Timestamp,
) -> Result<MadeOperator, Refusal> {
    let password = one_time_password();
    let hash = hash(passwords, &password).await?;
    for _ in 0..TRIES {
        let of = store.operator_by_name(name).await?.ok_or(Refusal::NoSuch("operator"))?;
        let reset = of.with_one_time_password(hash.clone());
        let said = format!("made a one-time password for {}, which ended that operator's sessions", of.username);
        match store.change_operator(&reset, Event::new(now, EventKind::Access, operator(by), said)).await {
            Err(StoreError::Conflict(_)) => {}
            outcome => {
                outcome?;
                store.delete_sessions(&of.id, None).await?;
                return Ok(MadeOperator { operator: reset, password });
            }
        }
    }
    Err(Refusal::Conflict("the operator keeps changing; try again".into()))
}

async fn hash(passwords: &Passwords, password: &Secret) -> Result<String, Refusal> {
    passwords.hash(password.expose()).await.map_err(|fault| match fault {
        NotChecked::Busy => Refusal::Away("too many passwords are being checked".into()),
        NotChecked::Broken(error) => Refusal::Broken(format!("{error:#}")),
    })
}

/// The role of a new one, or every fault. Names that differ in case only would be mistaken for each other.
fn check(input: &OperatorInput, there: &[Operator]) -> Result<Role, Refusal> {
    let mut faults = Vec::new();
    if let Err(why) = check_username(&input.username) {
        faults.push(Fault::new("username", why.0));
    } else if there.iter().any(|one| one.username.to_lowercase() == input.username.to_lowercase()) {
        faults.push(Fault::new("username", "is taken"));
    }
    match Role::parse(&input.role) {
        Ok(role) if faults.is_empty() => return Ok(role),
        Ok(_) => {}
        Err(why) => faults.push(Fault::new("role", why.0)),
    }
    Err(Refusal::Faults(faults))
}

fn not_herself(of: &Operator, by: &Operator, what: &str) -> Result<(), Refusal> {
    if of.id != by.id {
        return Ok(());
    }
    Err(Refusal::Conflict(format!("You cannot {what}: another admin can, so that nobody is locked out by a slip.")))
}

fn still(of: &Operator, seen: Option<u64>) -> Result<(), Refusal> {
    if seen.is_none_or(|seen| seen == of.version) {
        return Ok(());
    }
    Err(Refusal::Conflict(format!("{} was changed meanwhile, so nothing was done; look again.", of.username)))
}

fn told(by: &Operator, said: String, now: Timestamp) -> Event {
    Event::new(now, EventKind::Access, operator(&by.username), said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admin(username: &str) -> Operator {
        Operator::new(username.into(), String::new(), Role::Admin, Timestamp::from_millis(0))
    }

    fn faults(username: &str, role: &str) -> Vec<String> {
        let input = OperatorInput { username: username.into(), role: role.into() };
        match check(&input, &[admin("Ann")]) {
            Err(Refusal::Faults(faults)) => faults.into_iter().map(|fault| fault.field).collect(),
            Err(other) => panic!("{other:?}"),
            Ok(_) => Vec::new(),
        }
    }

    #[test]
    fn a_new_operator_has_a_name_of_her_own_and_a_role() {
        assert!(faults("bob", "viewer").is_empty());
        assert_eq!(faults("ann", "viewer"), ["username"], "names that differ in case are alike");
        assert_eq!(faults(" bob", "root"), ["username", "role"]);
        assert_eq!(faults("", ""), ["username", "role"]);
    }

    #[test]
    fn nobody_does_it_to_herself_or_on_what_she_did_not_see() {
        let (ann, bob) = (admin("ann"), admin("bob"));
        assert!(not_herself(&ann, &bob, "x").is_ok() && not_herself(&ann, &ann, "x").is_err());
        assert!(still(&ann, None).is_ok() && still(&ann, Some(1)).is_ok() && still(&ann, Some(2)).is_err());
    }
}
