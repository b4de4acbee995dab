//! The list of hosts, and adding one.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use common::model::{HostPurpose, HostState, LogTarget, PhaseKind, Timestamp};
use common::store::HostSort;
use serde::Serialize;

use super::Ask;
use super::frame::{Address, Choice, Head, Pager, Wrong, is_filtered};
use super::host_form::{FormView, input};
use super::words::{self, Badge, When, when};
use crate::access::SignedIn;
use crate::input::{Form, Query};
use crate::live::Asked;
use crate::operations::{Added, Done, Fault, HostInput, HostRow, ListInput, Refusal};
use crate::problem::Problem;
use crate::server::State;

/// A host in a list.
#[derive(Serialize)]
pub struct HostView {
    id: String,
    name: String,
    url: String,
    kind: &'static str,
    state: Badge,
    why: Option<String>,
    since: When,
    leaving: bool,
    /// What operators want of it, unless it is the ordinary service.
    purpose: Option<Badge>,
    schedulable: bool,
    autofill: bool,
    log: String,
    version: u64,
    created: When,
    capacity: u16,
    clusters: u64,
    free: u64,
    in_use: u64,
    /// Its free clusters can be had.
    gives: bool,
}

impl HostView {
    /// The host's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How a host is listed.
    pub fn of(row: &HostRow, now: Timestamp) -> HostView {
        let HostRow { host, phases } = row;
        let (since, why) = match &host.contact.state {
            HostState::Active { since } => (since, None),
            HostState::Inactive { since, why } => (since, Some(why.clone())),
        };
        let count = |phase| phases.get(&phase).copied().unwrap_or_default();
        HostView {
            id: host.id.to_string(),
            name: host.settings.name.to_string(),
            url: host.settings.daemon_url.to_string(),
            kind: crate::api::kind(host.kind),
            state: words::host_state(&host.contact.state),
            why,
            since: when(*since, now),
            leaving: host.purpose.leaves(),
            purpose: words::purpose(&host.purpose),
            schedulable: host.settings.schedulable,
            autofill: host.settings.autofill,
            log: match &host.settings.log_target {
                LogTarget::Local => "local".into(),
                LogTarget::Syslog { server } => format!("syslog at {server}"),
            },
            version: host.version,
            created: when(host.created_at, now),
            capacity: host.settings.capacity,
            clusters: row.clusters(),
            free: count(PhaseKind::Free),
            in_use: count(PhaseKind::InUse),
            gives: host.contact.state.is_active() && host.serves(),
        }
    }
}

/// What the address may hold.
const PARAMETERS: [&str; 8] = ListInput::HOSTS;

/// What of it leaves fewer.
const FILTERS: [&str; 4] = ["state", "schedulable", "purpose", "q"];

/// What it is filtered by, as it was asked for.
#[derive(Serialize)]
struct Filter {
    /// What was typed.
    q: String,
    limit: String,
    sort: String,
    dir: String,
    states: Vec<Choice>,
    schedulable: Vec<Choice>,
    purposes: Vec<Choice>,
    filtered: bool,
    /// Whether one of the folded fields is set.
    narrowed: bool,
    /// The list without its filters.
    clear: String,
    /// Why it was refused.
    wrong: Wrong,
}

#[derive(Serialize)]
struct View {
    #[serde(flatten)]
    filter: Filter,
    /// Where an action of a row leads back to.
    back: String,
    heads: Vec<Head>,
    pager: Pager,
    hosts: Vec<HostView>,
}

/// `GET /hosts?q=&state=&schedulable=&purpose=&sort=&dir=&after=&limit=`
pub async fn list(req: HttpRequest, state: Data<State>, who: SignedIn, query: Query) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    match view(&state, &query).await {
        Ok(view) => ask.page("hosts.html", "Hosts", "hosts", &view),
        Err(problem) => {
            let filter = filter(&query, Wrong::of(problem, &FILTERS)?);
            ask.page_as(Wrong::STATUS, "hosts.html", "Hosts", "hosts", &filter)
        }
    }
}

/// What is rendered again when the pool changes.
pub async fn live(asked: Asked) -> Result<String, Problem> {
    asked.render("live/hosts.html", &view(&asked.state, &asked.query).await?)
}

async fn view(state: &State, query: &Query) -> Result<View, Problem> {
    let address = Address::of("/hosts", query, &PARAMETERS);
    let asked = ListInput(query).hosts()?;
    let found = state.operations.find_hosts(&asked).await?;
    let now = state.now();
    let sorts = |label, by| Head::sorts(label, by, &asked.page, &address);
    Ok(View {
        filter: filter(query, Wrong::default()),
        back: address.with("limit", asked.page.limit.to_string()).link(),
        heads: vec![
            sorts("Name", HostSort::Name),
            sorts("State", HostSort::State),
            sorts("Clusters", HostSort::Clusters),
            sorts("Capacity", HostSort::Capacity).of_numbers(),
            Head::plain("Free").of_numbers(),
            Head::plain("In use").of_numbers(),
            Head::plain("Settings"),
            Head::plain("Daemon"),
            sorts("Added", HostSort::Created),
        ],
        pager: Pager::of(&found, &asked.page, &address, "host", "hosts"),
        hosts: found.items.iter().map(|row| HostView::of(row, now)).collect(),
    })
}

fn filter(query: &Query, wrong: Wrong) -> Filter {
    let get = |name| query.get(name).unwrap_or_default().to_owned();
    let choice = |name: &str, value: &str, label: &str| Choice::of(value, label, query.get(name));
    Filter {
        q: get("q"),
        limit: get("limit"),
        sort: get("sort"),
        dir: get("dir"),
        states: vec![choice("state", "active", "active"), choice("state", "inactive", "inactive")],
        schedulable: vec![choice("schedulable", "yes", "schedulable"), choice("schedulable", "no", "not schedulable")],
        purposes: HostPurpose::WORDS.iter().map(|word| choice("purpose", word, words::purpose_word(word))).collect(),
        filtered: is_filtered(query, &FILTERS),
        narrowed: is_filtered(query, &["state", "schedulable", "purpose"]),
        clear: Address::of("/hosts", query, &PARAMETERS).without(&FILTERS).without(&["after"]).link(),
        wrong,
    }
}

/// `GET /hosts/new`
pub async fn blank(req: HttpRequest, state: Data<State>, who: SignedIn) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    let view = FormView::new(&HostInput::blank(state.log_level), &[], None, &state.operations.layout);
    form(&ask, StatusCode::OK, &view)
}

/// `POST /hosts/new`
pub async fn add(req: HttpRequest, state: Data<State>, who: SignedIn, fields: Form) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    let input = input(&fields);
    let tls = super::host_tls::input(&fields);
    let again = |faults: &[Fault], why| FormView::new(&input, faults, why, &state.operations.layout).with_tls(&tls);
    match state.operations.add_host(&input, &tls, &who.operator.username, state.now()).await {
        Ok(Added { host, new: false }) => {
            let message = format!("Host {} was added already.", host.settings.name);
            Ok(ask.done(&Done { message }, &format!("/hosts/{}", host.id)))
        }
        Ok(Added { host, new: true }) => {
            let message = format!("Host {} was added, and filling it has begun.", host.settings.name);
            let message = if host.settings.autofill && host.settings.schedulable && host.settings.capacity > 0 {
                message
            } else {
                format!("Host {} was added.", host.settings.name)
            };
            Ok(ask.done(&Done { message }, &format!("/hosts/{}", host.id)))
        }
        Err(Refusal::Faults(faults)) => form(&ask, StatusCode::UNPROCESSABLE_ENTITY, &again(&faults, None)),
        Err(Refusal::Conflict(why)) => form(&ask, StatusCode::CONFLICT, &again(&[], Some(why))),
        Err(other) => Err(other.into()),
    }
}

fn form(ask: &Ask<'_>, status: StatusCode, view: &FormView) -> Result<HttpResponse, Problem> {
    ask.page_as(status, "host_new.html", "Add a host", "hosts", view)
}
