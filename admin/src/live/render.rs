//! Renders one live page, whatever comes of it: a text, that the thing is gone, or why there is no newer text now.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use futures_util::FutureExt;
use serde::Serialize;

use super::Asked;
use super::cost::Costed;
use super::fragment::{Fragment, Shown};
use super::hub::Key;
use super::pages::LivePage;
use crate::input::Query;
use crate::pages;
use crate::problem::{Kind, Problem};
use crate::server::State;

/// A page that is not put together in this time is given up, for the others wait behind it. An answer of a leader that
/// is silent takes two seconds.
const WITHIN: Duration = Duration::from_secs(5);

/// What is known of a page now, and what it cost to find out.
pub async fn render(state: &Data<State>, page: &LivePage, key: &Key) -> (Shown, Duration) {
    let asked = Asked { state: state.clone(), role: key.role, id: key.id.clone(), query: Query::parse(&key.query) };
    let mut rendering = Costed::new(AssertUnwindSafe((page.render)(asked)).catch_unwind());
    let outcome = tokio::time::timeout(WITHIN, &mut rendering).await;
    let cost = rendering.cost();
    let text = match outcome {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(Problem::broken("a live page panicked")),
        Err(_) => Err(Problem::new(
            Kind::TooSlow,
            format!("The page could not be put together within {} s.", WITHIN.as_secs()),
        )),
    };
    let text = match text {
        Err(problem) if problem.status == StatusCode::NOT_FOUND => gone(state, key, &problem),
        text => text,
    };
    let shown = match text {
        Ok(text) => Shown { fragment: Some(Arc::new(Fragment::new(text))), trouble: None },
        Err(problem) => {
            if let Some(cause) = &problem.cause {
                tracing::warn!(page = key.path, "a live page could not be rendered: {cause}");
            }
            Shown { fragment: None, trouble: Some(problem.detail.into()) }
        }
    };
    (shown, cost)
}

fn gone(state: &State, key: &Key, problem: &Problem) -> Result<String, Problem> {
    #[derive(Serialize)]
    struct View<'a> {
        detail: &'a str,
    }
    pages::fragment(state, key.role, "live/gone.html", &View { detail: &problem.detail })
}
