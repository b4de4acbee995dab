//! `GET, POST /v2/cluster_release`, and `action=release`

use actix_web::{HttpRequest, HttpResponse, web};
use common::model::ClusterId;
use serde_json::json;

use crate::api::old::{Failure, Params, names_no_cluster, ok, user_id};
use crate::callers::Caller;
use crate::lease_ops;
use crate::shared::Shared;

/// What is said where neither a cluster nor a user is named, and where it cannot be done now.
pub struct Texts {
    /// Neither is named.
    pub unnamed: &'static str,
    /// It cannot be done now.
    pub failed: String,
}

/// Releases one cluster, or all that a user holds.
pub async fn cluster_release(
    request: HttpRequest,
    payload: web::Payload,
    caller: Caller,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Failure> {
    let params = Params::read(&request, payload).await?;
    let user = params.filled("user_id")?.unwrap_or_default();
    let cluster = params.filled("cluster_id")?.unwrap_or_default();
    let failed = format!("cluster_release failed user_id={user} cluster_id={cluster}");
    release(&shared, &caller, &params, Texts { unnamed: "cluster_release without id", failed }).await
}

/// The same with its parameters read.
pub async fn release(shared: &Shared, caller: &Caller, params: &Params, texts: Texts) -> Result<HttpResponse, Failure> {
    let released = match params.filled("cluster_id")? {
        Some(id) => match ClusterId::parse(&id) {
            Ok(id) => lease_ops::release_one(shared, caller, &id).await,
            // What is not even an id is an unknown one: nothing to release.
            Err(_) => Ok(()),
        },
        None if names_no_cluster(params)? => return Err(Failure::refused(texts.unnamed).with(params.arguments())),
        None => lease_ops::release_all(shared, caller, &user_id(params, caller, texts.unnamed)?).await,
    };
    released.map_err(|trouble| Failure::of(trouble, &texts.failed))?;
    Ok(ok(json!({})))
}
