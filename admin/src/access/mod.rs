//! Who may do what: passwords, sessions, and the one guard that stands before every route.

mod attempts;
pub mod client;
mod first_operator;
mod guard;
mod origin;
mod password;
mod session;
mod sign_in;

pub use attempts::Attempts;
pub use first_operator::{FirstOperator, make_first_operator};
pub use guard::{Body, Needs, SignedIn, guard, is_api, know, name as role_name, session_holds, signed_in};
pub use password::{NotChecked, Passwords};
pub use session::{SESSION_COOKIE, begin_session, removal_cookie, session_cookie, session_id};
pub use sign_in::{Door, NotSignedIn, SIGN_IN_COOKIE};
