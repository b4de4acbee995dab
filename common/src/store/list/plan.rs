//! How a list of clusters or lease records is read: decided from the question alone.
//!
//! There is an index for each order and one for each filter that leaves few, not one for each pair of them. A list whose
//! filter leaves few is gathered by that filter and sorted; any other is walked in its order past what does not match, which
//! is not for long, because much matches. [`super::look`] finds out which it is.

use super::key::AFTER_USER;
use super::request::{ClusterQuery, ClusterSort, RecordQuery, RecordSort};
use super::span::{Range, Stream};
use super::{Direction, ListPage, Search, Sort};
use crate::model::PhaseKind;

/// What of a record is asked for: its column in SQLite and its path in MongoDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) column: &'static str,
    pub(crate) path: &'static str,
}

const fn field(column: &'static str, path: &'static str) -> Field {
    Field { column, path }
}

pub(super) const CLUSTER_NAME: Field = field("list_name", "list.name");
const CREATED: Field = field("list_created", "list.created");
const CLUSTER_FLAVOR: Field = field("list_flavor", "list.flavor");
const CHANGED: Field = field("list_changed", "list.changed");
const ID: Field = field("id", "_id");
const PHASE: Field = field("phase", "phase.phase");
const HOST: Field = field("host", "host");
const USER: Field = field("user", "phase.lease.user");
const HEALTH: Field = field("health", "health.health");

const ENDED: Field = field("list_ended", "list.ended");
const APPLIED: Field = field("list_applied", "list.applied");
const HELD: Field = field("list_held", "list.held");
const RECORD_NAME: Field = field("list_name", "list.name");
const RECORD_USER: Field = field("list_user", "list.user");
const RECORD_HOST: Field = field("list_host", "list.host");
const RECORD_FLAVOR: Field = field("list_flavor", "list.flavor");

/// Where records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shelf {
    Clusters,
    Records,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    /// It is this.
    Is(Field, String),
    /// It is one of these.
    OneOf(Field, Vec<String>),
    /// It lies in one of these, or another field does.
    Within(Vec<Range>),
}

/// How a list is read.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(super) shelf: Shelf,
    /// All conditions.
    pub(super) terms: Vec<Term>,
    /// Those by which an index finds what matches, alone.
    pub(super) narrow: Vec<Term>,
    /// Where the keys of this order are.
    pub(super) sort: Field,
    /// Parts of indexes that together have everything that may match, each in this order.
    pub(super) streams: Vec<Stream>,
    /// Another way to the same, for a search that finds many names in a list that is sorted by name.
    pub(super) by_name: Option<ByName>,
    pub(super) descending: bool,
}

/// The names that a search finds are parts of the name's own index; what it finds by other fields is put between them.
#[derive(Debug)]
pub(super) struct ByName {
    pub(super) streams: Vec<Stream>,
    pub(super) others: Term,
    /// The conditions without the search.
    pub(super) terms: Vec<Term>,
}

/// More phases than this are no narrow choice: they are not counted first.
const FEW_PHASES: usize = 3;

pub(super) fn descending<S: Sort>(page: &ListPage<S>) -> bool {
    let turned = page.at.as_ref().is_some_and(|at| at.side == super::cursor::Side::Before);
    (page.direction == Direction::Descending) != turned
}

/// How clusters are listed.
pub(crate) fn clusters(query: &ClusterQuery) -> Plan {
    let phases: Vec<String> = query.phases.iter().map(|phase| phase.as_str().to_owned()).collect();
    let flavor = query.flavor.as_ref().map(|flavor| format!("{flavor} "));
    let (mut terms, mut narrow) = (Vec::new(), Vec::new());
    let mut both = |term: Term| {
        narrow.push(term.clone());
        terms.push(term);
    };
    both_if(query.host.as_ref().map(|host| Term::Is(HOST, host.to_string())), &mut both);
    both_if(query.user.as_ref().map(|user| Term::Is(USER, user.to_string())), &mut both);
    both_if(query.health.map(|health| Term::Is(HEALTH, health.as_str().into())), &mut both);
    both_if(flavor.as_ref().map(|flavor| Term::Within(vec![Range::beginning(CLUSTER_FLAVOR, flavor)])), &mut both);
    let by_phase = Term::OneOf(PHASE, phases.clone());
    match phases.len() {
        0 => {}
        1..=FEW_PHASES => both(by_phase),
        _ => terms.push(by_phase),
    }
    let by_name = query.search.as_ref().map(|search| {
        let others = Term::Within(others(search));
        let streams: Vec<Stream> = search
            .slots(CLUSTER_NAME)
            .into_iter()
            .map(|range| Stream { only: Some(range), ..Stream::whole(CLUSTER_NAME) })
            .collect();
        let by_name = ByName { streams, others, terms: terms.clone() };
        let found = Term::Within(search.slots(CLUSTER_NAME).into_iter().chain(others_of(&by_name)).collect());
        narrow.push(found.clone());
        terms.push(found);
        by_name
    });
    let sort = match query.page.sort {
        ClusterSort::Name => CLUSTER_NAME,
        ClusterSort::Created => CREATED,
        ClusterSort::Flavor => CLUSTER_FLAVOR,
        ClusterSort::Changed => CHANGED,
    };
    let streams = match (query.page.sort, &flavor) {
        (ClusterSort::Created, Some(flavor)) => {
            vec![Stream { prefix: flavor.clone(), ..Stream::whole(CLUSTER_FLAVOR) }]
        }
        (ClusterSort::Flavor, Some(flavor)) => {
            let only = Some(Range::beginning(CLUSTER_FLAVOR, flavor));
            vec![Stream { only, ..Stream::whole(CLUSTER_FLAVOR) }]
        }
        (ClusterSort::Changed, _) => {
            let all = || PhaseKind::ALL.iter().map(|phase| phase.as_str().to_owned()).collect();
            let phases: Vec<String> = if phases.is_empty() { all() } else { phases };
            phases.into_iter().map(|phase| Stream { of: Some((PHASE, phase)), ..Stream::whole(CHANGED) }).collect()
        }
        (ClusterSort::Name | ClusterSort::Created | ClusterSort::Flavor, _) => vec![Stream::whole(sort)],
    };
    Plan {
        shelf: Shelf::Clusters,
        terms,
        narrow,
        sort,
        streams,
        by_name: by_name.filter(|_| query.page.sort == ClusterSort::Name),
        descending: descending(&query.page),
    }
}

fn both_if(term: Option<Term>, both: &mut impl FnMut(Term)) {
    if let Some(term) = term {
        both(term);
    }
}

/// What of a cluster may begin with a search beside its name.
fn others(search: &Search) -> Vec<Range> {
    search.ids(ID).into_iter().chain(search.users(USER)).collect()
}

fn others_of(by_name: &ByName) -> Vec<Range> {
    match &by_name.others {
        Term::Within(ranges) => ranges.clone(),
        Term::Is(..) | Term::OneOf(..) => Vec::new(),
    }
}

/// How lease records are listed.
pub(crate) fn records(query: &RecordQuery) -> Plan {
    let user = query.user.as_ref().map(|user| (RECORD_USER, format!("{user}{AFTER_USER}")));
    let host = query.host.as_ref().map(|host| (RECORD_HOST, format!("{host} ")));
    let flavor = query.flavor.as_ref().map(|flavor| (RECORD_FLAVOR, format!("{flavor} ")));
    let filters: Vec<(Field, String)> = [user, host, flavor].into_iter().flatten().collect();
    let mut terms: Vec<Term> =
        filters.iter().map(|(field, prefix)| Term::Within(vec![Range::beginning(*field, prefix)])).collect();
    if let Some(search) = &query.search {
        terms.push(Term::Within(search.names(RECORD_NAME).into_iter().chain(search.users(RECORD_USER)).collect()));
    }
    let sort = match query.page.sort {
        RecordSort::Ended => ENDED,
        RecordSort::Applied => APPLIED,
        RecordSort::Held => HELD,
    };
    let stream = match (query.page.sort, filters.into_iter().next()) {
        // Under each filter they stand by their end.
        (RecordSort::Ended, Some((field, prefix))) => Stream { prefix, ..Stream::whole(field) },
        (RecordSort::Ended | RecordSort::Applied | RecordSort::Held, _) => Stream::whole(sort),
    };
    Plan {
        shelf: Shelf::Records,
        narrow: terms.clone(),
        terms,
        sort,
        streams: vec![stream],
        by_name: None,
        descending: descending(&query.page),
    }
}
