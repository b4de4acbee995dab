//! Parameters that v1 and v2 read alike.

use common::model::UserId;
use common::store::Holding;

use super::{Failure, Params};

/// The user, or `missing` if none is given. A user id that breaks a rule is refused with the rule.
pub fn user_id(params: &Params, missing: &str) -> Result<UserId, Failure> {
    let refuse = |text: String| Failure::refused(text).with(params.arguments());
    let text = params.filled("user_id")?.ok_or_else(|| refuse(missing.to_owned()))?;
    UserId::parse(&text).map_err(|rule| refuse(format!("user_id {rule}")))
}

/// What `another` (`new` in v1, `allow_multiple` in v2) says about clusters that the user holds already.
pub fn held_or_new(params: &Params, another: &str) -> Result<Holding, Failure> {
    Ok(if params.truth(another)?.unwrap_or(false) { Holding::GiveAnother } else { Holding::GiveSame })
}
