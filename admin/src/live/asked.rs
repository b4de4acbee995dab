//! One page as it is asked for: what a page's own code needs to render its live part without a request.

use actix_web::web::Data;
use common::model::Role;
use serde::Serialize;

use crate::input::Query;
use crate::pages;
use crate::problem::Problem;
use crate::server::State;

/// A page, and what whoever looks at it may see.
pub struct Asked {
    /// What every handler can reach.
    pub state: Data<State>,
    /// Whose rights it is rendered with.
    pub role: Role,
    /// What stands for `{id}` in the page's path; empty where there is none.
    pub id: String,
    /// What comes after the path.
    pub query: Query,
}

impl Asked {
    /// The text of a template, with [`super::TOKEN`] where a session's own token belongs.
    pub fn render(&self, template: &str, view: &impl Serialize) -> Result<String, Problem> {
        pages::fragment(&self.state, self.role, template, view)
    }
}
