//! Who may do what: passwords, sessions, and the one guard that stands before every route.

mod attempts;
pub mod client;
mod first_operator;
mod guard;
mod origin;
mod own_password;
mod password;
mod password_rules;
mod session;
mod session_watch;
mod sign_in;

pub use attempts::Attempts;
pub use first_operator::{FirstOperator, make_first_operator};
pub use guard::{Body, Needs, SignedIn, guard, is_api, know, name as role_name, signed_in};
pub use own_password::{NewPassword, NotChanged};
pub use password::{NotChecked, Passwords};
pub use password_rules::{check_password, one_time_password};
pub use session::{SESSION_COOKIE, begin_session, holds, removal_cookie, session_cookie, session_id};
pub use session_watch::{SessionWatch, Standing};
pub use sign_in::{Door, NotSignedIn, SIGN_IN_COOKIE};
