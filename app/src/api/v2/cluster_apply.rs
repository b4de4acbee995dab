//! `GET, POST /v2/cluster_apply`, and `action=apply`

use actix_web::{HttpRequest, HttpResponse, web};

use crate::api::old::{Failure, OldCluster, Params, held_or_new, ok, user_id};
use crate::lease_ops::{self, Wrong};
use crate::shared::Shared;

/// Gives the user a cluster: a matching one that she holds, unless `allow_multiple`.
pub async fn cluster_apply(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Failure> {
    apply(&shared, &Params::read(&request, payload).await?).await
}

/// The same with its parameters read.
pub async fn apply(shared: &Shared, params: &Params) -> Result<HttpResponse, Failure> {
    let refuse = |text: &str| Failure::refused(text).with(params.arguments());
    let user = user_id(params, "cluster_apply without user_id")?;
    let holding = held_or_new(params, "allow_multiple")?;
    let plugin = params.filled("consensus_plugin")?;
    let mode = params.filled("consensus_mode")?;
    let size = params.filled("size")?;
    let flavors =
        lease_ops::choose(&shared.catalog, plugin.as_deref(), mode.as_deref(), size.as_deref()).map_err(|wrong| {
            refuse(match wrong {
                Wrong::Plugin => "Invalid consensus_plugin",
                Wrong::Mode => "Invalid consensus_mode",
                Wrong::Size => "Invalid cluster_size",
            })
        })?;
    let none = || format!("No available res for {user}");
    let given = lease_ops::apply(shared, user.clone(), flavors, holding).await;
    match given.map_err(|trouble| Failure::of(trouble, &none()))? {
        Some(cluster) => {
            let daemon_url = shared.hosts.url(&cluster.host).await;
            Ok(ok(OldCluster::of(&cluster, &shared.catalog, &daemon_url)))
        }
        None => Err(refuse(&none())),
    }
}
