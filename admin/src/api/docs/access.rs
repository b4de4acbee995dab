//! What the document says of operators, their sessions and tokens.

#![allow(dead_code, reason = "types that are described here are never made")]

use schemars::JsonSchema;
use serde_json::json;

use super::op::Op;
use crate::api::Part;

/// Somebody who may sign in.
#[derive(JsonSchema)]
#[schemars(rename = "Operator")]
struct OperatorWords {
    id: String,
    /// Counts every change.
    version: u64,
    username: String,
    #[schemars(extend("enum" = ["viewer", "operator", "admin"]))]
    role: String,
    /// She must choose a password of her own first.
    one_time_password: bool,
    created_at: String,
}

/// An operator, and the password that was made for her: it is told this once.
#[derive(JsonSchema)]
#[schemars(rename = "OperatorMade")]
struct OperatorMade {
    #[schemars(flatten)]
    operator: OperatorWords,
    password: String,
}

/// Where somebody is signed in.
#[derive(JsonSchema)]
#[schemars(rename = "SessionOf")]
struct SessionWords {
    id: String,
    /// It is that of this call.
    this: bool,
    created_at: String,
    used_at: String,
    ends_at: String,
    address: Option<String>,
    browser: Option<String>,
}

/// What a program shows to the users' service.
#[derive(JsonSchema)]
#[schemars(rename = "Token")]
struct TokenWords {
    id: String,
    #[schemars(extend("enum" = ["user", "service"]))]
    kind: String,
    /// Whose leases it is for; null: a service's, which may name any user.
    user: Option<String>,
    name: String,
    state: String,
    /// So many leases at once, if that is limited.
    leases_max: Option<u32>,
    created_at: String,
    created_by: String,
    expires_at: Option<String>,
    used_at: Option<String>,
    revoked_at: Option<String>,
    revoked_by: Option<String>,
}

/// A token with its text, which is told this once.
#[derive(JsonSchema)]
#[schemars(rename = "TokenMade")]
struct TokenMade {
    #[schemars(flatten)]
    of: TokenWords,
    token: String,
}

/// An operator to be added.
#[derive(JsonSchema)]
pub struct OperatorGiven {
    username: String,
    #[schemars(extend("enum" = ["viewer", "operator", "admin"]))]
    role: String,
}

/// Another role.
#[derive(JsonSchema)]
pub struct RoleGiven {
    #[schemars(extend("enum" = ["viewer", "operator", "admin"]))]
    role: String,
    /// Only if this is still her version.
    version: Option<u64>,
}

/// What a change of an operator may say.
#[derive(JsonSchema)]
pub struct OfOperator {
    /// Only if this is still her version.
    version: Option<u64>,
}

/// The deletion of an operator.
#[derive(JsonSchema)]
pub struct OperatorGone {
    /// Her name.
    confirm: String,
    /// Only if this is still her version.
    version: Option<u64>,
}

/// Another password.
#[derive(JsonSchema)]
pub struct PasswordGiven {
    /// The one that holds now.
    present: String,
    /// The one that shall.
    password: String,
}

/// A token to be made.
#[derive(JsonSchema)]
pub struct TokenGiven {
    leases_max: Option<u32>,
    /// Drawn by the caller: the same sent twice makes one.
    id: Option<String>,
    #[schemars(extend("enum" = ["user", "service"]))]
    kind: String,
    /// Of a user's token: whose.
    user: Option<String>,
    name: String,
    /// When it ends; never if it is not given.
    expires: Option<String>,
}

/// The caller's own sessions and password.
pub fn own() -> Vec<Op> {
    vec![
        Op::put("/api/v1/session/password", "changePassword", "Change one's own password")
            .about("Ends all other sessions.")
            .takes::<PasswordGiven>(json!({"present": "...", "password": "..."}))
            .answers::<crate::api::session::SessionShape>(200, "The session, with its new token"),
        Op::get("/api/v1/sessions", "listSessions", "Where one is signed in, latest used first")
            .answers::<Part<SessionWords>>(200, "All of them"),
        Op::delete("/api/v1/sessions", "signOutEverywhere", "Sign out everywhere")
            .answers_nothing(204, "Signed out, here as well"),
        Op::delete("/api/v1/sessions/{id}", "endSession", "End one of one's sessions")
            .answers_nothing(204, "It is ended"),
    ]
}

/// Operators and tokens.
pub fn access() -> Vec<Op> {
    vec![
        Op::get("/api/v1/operators", "listOperators", "Who may sign in, by name")
            .answers::<Part<OperatorWords>>(200, "All of them"),
        Op::post("/api/v1/operators", "addOperator", "Add an operator")
            .takes::<OperatorGiven>(json!({"username": "otto", "role": "operator"}))
            .answers::<OperatorMade>(201, "With the password for her first sign-in, which is told this once"),
        Op::get("/api/v1/operators/{id}", "getOperator", "An operator").answers::<OperatorWords>(200, "The operator"),
        Op::patch("/api/v1/operators/{id}", "changeRole", "Give an operator another role")
            .takes::<RoleGiven>(json!({"role": "viewer"}))
            .answers::<OperatorWords>(200, "As she is now"),
        Op::delete("/api/v1/operators/{id}", "deleteOperator", "Delete an operator")
            .takes::<OperatorGone>(json!({"confirm": "otto"}))
            .answers_nothing(204, "She is deleted"),
        Op::post("/api/v1/operators/{id}/password", "resetPassword", "Make another password for an operator")
            .takes::<OfOperator>(json!({"version": 1}))
            .answers::<OperatorMade>(200, "With the password, which is told this once"),
        Op::delete("/api/v1/operators/{id}/sessions", "signOutOperator", "Sign an operator out everywhere")
            .answers_nothing(204, "Signed out"),
        Op::get("/api/v1/tokens", "listTokens", "Tokens, latest made first")
            .query("user", "of this user")
            .in_parts()
            .answers::<Part<TokenWords>>(200, "A part of them"),
        Op::post("/api/v1/tokens", "makeToken", "Make a token")
            .takes::<TokenGiven>(json!({"kind": "user", "user": "alice", "name": "her laptop"}))
            .answers::<TokenMade>(201, "With its text, which is told this once"),
        Op::get("/api/v1/tokens/{id}", "getToken", "A token").answers::<TokenWords>(200, "The token"),
        Op::delete("/api/v1/tokens/{id}", "revokeToken", "Revoke a token")
            .answers_nothing(204, "It is revoked; its record stays"),
    ]
}
