//! What the pool can be made of.

use std::collections::BTreeMap;

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
    let mut counts: BTreeMap<_, (u64, u64)> = BTreeMap::new();
    for ((_, flavor, phase), n) in state.store.count_clusters().await? {
        let (free, in_use) = counts.entry(flavor).or_default();
        match phase {
            PhaseKind::Free => *free += n,
            PhaseKind::InUse => *in_use += n,
            PhaseKind::Creating | PhaseKind::Releasing | PhaseKind::Removing | PhaseKind::Failed | PhaseKind::Lost => {}
        }
    }
    let flavors = state.catalog.flavors().iter().map(|flavor| {
        let (free, in_use) = counts.get(&flavor.id).copied().unwrap_or_default();
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
