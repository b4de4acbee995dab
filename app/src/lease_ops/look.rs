//! Lists clusters page by page, so that a list of any length takes the memory of one page.

use std::collections::VecDeque;

use common::model::Cluster;
use common::store::{ClusterFilter, Page, SharedStore, StoreResult};
use futures_util::stream::{self, Stream};

/// One page is some 200 KiB of JSON: enough to keep a connection busy while the next is read.
const PAGE: u32 = 200;

/// The first page, on its own so that a store that is away is known before an answer begins.
pub async fn first_clusters(store: &SharedStore, filters: &VecDeque<ClusterFilter>) -> StoreResult<Vec<Cluster>> {
    match filters.front() {
        Some(filter) => store.list_clusters(filter, &Page::first(PAGE)).await,
        None => Ok(Vec::new()),
    }
}

/// All pages of one list after the other, given the first.
pub fn clusters(
    store: SharedStore,
    filters: VecDeque<ClusterFilter>,
    first: Vec<Cluster>,
) -> impl Stream<Item = StoreResult<Vec<Cluster>>> {
    let next = after(&first);
    let rest = stream::try_unfold((store, filters, next), |(store, mut filters, mut next)| async move {
        loop {
            let page = match next.take() {
                Some(page) => page,
                None => {
                    filters.pop_front();
                    Page::first(PAGE)
                }
            };
            let Some(filter) = filters.front() else { return Ok(None) };
            let clusters = store.list_clusters(filter, &page).await?;
            next = after(&clusters);
            if !clusters.is_empty() {
                return Ok(Some((clusters, (store, filters, next))));
            }
        }
    });
    futures_util::StreamExt::chain(stream::once(async move { Ok(first) }), rest)
}

fn after(clusters: &[Cluster]) -> Option<Page> {
    let last = clusters.last().filter(|_| clusters.len() >= PAGE as usize)?;
    Some(Page { after: Some(last.id.to_string()), limit: PAGE })
}
