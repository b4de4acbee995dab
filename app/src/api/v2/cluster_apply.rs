//! `GET, POST /v2/cluster_apply`, and `action=apply`

use actix_web::{HttpRequest, HttpResponse, web};
use common::model::{FlavorId, UserId};
use common::store::Holding;

use crate::api::old::{Failure, OldCluster, Params, held_or_new, ok, too_many, user_id};
use crate::callers::Caller;
use crate::lease_ops::{self, Given, Wrong};
use crate::meters::ApplyEnd;
use crate::shared::Shared;

/// Gives the user a cluster: a matching one that she holds, unless `allow_multiple`.
pub async fn cluster_apply(
    request: HttpRequest,
    payload: web::Payload,
    caller: Caller,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Failure> {
    apply(&shared, &caller, &Params::read(&request, payload).await?).await
}

/// The same with its parameters read.
pub async fn apply(shared: &Shared, caller: &Caller, params: &Params) -> Result<HttpResponse, Failure> {
    let asked = asked(shared, caller, params).inspect_err(|_| shared.meters.applied(ApplyEnd::Refused));
    let (user, holding, flavors) = asked?;
    let none = || format!("No available res for {user}");
    let given = lease_ops::apply(shared, caller, user.clone(), flavors, holding).await;
    match given.map_err(|trouble| Failure::of(trouble, &none()))? {
        Given::Cluster(cluster) => {
            let daemon_url = shared.daemon_url(caller, &cluster).await;
            Ok(ok(OldCluster::of(&cluster, &shared.catalog, &daemon_url)))
        }
        Given::NoneFree => Err(Failure::refused(none()).with(params.arguments())),
        Given::TooMany { held, most } => Err(too_many(&user, held, most).with(params.arguments())),
    }
}

/// For whom, beside what she holds or instead of it, and what will do.
fn asked(shared: &Shared, caller: &Caller, params: &Params) -> Result<(UserId, Holding, Vec<FlavorId>), Failure> {
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
    Ok((user, holding, flavors))
}
