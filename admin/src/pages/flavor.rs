//! One flavor: what was chosen, what is wanted of it, the nodes it is made of, and the compose file that it comes to.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::compose::{Project, ServiceSpec};
use common::model::FlavorId;
use serde::Serialize;

use super::Ask;
use super::flavors::{Counts, counts_of};
use super::words::{ExplanationView, bytes, explanation};
use crate::access::SignedIn;
use crate::live::Asked;
use crate::operations::Refusal;
use crate::problem::Problem;
use crate::server::State;

/// What changes by itself.
#[derive(Serialize)]
struct LiveView {
    id: String,
    counts: Counts,
    explained: ExplanationView,
}

/// The whole page: what a flavor is stays for as long as the program runs.
#[derive(Serialize)]
struct View {
    #[serde(flatten)]
    live: LiveView,
    title: String,
    template: String,
    template_title: String,
    /// Title, value, and what else it could be.
    parameters: Vec<(String, String, Vec<String>)>,
    nodes: Vec<NodeView>,
    /// Name, scheme and node.
    endpoints: Vec<(String, String, String)>,
    compose_file: String,
}

#[derive(Serialize)]
struct NodeView {
    name: String,
    image: String,
    processors: String,
    memory: String,
}

/// `GET /flavors/{id}`
pub async fn show(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let view = view(&state, &flavor_id(&id)?).await?;
    let title = view.title.clone();
    Ask { req: &req, state: &state, who: &who }.page("flavor.html", &title, "flavors", &view)
}

/// What is rendered again when the pool changes.
pub async fn live(asked: Asked) -> Result<String, Problem> {
    asked.render("live/flavor.html", &live_view(&asked.state, &flavor_id(&asked.id)?).await?)
}

fn flavor_id(text: &str) -> Result<FlavorId, Refusal> {
    FlavorId::parse(text).map_err(|_| Refusal::NoSuch("flavor"))
}

async fn live_view(state: &State, id: &FlavorId) -> Result<LiveView, Problem> {
    let now = state.now();
    let explained = explanation(state.operations.explain_flavor(id, now).await?, now);
    Ok(LiveView { id: id.to_string(), counts: counts_of(state, id).await?, explained })
}

async fn view(state: &State, id: &FlavorId) -> Result<View, Problem> {
    let flavor = state.catalog.flavor(id).ok_or(Refusal::NoSuch("flavor"))?;
    let template = state.catalog.template(&flavor.template).ok_or(Refusal::NoSuch("template"))?;
    let (compose_file, project) = state.catalog.example(flavor).map_err(Problem::broken)?;
    let parameters = template.parameters().iter().map(|parameter| {
        let value = flavor.params.get(&parameter.name);
        let others = parameter.values.iter().filter(|other| Some(*other) != value).cloned().collect();
        (parameter.title.clone(), value.cloned().unwrap_or_else(|| "not of this flavor".into()), others)
    });
    Ok(View {
        live: live_view(state, id).await?,
        title: flavor.title.clone(),
        template: flavor.template.to_string(),
        template_title: template.title().to_owned(),
        parameters: parameters.collect(),
        nodes: project.services.iter().map(node).collect(),
        endpoints: endpoints(&project),
        compose_file,
    })
}

fn node(service: &ServiceSpec) -> NodeView {
    let unlimited = || "not limited".to_owned();
    NodeView {
        name: service.node.to_string(),
        image: service.image.clone(),
        processors: service.nano_cpus.map_or_else(unlimited, thousandths),
        memory: service.memory.and_then(|amount| u64::try_from(amount).ok()).map_or_else(unlimited, bytes),
    }
}

/// Processors, to the thousandth: `0.5`, `2`.
fn thousandths(nano: i64) -> String {
    let text = format!("{}.{:03}", nano / 1_000_000_000, nano % 1_000_000_000 / 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn endpoints(project: &Project) -> Vec<(String, String, String)> {
    let told = project.endpoints.iter();
    told.map(|(name, to)| (name.clone(), to.scheme.clone(), to.node.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::thousandths;

    #[test]
    fn processors_are_told_as_short_as_they_can_be() {
        for (nano, text) in
            [(500_000_000, "0.5"), (2_000_000_000, "2"), (1_250_000_000, "1.25"), (10_000_000_000, "10")]
        {
            assert_eq!(thousandths(nano), text);
        }
    }
}
