//! `GET, POST /v2/cluster_op`

use actix_web::{HttpRequest, HttpResponse, web};
use common::model::{ClusterId, NodeName, NodeScope, WishChange};
use serde_json::json;

use super::cluster_apply::apply;
use super::cluster_release::{Texts, release};
use crate::api::old::{Failure, Params, ok};
use crate::callers::Caller;
use crate::lease_ops::{self, Wished};
use crate::shared::Shared;

const NO_ID: &str = "No cluster_id is given";

/// Does what `action` says.
pub async fn cluster_op(
    request: HttpRequest,
    payload: web::Payload,
    caller: Caller,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Failure> {
    let params = Params::read(&request, payload).await?;
    match params.filled("action")?.as_deref() {
        Some("apply") => apply(&shared, &caller, request.headers(), &params).await,
        Some("release") => {
            let texts = Texts { unnamed: NO_ID, failed: "cluster release failed".to_owned() };
            release(&shared, &caller, &params, texts).await
        }
        Some("start") => wish(&shared, &caller, &params, WishChange::Start, "cluster start failed").await,
        Some("stop") => wish(&shared, &caller, &params, WishChange::Stop, "cluster stop failed").await,
        Some("restart") => wish(&shared, &caller, &params, WishChange::Restart, "cluster restart failed").await,
        _ => Err(Failure::refused("Unknown action type")),
    }
}

async fn wish(
    shared: &Shared,
    caller: &Caller,
    params: &Params,
    change: WishChange,
    failed: &str,
) -> Result<HttpResponse, Failure> {
    let id = params.filled("cluster_id")?.ok_or_else(|| Failure::refused(NO_ID))?;
    let id = ClusterId::parse(&id).map_err(|_| Failure::refused(failed))?;
    let scope = match params.filled("node_id")? {
        None => NodeScope::All,
        Some(node) => NodeScope::One(NodeName::parse(&node).map_err(|_| Failure::refused(failed))?),
    };
    let wished = lease_ops::wish(shared, caller, &id, &scope, change).await;
    match wished.map_err(|trouble| Failure::of(trouble, failed))? {
        Wished::Done => Ok(ok(json!({}))),
        Wished::UnderWay | Wished::Refused => Err(Failure::refused(failed)),
    }
}
