//! `GET /v2/cluster/<id>`

use actix_web::{HttpResponse, web};
use common::model::ClusterId;

use crate::api::old::{Failure, OldCluster, ok};
use crate::callers::Caller;
use crate::lease_ops::Trouble;
use crate::shared::Shared;

/// One cluster, whatever it is in its life.
pub async fn cluster(
    path: web::Path<String>,
    caller: Caller,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Failure> {
    let not_found = || {
        // Long enough to know it again, and no longer than an honest one.
        let id: String = path.chars().take(64).collect();
        Failure::coded(404, format!("cluster not found with id={id}"))
    };
    let id = ClusterId::parse(&path).map_err(|_| not_found())?;
    let found = shared.store.cluster(&id).await.map_err(|error| Failure::of(Trouble::from(error), "try again"))?;
    let cluster = found.filter(|cluster| caller.may_see(cluster)).ok_or_else(not_found)?;
    let daemon_url = shared.daemon_url(&caller, &cluster).await;
    Ok(ok(OldCluster::of(&cluster, &shared.catalog, &daemon_url)))
}
