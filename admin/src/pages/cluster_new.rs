//! Creating a cluster: which flavor on which host. The form carries the id that the cluster will have, so that sent twice it
//! makes one.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use common::model::ClusterId;
use serde::Serialize;

use super::Ask;
use crate::access::SignedIn;
use crate::input::{Form, Query};
use crate::operations::{CreateInput, Fault, HostRow, Refusal, may_take};
use crate::problem::Problem;
use crate::server::State;

#[derive(Serialize)]
struct View {
    id: String,
    hosts: Vec<Choice>,
    flavors: Vec<Choice>,
    /// Hosts that make none now, with the reason.
    others: Vec<(String, String)>,
    more: usize,
    errors: BTreeMap<String, String>,
    error: Option<String>,
}

#[derive(Serialize)]
struct Choice {
    value: String,
    text: String,
    chosen: bool,
}

/// Hosts that make none and are named with the reason; more help nobody.
const OTHERS: usize = 20;

/// `GET /clusters/new?host=&flavor=`
pub async fn blank(req: HttpRequest, state: Data<State>, who: SignedIn, query: Query) -> Result<HttpResponse, Problem> {
    let chosen = |name: &str| query.get(name).unwrap_or_default().to_owned();
    let input = CreateInput { host: chosen("host"), flavor: chosen("flavor"), id: ClusterId::random().to_string() };
    form(&Ask { req: &req, state: &state, who: &who }, StatusCode::OK, &input, &[], None).await
}

/// `POST /clusters/new`
pub async fn create(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    fields: Form,
) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    let text = |name: &str| fields.text(name).to_owned();
    let input = CreateInput { host: text("host"), flavor: text("flavor"), id: text("id") };
    // A form without the id that makes it one is nobody's.
    if input.id.is_empty() {
        return Err(Problem::unreadable("The form has no id."));
    }
    match state.operations.create_cluster(&input, &who.operator.username, state.now()).await {
        Ok(created) => Ok(ask.done(&created.done, &format!("/clusters/{}", created.id))),
        Err(Refusal::Faults(faults)) => form(&ask, StatusCode::UNPROCESSABLE_ENTITY, &input, &faults, None).await,
        Err(Refusal::Conflict(why)) => form(&ask, StatusCode::CONFLICT, &input, &[], Some(why)).await,
        Err(other) => Err(other.into()),
    }
}

async fn form(
    ask: &Ask<'_>,
    status: StatusCode,
    input: &CreateInput,
    faults: &[Fault],
    error: Option<String>,
) -> Result<HttpResponse, Problem> {
    let mut errors: BTreeMap<String, String> = BTreeMap::new();
    let (mut hosts, mut others) = (Vec::new(), Vec::new());
    for row in ask.state.operations.hosts().await? {
        let (id, name) = (row.host.id.to_string(), row.host.settings.name.to_string());
        let chosen = id == input.host;
        match may_take(&row) {
            Ok(()) => hosts.push(Choice { value: id, text: room(&row), chosen }),
            Err(refusal) => {
                let why = reason(refusal);
                if chosen {
                    errors.insert("host".into(), why.clone());
                }
                others.push((name, why));
            }
        }
    }
    for fault in faults {
        errors.insert(fault.field.clone(), fault.reason.clone());
    }
    let flavors = ask.state.catalog.flavors().iter().map(|flavor| Choice {
        value: flavor.id.to_string(),
        text: flavor.title.clone(),
        chosen: flavor.id.as_str() == input.flavor,
    });
    let more = others.len().saturating_sub(OTHERS);
    others.truncate(OTHERS);
    let view = View { id: input.id.clone(), hosts, flavors: flavors.collect(), others, more, errors, error };
    ask.page_as(status, "cluster_new.html", "Create a cluster", "clusters", &view)
}

fn room(row: &HostRow) -> String {
    let (name, capacity) = (&row.host.settings.name, u64::from(row.host.settings.capacity));
    format!("{name}: room for {} of {capacity}", capacity.saturating_sub(row.clusters()))
}

fn reason(refusal: Refusal) -> String {
    match refusal {
        Refusal::Faults(faults) => faults.into_iter().map(|fault| fault.reason).next().unwrap_or_default(),
        other => other.sentence(),
    }
}
