//! What clusters can be: the list of flavors.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use common::model::{FlavorId, PhaseKind};
use serde::Serialize;

use super::{Ask, words};
use crate::access::SignedIn;
use crate::live::Asked;
use crate::problem::Problem;
use crate::server::State;
use crate::tally;

/// How many clusters of a flavor there are, by what they are.
#[derive(Clone, Copy, Serialize)]
pub struct Counts {
    free: u64,
    in_use: u64,
    making: u64,
    going: u64,
    failed: u64,
}

#[derive(Serialize)]
struct View {
    templates: Vec<TemplateView>,
}

/// The flavors of a template, whose parameters are columns.
#[derive(Serialize)]
struct TemplateView {
    id: String,
    title: String,
    parameters: Vec<String>,
    flavors: Vec<FlavorView>,
}

#[derive(Serialize)]
struct FlavorView {
    id: String,
    title: String,
    values: Vec<String>,
    counts: Counts,
}

/// `GET /flavors`
pub async fn list(req: HttpRequest, state: Data<State>, who: SignedIn) -> Result<HttpResponse, Problem> {
    let view = view(&state).await?;
    Ask { req: &req, state: &state, who: &who }.page("flavors.html", "Flavors", "flavors", &view)
}

/// What is rendered again when the pool changes.
pub async fn live(asked: Asked) -> Result<String, Problem> {
    asked.render("live/flavors.html", &view(&asked.state).await?)
}

async fn view(state: &State) -> Result<View, Problem> {
    let counts = state.operations.tally.counts().await?;
    let mut templates: Vec<TemplateView> = Vec::new();
    for flavor in state.catalog.flavors() {
        let Some(template) = state.catalog.template(&flavor.template) else { continue };
        if templates.last().is_none_or(|last| last.id != flavor.template.as_str()) {
            templates.push(TemplateView {
                id: flavor.template.to_string(),
                title: template.title().to_owned(),
                parameters: template.parameters().iter().map(|parameter| parameter.title.clone()).collect(),
                flavors: Vec::new(),
            });
        }
        let value = |name: &str| flavor.params.get(name).cloned().unwrap_or_else(|| "–".into());
        if let Some(last) = templates.last_mut() {
            last.flavors.push(FlavorView {
                id: flavor.id.to_string(),
                title: flavor.title.clone(),
                values: template.parameters().iter().map(|parameter| value(&parameter.name)).collect(),
                counts: Counts::of(&counts, &flavor.id),
            });
        }
    }
    Ok(View { templates })
}

/// How many there are of one flavor.
pub async fn counts_of(state: &State, flavor: &FlavorId) -> Result<Counts, Problem> {
    Ok(Counts::of(state.operations.tally.counts().await?.as_ref(), flavor))
}

impl Counts {
    fn of(tally: &tally::Counts, flavor: &FlavorId) -> Counts {
        let of = |kinds: &[PhaseKind]| tally.number(kinds, Some(flavor), None);
        Counts {
            free: of(&[PhaseKind::Free]),
            in_use: of(&[PhaseKind::InUse]),
            making: of(&[PhaseKind::Creating]),
            going: of(words::GOING),
            failed: of(words::FAILED),
        }
    }
}
