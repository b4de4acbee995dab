//! The first operator: made at the first start, from the configuration or with a password made here.

use common::config::Secret;
use common::model::{Operator, Role, Timestamp};
use common::store::{Store, StoreError};

use super::{Passwords, one_time_password};

/// What came of looking for operators at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstOperator {
    /// There is one already; the configured password, if any, is hers or is not asked for.
    Exists,
    /// There are operators already, and the configured password is not (or not any more) the one of that name:
    /// it only ever makes the first operator.
    PasswordIgnored,
    /// She was made, with the configured password.
    Made,
    /// She was made, with this password, which nobody else will ever be told.
    MadeWithPassword(Secret),
}

/// Makes the first operator if there is none. Two admins that start at once make one: the store takes a name once.
pub async fn make_first_operator(
    store: &dyn Store,
    passwords: &Passwords,
    username: &str,
    configured: Option<&Secret>,
    now: Timestamp,
) -> anyhow::Result<FirstOperator> {
    if !store.list_operators().await?.is_empty() {
        return exists(store, passwords, username, configured).await;
    }
    let generated = configured.is_none().then(one_time_password);
    let password = configured.or(generated.as_ref()).map(Secret::expose).unwrap_or_default();
    let operator = Operator::new(username.to_owned(), passwords.hash(password).await?, Role::Admin, now);
    match store.insert_operator(&operator).await {
        Ok(()) => Ok(generated.map_or(FirstOperator::Made, FirstOperator::MadeWithPassword)),
        Err(StoreError::Taken { .. }) => exists(store, passwords, username, configured).await,
        Err(error) => Err(error.into()),
    }
}

async fn exists(
    store: &dyn Store,
    passwords: &Passwords,
    username: &str,
    configured: Option<&Secret>,
) -> anyhow::Result<FirstOperator> {
    let Some(configured) = configured else {
        return Ok(FirstOperator::Exists);
    };
    let operator = store.operator_by_name(username).await?;
    let hash = operator.as_ref().map(|operator| operator.password_hash.as_str());
    let same = passwords.check(configured.expose(), hash).await?;
    Ok(if same { FirstOperator::Exists } else { FirstOperator::PasswordIgnored })
}
