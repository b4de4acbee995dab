//! Lists as people look at them: searched, filtered, sorted, a page at a time, whatever there is.
//!
//! Every record has one text key for each order it can be listed in, which ends with its id and so is unique; a place in a
//! list is such a key. [`plan`] says how a list is read, [`look`] reads it by the three questions of [`Lookup`], each of which
//! an index answers and none of which looks at more than some thousand entries. Hosts and failures are few enough to be
//! picked from all of them ([`pick`]).

mod cursor;
mod key;
mod look;
mod pick;
mod plan;
mod request;
mod search;
mod span;

pub use self::cursor::{Cursor, Direction, ListPage, Sort};
pub use self::look::ListBounds;
pub use self::request::{
    ClusterQuery, ClusterSort, FailureQuery, FailureSort, Found, HealthKind, HostQuery, HostSort, HostStateKind,
    RecordQuery, RecordSort, Total,
};
pub use self::search::Search;

pub(super) use self::key::{ClusterKeys, RecordKeys, changed};
pub(super) use self::look::{Lookup, Walk, Walked, look};
pub(super) use self::pick::{HostBrief, pick_failures, pick_hosts};
pub(super) use self::plan::{Field, Shelf, Term, clusters, records};
pub(super) use self::span::{Range, Span, Stream};
