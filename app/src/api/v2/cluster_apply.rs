//! `GET, POST /v2/cluster_apply`, and `action=apply`

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::api::old::{Failure, OldCluster, Params, ended, held_or_new, idempotency_key, ok, too_many, user_id};
use crate::callers::Caller;
use crate::lease_ops::{self, Ask, Given, Wrong};
use crate::meters::ApplyEnd;
use crate::shared::Shared;

/// Gives the user a cluster: a matching one that she holds, unless `allow_multiple`.
pub async fn cluster_apply(
    request: HttpRequest,
    payload: web::Payload,
    caller: Caller,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Failure> {
    apply(&shared, &caller, request.headers(), &Params::read(&request, payload).await?).await
}

/// The same with its parameters read.
pub async fn apply(
    shared: &Shared,
    caller: &Caller,
    headers: &HeaderMap,
    params: &Params,
) -> Result<HttpResponse, Failure> {
    let asked = asked(shared, caller, headers, params);
    let ask = asked.inspect_err(|_| shared.meters.applied(ApplyEnd::Refused))?;
    let user = ask.user.clone();
    let none = || format!("No available res for {user}");
    let given = lease_ops::apply(shared, caller, ask).await;
    match given.map_err(|trouble| Failure::of(trouble, &none()))? {
        Given::Cluster(cluster) => {
            let daemon_url = shared.daemon_url(caller, &cluster).await;
            Ok(ok(OldCluster::of(&cluster, &shared.catalog, &daemon_url)))
        }
        Given::NoneFree => Err(Failure::refused(none()).with(params.arguments())),
        Given::TooMany { held, most } => Err(too_many(&user, held, most).with(params.arguments())),
        Given::Ended => Err(ended(&user).with(params.arguments())),
    }
}

/// For whom, beside what she holds or instead of it, and what will do.
fn asked(shared: &Shared, caller: &Caller, headers: &HeaderMap, params: &Params) -> Result<Ask, Failure> {
    let user = user_id(params, caller, "cluster_apply without user_id")?;
    let holding = held_or_new(params, "allow_multiple")?;
    let plugin = params.filled("consensus_plugin")?;
    let mode = params.filled("consensus_mode")?;
    let size = params.filled("size")?;
    let flavors = lease_ops::choose(&shared.catalog, plugin.as_deref(), mode.as_deref(), size.as_deref());
    let flavors = flavors.map_err(|wrong| {
        let text = match wrong {
            Wrong::Plugin => "Invalid consensus_plugin",
            Wrong::Mode => "Invalid consensus_mode",
            Wrong::Size => "Invalid cluster_size",
        };
        Failure::refused(text).with(params.arguments())
    })?;
    Ok(Ask { user, flavors, holding, key: idempotency_key(headers)? })
}
