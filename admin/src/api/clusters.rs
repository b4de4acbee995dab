//! `/api/v1/clusters`

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Path};
use common::model::{ClusterId, WishChange};

use super::{ListPart, shapes};
use crate::access::SignedIn;
use crate::input::{Object, Query};
use crate::operations::{ClusterAction, ClusterList, CreateInput, ListInput, Refusal};
use crate::problem::Problem;
use crate::server::State;

/// `GET`: clusters. `type` as on the page (but `released`, which are records), or `phase`, and the parameters of
/// [`ListInput::CLUSTERS`].
pub async fn list(state: Data<State>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&[&["type", "phase"], ListInput::CLUSTERS.as_slice()].concat())?;
    let list = query.get("type").map(ClusterList::parse).transpose()?;
    if list == Some(ClusterList::Released) {
        return Err(Refusal::field("type", "released ones are at /api/v1/records").into());
    }
    if list.is_some() && query.get("phase").is_some() {
        return Err(Refusal::field("phase", "cannot be given beside type").into());
    }
    let asked = ListInput(&query).clusters(list)?;
    Ok(HttpResponse::Ok().json(ListPart::of(state.operations.find_clusters(&asked).await?, shapes::cluster)))
}

/// `GET` of one.
pub async fn show(state: Data<State>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let cluster = state.store.cluster(&cluster_id(&id)?).await?.ok_or(Refusal::NoSuch("cluster"))?;
    Ok(HttpResponse::Ok().json(shapes::cluster(&cluster)))
}

/// `POST`: has one made: `host` and `flavor`. With an `id` that the caller drew, the same sent twice makes one.
pub async fn create(who: SignedIn, state: Data<State>, mut body: Object) -> Result<HttpResponse, Problem> {
    let mut faults = Vec::new();
    let mut text = |name: &str| {
        let given = body.text(name);
        given.unwrap_or_else(|fault| {
            faults.push(fault);
            None
        })
    };
    let (host, flavor, id) = (text("host"), text("flavor"), text("id"));
    body.nothing_else(&mut faults);
    if !faults.is_empty() {
        return Err(Refusal::Faults(faults).into());
    }
    let input =
        CreateInput { host: host.unwrap_or_default(), flavor: flavor.unwrap_or_default(), id: id.unwrap_or_default() };
    let created = state.operations.create_cluster(&input, &who.operator.username, state.now()).await?;
    let cluster = state.store.cluster(&created.id).await?.ok_or(Refusal::Conflict(created.done.message))?;
    let place = (header::LOCATION, format!("/api/v1/clusters/{}", cluster.id));
    let mut response = if created.new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(response.insert_header(place).json(shapes::cluster(&cluster)))
}

/// `POST .../start`, `/stop`, `/restart` (of all nodes or `{"node": "vp0"}`), `/release`.
pub async fn act(
    who: SignedIn,
    state: Data<State>,
    path: Path<(String, String)>,
    mut body: Object,
) -> Result<HttpResponse, Problem> {
    let (id, action) = path.into_inner();
    let change = match action.as_str() {
        "start" => Some(WishChange::Start),
        "stop" => Some(WishChange::Stop),
        "restart" => Some(WishChange::Restart),
        "release" => None,
        _ => return Err(Problem::not_found()),
    };
    let action = match change {
        None => ClusterAction::Release,
        Some(change) => {
            let node = body.text("node").map_err(|fault| Refusal::Faults(vec![fault]))?;
            let seen = body.number("restarts").map_err(|fault| Refusal::Faults(vec![fault]))?;
            ClusterAction::wish(&node.unwrap_or_default(), change, seen)?
        }
    };
    body.end()?;
    let done = state.operations.act(&cluster_id(&id)?, &action, &who.operator.username, state.now()).await?;
    Ok(HttpResponse::Accepted().json(done))
}

/// `DELETE`: removes one that nobody holds.
pub async fn delete(who: SignedIn, state: Data<State>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let by = &who.operator.username;
    let done = state.operations.act(&cluster_id(&id)?, &ClusterAction::Delete, by, state.now()).await?;
    Ok(HttpResponse::Accepted().json(done))
}

fn cluster_id(text: &str) -> Result<ClusterId, Refusal> {
    ClusterId::parse(text).map_err(|_| Refusal::NoSuch("cluster"))
}
