//! What the pool can be made of.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::model::{FlavorId, PhaseKind};
use serde::Serialize;

use super::Ask;
use super::words::{ExplanationView, explanation};
use crate::access::SignedIn;
use crate::operations::Refusal;
use crate::problem::Problem;
use crate::server::State;

#[derive(Serialize)]
struct View {
    flavors: Vec<FlavorView>,
}

#[derive(Serialize)]
struct FlavorView {
    id: String,
    title: String,
    template: String,
    size: u32,
    params: Vec<(String, String)>,
    free: u64,
    in_use: u64,
}

#[derive(Serialize)]
struct OneView {
    id: String,
    title: String,
    template: String,
    size: u32,
    params: Vec<(String, String)>,
    explained: ExplanationView,
}

/// `GET /flavors/{id}`
pub async fn show(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = FlavorId::parse(&id).map_err(|_| Refusal::NoSuch("flavor"))?;
    let now = state.now();
    let explained = explanation(state.operations.explain_flavor(&id, now).await?, now);
    let flavor = state.catalog.flavor(&id).ok_or(Refusal::NoSuch("flavor"))?;
    let view = OneView {
        id: flavor.id.to_string(),
        title: flavor.title.clone(),
        template: flavor.template.to_string(),
        size: flavor.size,
        params: flavor.params.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        explained,
    };
    let title = view.title.clone();
    Ask { req: &req, state: &state, who: &who }.page("flavor.html", &title, "flavors", &view)
}

/// `GET /flavors`
pub async fn list(req: HttpRequest, state: Data<State>, who: SignedIn) -> Result<HttpResponse, Problem> {
    let counts = state.operations.tally.counts().await?;
    let flavors = state.catalog.flavors().iter().map(|flavor| {
        let of = |phase| counts.number(&[phase], Some(&flavor.id), None);
        let (free, in_use) = (of(PhaseKind::Free), of(PhaseKind::InUse));
        FlavorView {
            id: flavor.id.to_string(),
            title: flavor.title.clone(),
            template: flavor.template.to_string(),
            size: flavor.size,
            params: flavor.params.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            free,
            in_use,
        }
    });
    let view = View { flavors: flavors.collect() };
    Ask { req: &req, state: &state, who: &who }.page("flavors.html", "Flavors", "flavors", &view)
}
