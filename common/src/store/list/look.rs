//! Reads a page of a list as its plan says.
//!
//! First the filters that an index answers are counted, each up to a bound. If one leaves few, these are gathered and
//! sorted, and their number is known. Else the list is walked in its order, past what does not match. Both are bounded: a
//! page that is not full when the walk has gone far enough ends there, with a place to go on from.

use async_trait::async_trait;
use futures_util::future::{try_join, try_join_all};

use super::cursor::{Place, Side};
use super::plan::{Field, Plan, Shelf, Term};
use super::span::Stream;
use super::{Cursor, Found, ListPage, Sort, Total};
use crate::store::StoreResult;

/// How much a page of a list may look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListBounds {
    /// Gathered at most.
    pub gathered: u32,
    /// Walked past at most.
    pub walked: u32,
}

impl Default for ListBounds {
    /// Sorting two thousand costs a few milliseconds on either store, and a host, which may have a thousand clusters, is
    /// always gathered. What is walked past matches no filter that leaves fewer, so of a hundred thousand one in fifty
    /// matches: a page of fifty is full after half of five thousand, as long as what matches is not all at the other end.
    fn default() -> ListBounds {
        ListBounds { gathered: 2_000, walked: 5_000 }
    }
}

/// Looked at first by who walks, in pages.
const FIRST_PAGES: u32 = 4;

/// What a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Walked {
    /// What matches, as it stands in the index, in the order of reading.
    pub(crate) found: Vec<String>,
    /// The last that was looked at, if the walk ended before its stream and before it had found enough.
    pub(crate) given_up_at: Option<String>,
}

/// The questions that a store answers, each by one index.
#[async_trait]
pub(crate) trait Lookup: Sync {
    /// How much it may look at.
    fn bounds(&self) -> ListBounds;

    /// How many match one condition, at most `most`.
    async fn count(&self, shelf: Shelf, term: &Term, most: u32) -> StoreResult<u32>;

    /// The keys in `sort` of all that match `narrow` and `terms`.
    async fn gather(&self, shelf: Shelf, narrow: &Term, terms: &[Term], sort: Field) -> StoreResult<Vec<String>>;

    /// What matches among the next `look_at` entries of a stream beyond a key, at most `limit`.
    async fn walk(&self, shelf: Shelf, stream: &Stream, terms: &[Term], walk: &Walk<'_>) -> StoreResult<Walked>;
}

/// How a stream is walked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk<'a> {
    pub(crate) beyond: Option<&'a Place>,
    pub(crate) descending: bool,
    pub(crate) look_at: u32,
    pub(crate) limit: u32,
}

/// Keys in the order of reading: a page and one more if there is one.
#[derive(Debug, Default)]
struct Read {
    keys: Vec<String>,
    /// Where a walk was given up, if that is before the page was full.
    given_up_at: Option<String>,
    total: Option<u64>,
}

/// The keys of a page.
pub(crate) async fn look<S: Sort + Send + Sync>(
    store: &impl Lookup,
    plan: &Plan,
    page: &ListPage<S>,
) -> StoreResult<Found<String>> {
    let read = read(store, plan, page.at.as_ref().map(|at| &at.place), page.limit + 1).await?;
    Ok(found(read, page))
}

async fn read(store: &impl Lookup, plan: &Plan, beyond: Option<&Place>, limit: u32) -> StoreResult<Read> {
    let gathered = store.bounds().gathered;
    let count = |term| store.count(plan.shelf, term, gathered + 1);
    let counts = try_join_all(plan.narrow.iter().map(count)).await?;
    let least =
        counts.iter().zip(&plan.narrow).min_by_key(|(count, _)| **count).filter(|(count, _)| **count <= gathered);
    if let Some((_, narrow)) = least {
        let all = store.gather(plan.shelf, narrow, &plan.terms, plan.sort).await?;
        return Ok(sorted(all, plan.descending, beyond, limit));
    }
    if let Some(by_name) = &plan.by_name
        && store.count(plan.shelf, &by_name.others, gathered + 1).await? <= gathered
    {
        let gather = store.gather(plan.shelf, &by_name.others, &by_name.terms, plan.sort);
        let walk = walk(store, plan, &by_name.streams, &by_name.terms, beyond, limit);
        let (others, walked) = try_join(gather, walk).await?;
        let others = sorted(others, plan.descending, beyond, limit);
        return Ok(merged(plan.descending, limit, walked.into_iter().chain([(others.keys, None)])));
    }
    let walked = walk(store, plan, &plan.streams, &plan.terms, beyond, limit).await?;
    Ok(merged(plan.descending, limit, walked))
}

type Keys = (Vec<String>, Option<String>);

async fn walk(
    store: &impl Lookup,
    plan: &Plan,
    streams: &[Stream],
    terms: &[Term],
    beyond: Option<&Place>,
    limit: u32,
) -> StoreResult<Vec<Keys>> {
    let look_at = (store.bounds().walked / u32::try_from(streams.len().max(1)).unwrap_or(1)).max(1);
    let walk = Walk { beyond, descending: plan.descending, look_at, limit };
    let walked = try_join_all(streams.iter().map(|stream| in_steps(store, plan.shelf, stream, terms, &walk))).await?;
    let keys = |(stream, walked): (&Stream, Walked)| {
        let key = |found: &String| stream.key_of(found).to_owned();
        (walked.found.iter().map(key).collect(), walked.given_up_at.as_ref().map(key))
    };
    Ok(streams.iter().zip(walked).map(keys).collect())
}

/// Walks a stream: first a few pages' worth, which is mostly enough, then the rest. A server that is asked for all at once
/// reads all at once, though the page be full after the first hundred.
async fn in_steps(
    store: &impl Lookup,
    shelf: Shelf,
    stream: &Stream,
    terms: &[Term],
    walk: &Walk<'_>,
) -> StoreResult<Walked> {
    let first = Walk { look_at: walk.look_at.min(walk.limit.saturating_mul(FIRST_PAGES)), ..*walk };
    let Walked { mut found, given_up_at } = store.walk(shelf, stream, terms, &first).await?;
    let rest = walk.look_at - first.look_at;
    let Some(place) = given_up_at.as_ref().filter(|_| rest > 0) else { return Ok(Walked { found, given_up_at }) };
    let beyond = Place { key: stream.key_of(place).to_owned(), included: false };
    let limit = walk.limit - u32::try_from(found.len()).unwrap_or(walk.limit);
    let rest = Walk { beyond: Some(&beyond), look_at: rest, limit, descending: walk.descending };
    let then = store.walk(shelf, stream, terms, &rest).await?;
    found.extend(then.found);
    Ok(Walked { found, given_up_at: then.given_up_at })
}

/// The page of all that was gathered.
fn sorted(mut all: Vec<String>, descending: bool, beyond: Option<&Place>, limit: u32) -> Read {
    let total = u64::try_from(all.len()).ok();
    if let Some(Place { key, included }) = beyond {
        all.retain(|one| if one == key { *included } else { (one < key) == descending });
    }
    in_order(&mut all, descending);
    all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Read { keys: all, given_up_at: None, total }
}

fn in_order(keys: &mut Vec<String>, descending: bool) {
    keys.sort_unstable();
    keys.dedup();
    if descending {
        keys.reverse();
    }
}

/// One page out of several walks. Beyond the place where the first of them gave up, nothing is known.
fn merged(descending: bool, limit: u32, walks: impl IntoIterator<Item = Keys>) -> Read {
    let (mut keys, mut given_up_at) = (Vec::new(), None::<String>);
    for (found, ended) in walks {
        keys.extend(found);
        given_up_at = match (given_up_at, ended) {
            (Some(one), Some(other)) => Some(if descending { one.max(other) } else { one.min(other) }),
            (one, other) => one.or(other),
        };
    }
    if let Some(end) = &given_up_at {
        keys.retain(|key| if descending { key >= end } else { key <= end });
    }
    in_order(&mut keys, descending);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    keys.truncate(limit);
    Read { given_up_at: given_up_at.filter(|_| keys.len() < limit), keys, total: None }
}

/// The page with the places on both its sides.
fn found<S: Sort>(read: Read, page: &ListPage<S>) -> Found<String> {
    let shown = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let mut keys = read.keys;
    let full = keys.len() > shown;
    keys.truncate(shown);
    let end = if full { keys.last().cloned() } else { read.given_up_at };
    let place = |side, place: Option<Place>| place.map(|place| Cursor::new(page, side, place));
    let beside = |key: String| Place { key, included: false };
    // Of an empty page: all that was passed on the way to it.
    let back = |at: &Cursor| match keys.first() {
        Some(first) => beside(first.clone()),
        None => Place { included: !at.place.included, ..at.place.clone() },
    };
    let back = page.at.as_ref().map(back);
    let (end, total) = (end.map(beside), read.total.map_or(Total::Unknown, Total::Exactly));
    match page.at.as_ref().map(|at| at.side) {
        Some(Side::Before) => {
            keys.reverse();
            Found { previous: place(Side::Before, end), next: place(Side::After, back), items: keys, total }
        }
        Some(Side::After) | None => {
            Found { previous: place(Side::Before, back), next: place(Side::After, end), items: keys, total }
        }
    }
}

/// The page of all that there is.
pub(super) fn page_of_all<S: Sort>(all: Vec<String>, page: &ListPage<S>, descending: bool) -> Found<String> {
    let beyond = page.at.as_ref().map(|at| &at.place);
    found(sorted(all, descending, beyond, page.limit.saturating_add(1)), page)
}
