//! `/api/v1/hosts`

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Path};
use common::model::HostId;

use super::{ListPart, Part, host_tls, shapes};
use crate::access::SignedIn;
use crate::input::{Object, Query};
use crate::operations::{
    Fault, ForceInput, HostAction, HostInput, HostRow, ListInput, Listed, Refusal, ResetInput, mix_of_json,
};
use crate::problem::Problem;
use crate::server::State;

/// `GET`: by name unless asked otherwise; the parameters of [`ListInput::HOSTS`].
pub async fn list(state: Data<State>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&ListInput::HOSTS)?;
    let found = state.operations.find_hosts(&ListInput(&query).hosts()?).await?;
    Ok(HttpResponse::Ok().json(ListPart::of(found, |row| shape(&state, row))))
}

/// `GET` of one.
pub async fn show(state: Data<State>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let row = state.operations.host(&host_id(&id)?).await?;
    Ok(HttpResponse::Ok().json(shape(&state, &row)))
}

/// `POST`: adds one. Whatever is left out is as in the blank form.
pub async fn add(who: SignedIn, state: Data<State>, mut body: Object) -> Result<HttpResponse, Problem> {
    let tls = host_tls::texts(&mut body)?;
    let input = fill(HostInput::blank(state.log_level), body, &OWN)?;
    let added = state.operations.add_host(&input, &tls, &who.operator.username, state.now()).await?;
    let place = (header::LOCATION, format!("/api/v1/hosts/{}", added.host.id));
    if added.new {
        let row = HostRow { host: added.host, phases: Default::default() };
        return Ok(HttpResponse::Created().insert_header(place).json(shape(&state, &row)));
    }
    let row = state.operations.host(&added.host.id).await?;
    Ok(HttpResponse::Ok().insert_header(place).json(shape(&state, &row)))
}

/// `POST .../many`: adds those that `text` names, a line each; the other fields are the settings for all of them.
pub async fn add_many(who: SignedIn, state: Data<State>, mut body: Object) -> Result<HttpResponse, Problem> {
    let text = body.text("text").map_err(one)?.unwrap_or_default();
    let tls = host_tls::texts(&mut body)?;
    let common = fill(HostInput::blank(state.log_level), body, &[])?;
    let done = state.operations.add_many(&text, &common, &tls, &who.operator.username, state.now()).await?;
    Ok(HttpResponse::Ok().json(shapes::many(&done)))
}

/// `PATCH`: changes the fields that are given.
pub async fn configure(
    who: SignedIn,
    state: Data<State>,
    id: Path<String>,
    mut body: Object,
) -> Result<HttpResponse, Problem> {
    let id = host_id(&id)?;
    let row = state.operations.host(&id).await?;
    let seen = body.number("version");
    let input = match (fill(HostInput::of(&row.host), body, &OWN), &seen) {
        (Err(Refusal::Faults(faults)), Err(fault)) => {
            return Err(Refusal::Faults(faults.into_iter().chain([fault.clone()]).collect()).into());
        }
        (filled, _) => filled?,
    };
    let seen = seen.map_err(one)?;
    // Without a version of the caller's own, at least what we have just read must still be so.
    let seen = seen.or(Some(row.host.version));
    let host = state.operations.configure_host(&id, &input, seen, &who.operator.username, state.now()).await?;
    Ok(HttpResponse::Ok().json(shape(&state, &HostRow { host, phases: row.phases })))
}

/// `DELETE`: has one deleted; it is gone when its clusters are. With `{"force": true, "confirm": NAME}` by force.
pub async fn delete(
    who: SignedIn,
    state: Data<State>,
    id: Path<String>,
    mut body: Object,
) -> Result<HttpResponse, Problem> {
    let id = host_id(&id)?;
    let force = body.truth("force").map_err(one)?.unwrap_or_default();
    let confirm = body.text("confirm").map_err(one)?;
    let seen = body.number("version").map_err(one)?;
    body.end()?;
    let by = &who.operator.username;
    let done = if force {
        let input = ForceInput { confirm: confirm.unwrap_or_default(), seen };
        state.operations.delete_host_by_force(&id, &input, by, state.now()).await?
    } else {
        state.operations.delete_host(&id, seen, by, state.now()).await?
    };
    Ok(HttpResponse::Accepted().json(done))
}

/// `POST .../fillup`, `/clean`, `/drain`, `/serve`, `/retry`, `/cordon`, `/uncordon`: with `version`, only if that is
/// still the host's.
pub async fn act(
    who: SignedIn,
    state: Data<State>,
    path: Path<(String, String)>,
    mut body: Object,
) -> Result<HttpResponse, Problem> {
    let (id, action) = path.into_inner();
    let action = HostAction::parse(&action).ok_or_else(Problem::not_found)?;
    let id = host_id(&id)?;
    let seen = body.number("version").map_err(one)?;
    body.end()?;
    let done = state.operations.act_on_host(&id, action, seen, &who.operator.username, state.now()).await?;
    Ok(HttpResponse::Accepted().json(done))
}

/// `POST .../reset`: `{"confirm": NAME, "foreign": [ids of the list below], "version": ...}`.
pub async fn reset(
    who: SignedIn,
    state: Data<State>,
    id: Path<String>,
    mut body: Object,
) -> Result<HttpResponse, Problem> {
    let id = host_id(&id)?;
    let confirm = body.text("confirm").map_err(one)?.unwrap_or_default();
    let seen = body.number("version").map_err(one)?;
    let list = body.list("foreign").map_err(one)?.unwrap_or_default();
    body.end()?;
    let ids: Option<Vec<String>> = list.iter().map(|id| id.as_str().map(str::to_owned)).collect();
    let foreign = ids.ok_or_else(|| Refusal::field("foreign", "must be a list of ids"))?;
    let input = ResetInput { confirm, foreign, seen };
    let done = state.operations.reset_host(&id, &input, &who.operator.username, state.now()).await?;
    Ok(HttpResponse::Accepted().json(done))
}

/// `GET .../foreign`: what is on its engine now that is not of this pool.
pub async fn foreign(state: Data<State>, id: Path<String>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&[])?;
    let things = state.operations.foreign(&host_id(&id)?).await?;
    Ok(HttpResponse::Ok().json(Part::of(Listed { items: things, next: None }, shapes::stranger)))
}

fn shape(state: &State, row: &HostRow) -> shapes::HostShape {
    let outlook = state.reconciler.outlook_of(&row.host.id).map(|outlook| outlook.lines());
    shapes::host(row, outlook.unwrap_or_default())
}

pub(super) fn host_id(text: &str) -> Result<HostId, Refusal> {
    HostId::parse(text).map_err(|_| Refusal::NoSuch("host"))
}

pub(super) fn one(fault: Fault) -> Refusal {
    Refusal::Faults(vec![fault])
}

/// The texts that each host has of its own.
const OWN: [&str; 3] = ["name", "daemon_url", "address"];

/// The texts that many may share.
const SHARED: [&str; 5] = ["bind_address", "log_level", "log_type", "log_server", "chaincode_endpoint"];

/// The fields that are given over those that are there; `own` are those of [`OWN`] that may be given.
fn fill(mut input: HostInput, mut body: Object, own: &[&str]) -> Result<HostInput, Refusal> {
    let mut faults = Vec::new();
    let log_server_before = std::mem::take(&mut input.log_server);
    for name in own.iter().chain(&SHARED) {
        let field = match *name {
            "name" => &mut input.name,
            "daemon_url" => &mut input.daemon_url,
            "address" => &mut input.address,
            "bind_address" => &mut input.bind_address,
            "log_level" => &mut input.log_level,
            "log_type" => &mut input.log_type,
            "log_server" => &mut input.log_server,
            _ => &mut input.chaincode_endpoint,
        };
        put(&mut faults, field, body.text(name));
    }
    // A syslog server that nobody mentions stays, unless the log is turned to files, where there is none.
    if input.log_server.is_empty() && input.log_type == "syslog" {
        input.log_server = log_server_before;
    }
    put(&mut faults, &mut input.capacity, body.number("capacity").map(|n| n.map(|n| n.to_string())));
    put(&mut faults, &mut input.schedulable, body.truth("schedulable"));
    put(&mut faults, &mut input.autofill, body.truth("autofill"));
    let mix = body.list("mix").and_then(|list| list.map(|list| mix_of_json(&list)).transpose());
    put(&mut faults, &mut input.mix, mix);
    body.nothing_else(&mut faults);
    if faults.is_empty() { Ok(input) } else { Err(Refusal::Faults(faults)) }
}

fn put<T>(faults: &mut Vec<Fault>, field: &mut T, given: Result<Option<T>, Fault>) {
    match given {
        Ok(Some(value)) => *field = value,
        Ok(None) => {}
        Err(fault) => faults.push(fault),
    }
}
