//! Creating a cluster: which flavor on which host. The form carries the id that the cluster will have, so that sent twice it
//! makes one.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use common::model::{ClusterId, Host};
use common::store::Search;
use serde::Serialize;

use super::Ask;
use crate::access::SignedIn;
use crate::input::{Form, Query};
use crate::operations::{CreateInput, Fault, ListInput, Refusal, may_take};
use crate::problem::Problem;
use crate::server::State;
use crate::tally::{Counts, Phases};

#[derive(Serialize)]
struct View {
    id: String,
    /// What hosts were searched for.
    q: String,
    #[serde(flatten)]
    offer: Offer,
    hosts_help: String,
    flavors: Vec<Choice>,
    errors: BTreeMap<String, String>,
    error: Option<String>,
}

#[derive(Serialize)]
struct Choice {
    value: String,
    text: String,
    chosen: bool,
}

/// Where it can be made.
#[derive(Default, Serialize)]
struct Offer {
    /// Hosts that have room, those with the most first.
    hosts: Vec<Choice>,
    /// So many more have.
    hosts_more: usize,
    /// Hosts that make none now, with the reason.
    others: Vec<(String, String)>,
    /// So many more do not.
    others_more: usize,
    /// Why the one that was chosen makes none.
    #[serde(skip)]
    refused: Option<String>,
}

/// Hosts that are offered: a longer list is not read, and there is a search.
const OFFERED: usize = 100;

/// Hosts that make none and are named with the reason; more help nobody.
const OTHERS: usize = 20;

/// `GET /clusters/new?host=&flavor=&q=`
pub async fn blank(req: HttpRequest, state: Data<State>, who: SignedIn, query: Query) -> Result<HttpResponse, Problem> {
    let chosen = |name: &str| query.get(name).unwrap_or_default().to_owned();
    let input = CreateInput { host: chosen("host"), flavor: chosen("flavor"), id: ClusterId::random().to_string() };
    let search = ListInput(&query).search()?;
    let ask = Ask { req: &req, state: &state, who: &who };
    form(&ask, StatusCode::OK, &input, search, (&[], None)).await
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
        Err(Refusal::Faults(faults)) => {
            form(&ask, StatusCode::UNPROCESSABLE_ENTITY, &input, None, (&faults, None)).await
        }
        Err(Refusal::Conflict(why)) => form(&ask, StatusCode::CONFLICT, &input, None, (&[], Some(why))).await,
        Err(other) => Err(other.into()),
    }
}

async fn form(
    ask: &Ask<'_>,
    status: StatusCode,
    input: &CreateInput,
    search: Option<Search>,
    (faults, error): (&[Fault], Option<String>),
) -> Result<HttpResponse, Problem> {
    let (counts, hosts) = (ask.state.operations.tally.counts().await?, ask.state.operations.tally.hosts().await?);
    let q = search.as_ref().map(|search| search.as_str().to_owned()).unwrap_or_default();
    let offer = offer(&hosts, &counts, search.as_ref(), &input.host);
    let mut errors: BTreeMap<String, String> = BTreeMap::new();
    errors.extend(offer.refused.clone().map(|why| ("host".to_owned(), why)));
    errors.extend(faults.iter().map(|fault| (fault.field.clone(), fault.reason.clone())));
    let flavors = ask.state.catalog.flavors().iter().map(|flavor| Choice {
        value: flavor.id.to_string(),
        text: flavor.title.clone(),
        chosen: flavor.id.as_str() == input.flavor,
    });
    let hosts_help = match offer.hosts_more {
        0 => "Those that have room and make clusters now, the emptiest first.".to_owned(),
        more => format!("The {OFFERED} with the most room; {more} more have some: search for them above."),
    };
    let view = View { id: input.id.clone(), q, offer, hosts_help, flavors: flavors.collect(), errors, error };
    ask.page_as(status, "cluster_new.html", "Create a cluster", "clusters", &view)
}

/// What is offered of all hosts: those that a search finds, and in any case the one that was chosen.
fn offer(hosts: &[Host], counts: &Counts, search: Option<&Search>, chosen: &str) -> Offer {
    let mut offer = Offer::default();
    let mut with_room: Vec<(bool, u64, &Host)> = Vec::new();
    let found = |host: &Host| {
        search.is_none_or(|search| search.is_in(host.settings.name.as_str()) || search.is_in(&host.settings.address))
    };
    for host in hosts {
        let is_chosen = host.id.as_str() == chosen;
        if !is_chosen && !found(host) {
            continue;
        }
        let phases = counts.on_host(&host.id);
        match may_take(host, &phases) {
            Ok(()) => with_room.push((is_chosen, left(host, &phases), host)),
            Err(refusal) => {
                let why = reason(refusal);
                if is_chosen {
                    offer.refused = Some(why.clone());
                }
                offer.others.push((host.settings.name.to_string(), why));
            }
        }
    }
    // By name among equals, as they were.
    with_room.sort_by_key(|(is_chosen, left, _)| (!is_chosen, std::cmp::Reverse(*left)));
    offer.hosts_more = with_room.len().saturating_sub(OFFERED);
    let choice = |(chosen, left, host): &(bool, u64, &Host)| Choice {
        value: host.id.to_string(),
        text: format!("{}: room for {left} of {}", host.settings.name, host.settings.capacity),
        chosen: *chosen,
    };
    offer.hosts = with_room.iter().take(OFFERED).map(choice).collect();
    offer.others_more = offer.others.len().saturating_sub(OTHERS);
    offer.others.truncate(OTHERS);
    offer
}

fn left(host: &Host, phases: &Phases) -> u64 {
    u64::from(host.settings.capacity).saturating_sub(phases.values().sum())
}

fn reason(refusal: Refusal) -> String {
    match refusal {
        Refusal::Faults(faults) => faults.into_iter().map(|fault| fault.reason).next().unwrap_or_default(),
        other => other.sentence(),
    }
}
