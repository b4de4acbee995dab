//! `GET /v1/cluster_apply`

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};
use common::compose::Catalog;
use common::model::FlavorId;

use crate::api::old::{BareCluster, Failure, Params, ended, held_or_new, idempotency_key, too_many, user_id};
use crate::callers::Caller;
use crate::lease_ops::{self, Ask, Given, Wrong};
use crate::meters::ApplyEnd;
use crate::shared::Shared;

/// What a 2016 client gets when it names no consensus.
const DEFAULT_PLUGIN: &str = "pbft";

/// Gives the user a cluster: the one of this kind that she holds, unless `new=1`.
pub async fn cluster_apply(
    request: HttpRequest,
    payload: web::Payload,
    caller: Caller,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Failure> {
    let params = Params::read(&request, payload).await?;
    let asked = asked(&shared, &caller, request.headers(), &params);
    let ask = asked.inspect_err(|_| shared.meters.applied(ApplyEnd::Refused))?;
    let user = ask.user.clone();
    let none = || format!("No available res for {user}");
    let given = lease_ops::apply(&shared, &caller, ask).await;
    match given.map_err(|trouble| Failure::of(trouble, &none()))? {
        Given::Cluster(cluster) => {
            let daemon_url = shared.daemon_url(&caller, &cluster).await;
            Ok(HttpResponse::Ok().json(BareCluster::of(&cluster, &shared.catalog, &daemon_url)))
        }
        Given::NoneFree => Err(Failure::refused(none()).with(params.arguments())),
        Given::TooMany { held, most } => Err(too_many(&user, held, most).with(params.arguments())),
        Given::Ended => Err(ended(&user).with(params.arguments())),
    }
}

/// For whom, beside what she holds or instead of it, and what will do.
fn asked(shared: &Shared, caller: &Caller, headers: &HeaderMap, params: &Params) -> Result<Ask, Failure> {
    let user = user_id(params, caller, "No user_id is given")?;
    let holding = held_or_new(params, "new")?;
    Ok(Ask { user, flavors: flavors(params, &shared.catalog)?, holding, key: idempotency_key(headers)? })
}

/// By `consensus_plugin`, `consensus_mode` and `size`, or by the older `consensus_type`.
fn flavors(params: &Params, catalog: &Catalog) -> Result<Vec<FlavorId>, Failure> {
    let plugin = params.filled("consensus_plugin")?;
    let mode = params.filled("consensus_mode")?;
    let size = params.filled("size")?;
    let kind = params.filled("consensus_type")?;
    let (plugin, mode) = match (&plugin, kind.as_deref()) {
        (Some(plugin), _) => (plugin.as_ref(), mode.as_deref()),
        (None, None) => (DEFAULT_PLUGIN, mode.as_deref()),
        (None, Some("sieve")) => ("pbft", Some("sieve")),
        (None, Some(kind @ ("pbft" | "noops"))) => (kind, mode.as_deref()),
        (None, Some(_)) => return Err(Failure::refused("Invalid consensus_type").with(params.arguments())),
    };
    let refuse = |text: &str| Failure::refused(text).with(params.arguments());
    match lease_ops::choose(catalog, Some(plugin), mode, size.as_deref()) {
        Ok(flavors) => Ok(flavors),
        // A kind that clients of 2016 may name and that is not offered: they know this as "none free".
        Err(_) if ["pbft", "noops"].contains(&plugin) && mode == Some("sieve") => Ok(Vec::new()),
        Err(Wrong::Plugin) if ["pbft", "noops"].contains(&plugin) => Ok(Vec::new()),
        Err(Wrong::Plugin) => Err(refuse("Invalid consensus_plugin")),
        Err(Wrong::Mode) => Err(refuse("Invalid consensus_mode")),
        Err(Wrong::Size) => Err(refuse("Invalid cluster_size")),
    }
}
