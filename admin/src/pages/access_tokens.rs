//! Tokens for the users' API, for admins: the list, making one, revoking one.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::model::{Timestamp, Token, TokenId, TokenState, UserId};
use common::store::TokenFilter;
use serde::Serialize;
use url::form_urlencoded;

use super::Ask;
use super::access_secret::{self, Secret};
use super::frame::Wrong;
use super::way_back::back;
use super::words::{self, Badge, When};
use crate::access::SignedIn;
use crate::input::{Form, Query};
use crate::operations::{Fault, Refusal, TokenInput, limit_of, make_token, page_of, revoke_token};
use crate::problem::Problem;
use crate::server::State;

const LIST: &str = "/access/tokens";

#[derive(Serialize)]
struct View {
    rows: Vec<Row>,
    /// What was typed.
    user: String,
    first: Option<String>,
    next: Option<String>,
    /// Why it was refused.
    wrong: Wrong,
}

#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    kind: &'static str,
    user: String,
    state: Badge,
    live: bool,
    leases_max: Option<u32>,
    made: When,
    by: String,
    expires: Option<When>,
    used: Option<When>,
    revoked: Option<When>,
    revoked_by: String,
}

#[derive(Serialize)]
struct NewView {
    id: String,
    kind: String,
    user: String,
    name: String,
    expires: String,
    leases_max: String,
    errors: BTreeMap<String, String>,
    error: Option<String>,
}

/// `GET /access/tokens?user=&after=`
pub async fn list(req: HttpRequest, state: Data<State>, who: SignedIn, query: Query) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    let (status, view) = match view(&state, &query).await {
        Ok(view) => (StatusCode::OK, view),
        Err(problem) => {
            let wrong = Wrong::of(problem, &["user"])?;
            let user = query.get("user").unwrap_or_default().to_owned();
            (Wrong::STATUS, View { rows: Vec::new(), user, first: None, next: None, wrong })
        }
    };
    ask.page_as(status, "access_tokens.html", "Tokens", "access", &view)
}

async fn view(state: &State, query: &Query) -> Result<View, Problem> {
    let user = query.get("user").map(UserId::parse).transpose().map_err(|why| Refusal::field("user", why.0))?;
    let page = page_of(query.get("after"), limit_of(None)?)?;
    let listed = state.operations.tokens(&TokenFilter { user }, &page).await?;
    let typed = query.get("user").unwrap_or_default();
    let url = |after: Option<&str>| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("user", Some(typed).filter(|user| !user.is_empty())), ("after", after)] {
            query.extend_pairs(value.map(|value| (name, value)));
        }
        format!("{LIST}?{}", query.finish())
    };
    let now = state.now();
    Ok(View {
        rows: listed.items.iter().map(|token| Row::of(token, now)).collect(),
        first: page.after.is_some().then(|| url(None)),
        next: listed.next.map(|after| url(Some(&after))),
        user: typed.to_owned(),
        wrong: Wrong::default(),
    })
}

/// `GET /access/tokens/new`
pub async fn blank(req: HttpRequest, state: Data<State>, who: SignedIn, query: Query) -> Result<HttpResponse, Problem> {
    let user = query.get("user").unwrap_or_default().to_owned();
    let input = TokenInput { kind: "user".into(), user, expires: "90d".into(), ..TokenInput::default() };
    new_page(&Ask { req: &req, state: &state, who: &who }, StatusCode::OK, input, Vec::new(), None)
}

/// `POST /access/tokens/new`
pub async fn make(req: HttpRequest, state: Data<State>, who: SignedIn, fields: Form) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    let text = |name: &str| fields.text(name).to_owned();
    let kind = text("kind");
    // The field of the user stays in the form when it is for a service: no scripts hide it. What is in it then is not meant.
    let user = if kind == "service" { String::new() } else { text("user") };
    let input = TokenInput {
        id: text("id"),
        user,
        name: text("name"),
        expires: text("expires"),
        leases_max: text("leases_max"),
        kind,
    };
    match make_token(state.store.as_ref(), &input, &who.operator.username, state.now()).await {
        Ok(made) => {
            let words = vec![
                format!(
                    "For {}. Copy it now: it is shown this once, and the store has only its hash.",
                    made.token.kind
                ),
                "Programs send it with every call, as the header Authorization: Bearer TOKEN.".into(),
            ];
            let title = "The token is created".to_owned();
            let (back, back_name) = (LIST, "To the tokens");
            let secret = Secret { title, label: "Token", secret: made.text.expose(), words, back, back_name };
            access_secret::show(&ask, &secret)
        }
        Err(Refusal::Faults(faults)) => new_page(&ask, StatusCode::UNPROCESSABLE_ENTITY, input, faults, None),
        Err(Refusal::Conflict(why)) => {
            let input = TokenInput { id: String::new(), ..input };
            new_page(&ask, StatusCode::CONFLICT, input, Vec::new(), Some(why))
        }
        Err(refusal) => ask.refused(refusal, LIST),
    }
}

/// `GET /access/tokens/{id}/revoke`
pub async fn ask(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let token = state.operations.token(&token_id(&id)?).await?;
    let view = Row::of(&token, state.now());
    Ask { req: &req, state: &state, who: &who }.page("access_token_revoke.html", "Revoke a token", "access", &view)
}

/// `POST /access/tokens/{id}/revoke`
pub async fn revoke(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
    fields: Form,
) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    let list = back(&fields, LIST);
    match revoke_token(state.store.as_ref(), &token_id(&id)?, &who.operator.username, state.now()).await {
        Ok(done) => Ok(ask.done(&done, &list)),
        Err(refusal) => ask.refused(refusal, &list),
    }
}

fn new_page(
    ask: &Ask<'_>,
    status: StatusCode,
    input: TokenInput,
    faults: Vec<Fault>,
    error: Option<String>,
) -> Result<HttpResponse, Problem> {
    let view = NewView {
        id: TokenId::parse(&input.id).unwrap_or_else(|_| TokenId::random()).to_string(),
        kind: input.kind,
        user: input.user,
        name: input.name,
        expires: input.expires,
        leases_max: input.leases_max,
        errors: faults.into_iter().map(|fault| (fault.field, fault.reason)).collect(),
        error,
    };
    ask.page_as(status, "access_token_new.html", "Create a token", "access", &view)
}

impl Row {
    fn of(token: &Token, now: Timestamp) -> Row {
        let state = token.state(now);
        let at = |at| words::when(at, now);
        Row {
            id: token.id.to_string(),
            name: token.name.clone(),
            kind: token.kind.as_str(),
            user: token.kind.user().map(UserId::to_string).unwrap_or_default(),
            state: words::token(state),
            live: state == TokenState::Live,
            leases_max: token.leases_max,
            made: at(token.created_at),
            by: token.created_by.clone(),
            expires: token.expires_at.map(at),
            used: token.used_at.map(at),
            revoked: token.revoked.as_ref().map(|end| at(end.at)),
            revoked_by: token.revoked.as_ref().map(|end| end.by.clone()).unwrap_or_default(),
        }
    }
}

fn token_id(text: &str) -> Result<TokenId, Refusal> {
    TokenId::parse(text).map_err(|_| Refusal::NoSuch("token"))
}
