//! The page that shows a secret that was just made. It is the answer to the form itself, not to a redirect: so the secret
//! is in no cookie and no address, and a page that is loaded again does not show it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use super::Ask;
use crate::problem::Problem;

/// What is shown once.
#[derive(Serialize)]
pub struct Secret<'a> {
    /// The page's heading.
    pub title: String,
    /// What the secret is.
    pub label: &'static str,
    /// It.
    pub secret: &'a str,
    /// What it is good for, and what to do with it.
    pub words: Vec<String>,
    /// Where to go from here.
    pub back: &'static str,
    /// What that page is called.
    pub back_name: &'static str,
}

/// Shows it.
pub fn show(ask: &Ask<'_>, secret: &Secret<'_>) -> Result<HttpResponse, Problem> {
    ask.page_as(StatusCode::OK, "access_secret.html", &secret.title, "access", secret)
}
