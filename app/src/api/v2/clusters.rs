//! `GET, POST /v2/clusters`

use std::collections::VecDeque;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use common::compose::Catalog;
use common::model::{Cluster, HostId, PhaseKind, UserId};
use common::store::{ClusterFilter, StoreResult};
use futures_util::StreamExt;
use serde_json::json;

use crate::api::old::{Failure, OldCluster, Params, not_hers, ok, shown_user, streamed};
use crate::callers::Caller;
use crate::host_book::Urls;
use crate::lease_ops::{self, Trouble};
use crate::shared::Shared;

/// Which clusters are asked for.
#[derive(Debug, PartialEq)]
enum Which {
    /// None can match.
    Nothing,
    /// What the store picks, one list after the other, and of these what `Sieve` lets through.
    Some(Vec<Asked>, Sieve),
}

/// What the store picks by.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    host: Option<HostId>,
    phases: Vec<PhaseKind>,
    user: Option<UserId>,
    flavors: Vec<common::model::FlavorId>,
}

/// What the store cannot pick by, because only old clients know these words.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sieve {
    shown_user: Option<String>,
    status: Option<String>,
    health: Option<String>,
}

/// All clusters that match every filter and that the caller may see, streamed.
pub async fn clusters(
    request: HttpRequest,
    payload: web::Payload,
    caller: Caller,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Failure> {
    let params = Params::read(&request, payload).await?;
    let (asked, sieve) = match which(&params, &shared.catalog, &caller)? {
        Which::Nothing => return Ok(ok(json!([]))),
        Which::Some(asked, sieve) => (asked, sieve),
    };
    let filters: VecDeque<ClusterFilter> = asked.into_iter().map(Asked::filter).collect();
    let first = lease_ops::first_clusters(&shared.store, &filters)
        .await
        .map_err(|error| Failure::of(Trouble::from(error), "try again"))?;
    let pages = lease_ops::clusters(shared.store.clone(), filters, first);
    let shared = shared.into_inner();
    let mut begun = false;
    let written =
        pages.then(move |page| render(Arc::clone(&shared), caller.clone(), page, sieve.clone())).map(move |page| {
            page.map(|mut text| {
                if !text.is_empty() {
                    if begun {
                        text.insert(0, b',');
                    }
                    begun = true;
                }
                web::Bytes::from(text)
            })
        });
    // An empty chunk would end the body.
    let written = written.filter(|chunk| std::future::ready(!matches!(chunk, Ok(text) if text.is_empty())));
    Ok(streamed(written))
}

async fn render(
    shared: Arc<Shared>,
    caller: Caller,
    page: StoreResult<Vec<Cluster>>,
    sieve: Sieve,
) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    // The answer has begun, so all that is left is to break off: the client sees that it is not whole.
    let clusters = page.inspect_err(|error| tracing::warn!("a list of clusters broke off: {error}"))?;
    let urls = if caller.sees_daemons() {
        shared.hosts.urls_with(clusters.iter().map(|cluster| &cluster.host)).await
    } else {
        Urls::default()
    };
    let visible = clusters.iter().filter(|cluster| caller.may_see(cluster));
    Ok(write(visible, &shared.catalog, &urls, &sieve)?)
}

fn write<'a>(
    clusters: impl Iterator<Item = &'a Cluster>,
    catalog: &Catalog,
    urls: &Urls,
    sieve: &Sieve,
) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(16 * 1024);
    for cluster in clusters {
        let daemon_url = urls.get(&cluster.host).map_or("", String::as_str);
        let shown = OldCluster::of(cluster, catalog, daemon_url);
        let passes = sieve.shown_user.as_ref().is_none_or(|user| shown_user(cluster) == user.as_str())
            && sieve.status.as_ref().is_none_or(|status| shown.status() == status)
            && sieve.health.as_ref().is_none_or(|health| shown.health() == health);
        if !passes {
            continue;
        }
        if !text.is_empty() {
            text.push(b',');
        }
        serde_json::to_writer(&mut text, &shown)?;
    }
    Ok(text)
}

impl Asked {
    fn filter(self) -> ClusterFilter {
        ClusterFilter { host: self.host, phases: self.phases, user: self.user, flavors: self.flavors }
    }
}

fn which(params: &Params, catalog: &Catalog, caller: &Caller) -> Result<Which, Failure> {
    let (plugin, mode) = (params.filled("consensus_plugin")?, params.filled("consensus_mode")?);
    let size = params.filled("size")?;
    if size.as_ref().is_some_and(|size| size.parse::<u32>().is_err()) {
        return Err(Failure::refused("size must be a whole number"));
    }
    let flavors = if plugin.is_none() && mode.is_none() && size.is_none() {
        Vec::new()
    } else {
        let matching = catalog.matching(plugin.as_deref(), mode.as_deref(), size.and_then(|size| size.parse().ok()));
        if matching.is_empty() {
            return Ok(Which::Nothing);
        }
        matching
    };
    let host = match params.filled("host_id")? {
        None => None,
        Some(text) => match HostId::parse(&text) {
            Ok(host) => Some(host),
            Err(_) => return Ok(Which::Nothing),
        },
    };
    let owned = |text: Option<std::borrow::Cow<'_, str>>| text.map(|text| text.into_owned());
    let mut sieve =
        Sieve { shown_user: None, status: owned(params.filled("status")?), health: owned(params.filled("health")?) };
    let (mut phases, mut user) = (Vec::new(), None);
    match params.given("user_id")?.as_deref() {
        None => {
            if let Some(own) = caller.only_user() {
                // The free ones and her own, each picked by an index: not all there are, to leave most of them out.
                let free = Asked { host, phases: vec![PhaseKind::Free], user: None, flavors };
                let hers = Asked { phases: vec![PhaseKind::InUse], user: Some(own.clone()), ..free.clone() };
                return Ok(Which::Some(vec![free, hers], sieve));
            }
        }
        Some("") => phases = vec![PhaseKind::Free],
        Some("__SYSTEM__CREATING") => phases = vec![PhaseKind::Creating],
        Some(text) if text.starts_with("__SYSTEM__DELETING") => {
            phases = vec![PhaseKind::Releasing, PhaseKind::Removing, PhaseKind::Failed, PhaseKind::Lost];
            sieve.shown_user = Some(text.to_owned());
        }
        Some(text) => match UserId::parse(text) {
            Ok(holder) => {
                caller.user(Some(holder.clone())).map_err(not_hers)?;
                phases = vec![PhaseKind::InUse];
                user = Some(holder);
            }
            // Nobody can have such an id, so nobody holds a cluster under it.
            Err(_) => return Ok(Which::Nothing),
        },
    }
    Ok(Which::Some(vec![Asked { host, phases, user, flavors }], sieve))
}
