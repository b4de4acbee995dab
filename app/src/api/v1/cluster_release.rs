//! `GET /v1/cluster_release`

use actix_web::{HttpRequest, HttpResponse, web};
use common::model::ClusterId;

use crate::api::old::{Failure, Params, names_no_cluster, ok, user_id};
use crate::callers::Caller;
use crate::lease_ops;
use crate::shared::Shared;

/// Releases one cluster, or all that a user holds.
pub async fn cluster_release(
    request: HttpRequest,
    payload: web::Payload,
    caller: Caller,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Failure> {
    let params = Params::read(&request, payload).await?;
    if let Some(id) = params.filled("cluster_id")? {
        // What is not even an id is an unknown one: nothing to release.
        if let Ok(id) = ClusterId::parse(&id) {
            let released = lease_ops::release_one(&shared, &caller, &id).await;
            released.map_err(|trouble| Failure::of(trouble, &format!("release fail for {id}")))?;
        }
    } else if names_no_cluster(&params)? {
        return Err(Failure::refused("No user_id is given").with(params.arguments()));
    } else {
        let user = user_id(&params, &caller, "No user_id is given")?;
        let released = lease_ops::release_all(&shared, &caller, &user).await;
        released.map_err(|trouble| Failure::of(trouble, &format!("release fail for {user}")))?;
    }
    Ok(ok(""))
}
