//! Lists: what [`crate::store::list`] asks, answered by the indexes on the columns that begin with `list_`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::error::{json, sql};
use super::row::{self, ClusterRow};
use super::{SqliteStore, hosts, leases};
use crate::model::{Cluster, ClusterId, Failure, Host, HostId, LeaseId, LeaseRecord};
use crate::store::list::{
    Field, HostBrief, Lookup, Range, Shelf, Span, Stream, Term, Walk, Walked, clusters, look, pick_failures,
    pick_hosts, records,
};
use crate::store::{ClusterQuery, FailureQuery, Found, HostQuery, ListBounds, RecordQuery, StoreError, StoreResult};

impl SqliteStore {
    pub(super) async fn clusters_found(&self, query: &ClusterQuery) -> StoreResult<Found<Cluster>> {
        let page = look(self, &clusters(query), &query.page).await?;
        let one = |conn: &Connection, id: &str| match ClusterId::parse(id) {
            Ok(id) => row::by_id(conn, &id)?.map(ClusterRow::parse).transpose(),
            Err(error) => Err(StoreError::Broken(error.to_string())),
        };
        self.read(move |conn| by_ids(conn, page, one)).await
    }

    pub(super) async fn records_found(&self, query: &RecordQuery) -> StoreResult<Found<LeaseRecord>> {
        let page = look(self, &records(query), &query.page).await?;
        let one = |conn: &Connection, id: &str| match LeaseId::parse(id) {
            Ok(id) => leases::by_id(conn, &id),
            Err(error) => Err(StoreError::Broken(error.to_string())),
        };
        self.read(move |conn| by_ids(conn, page, one)).await
    }

    pub(super) async fn hosts_found(&self, query: &HostQuery) -> StoreResult<Found<Host>> {
        let query = query.clone();
        let one = |conn: &Connection, id: &str| match HostId::parse(id) {
            Ok(id) => hosts::by_id(conn, &id),
            Err(error) => Err(StoreError::Broken(error.to_string())),
        };
        self.read(move |conn| by_ids(conn, pick_hosts(&briefs(conn)?, &query), one)).await
    }

    pub(super) async fn failures_found(&self, query: &FailureQuery) -> StoreResult<Found<Failure>> {
        let query = query.clone();
        self.read(move |conn| Ok(pick_failures(failures(conn)?, &query))).await
    }
}

fn by_ids<T>(
    conn: &Connection,
    page: Found<String>,
    one: impl Fn(&Connection, &str) -> StoreResult<Option<T>>,
) -> StoreResult<Found<T>> {
    let mut found = BTreeMap::new();
    for id in page.ids() {
        if let Some(record) = one(conn, &id)? {
            found.insert(id, record);
        }
    }
    Ok(page.with(found))
}

fn texts(conn: &Connection, text: &str, params: Vec<Value>) -> StoreResult<Vec<String>> {
    conn.prepare_cached(text)
        .and_then(|mut list| list.query_map(params_from_iter(params), |row| row.get(0))?.collect())
        .map_err(sql)
}

fn briefs(conn: &Connection) -> StoreResult<Vec<HostBrief>> {
    let text = "SELECT json_object('id', id, 'name', name, 'address', body ->> '$.settings.address',
             'url', body ->> '$.settings.daemon_url', 'state', contact ->> '$.state.state',
             'schedulable', body -> '$.settings.schedulable', 'purpose', body ->> '$.purpose.purpose',
             'capacity', body ->> '$.settings.capacity', 'created_at', body ->> '$.created_at') FROM host";
    let rows = texts(conn, text, Vec::new())?;
    rows.iter().map(|row| serde_json::from_str(row).map_err(json("a host"))).collect()
}

/// Out of an index: the bodies, a hundred times as long, are not read.
fn failures(conn: &Connection) -> StoreResult<Vec<Failure>> {
    let rows = texts(conn, "SELECT summary FROM evidence INDEXED BY evidence_summary", Vec::new())?;
    rows.iter().map(|row| serde_json::from_str(row).map_err(json("evidence"))).collect()
}

fn table(shelf: Shelf) -> &'static str {
    match shelf {
        Shelf::Clusters => "cluster",
        Shelf::Records => "lease_record",
    }
}

/// A statement in the making.
#[derive(Default)]
struct Statement {
    text: String,
    params: Vec<Value>,
}

impl Statement {
    fn say(&mut self, text: &str) -> &mut Statement {
        self.text.push_str(text);
        self
    }

    fn value(&mut self, value: impl Into<Value>) -> &mut Statement {
        self.text.push('?');
        self.params.push(value.into());
        self
    }

    fn range(&mut self, range: &Range) -> &mut Statement {
        let column = range.field.column;
        self.say(column).say(" >= ").value(range.from.clone()).say(" AND ");
        self.say(column).say(" < ").value(range.to.clone())
    }

    fn term(&mut self, term: &Term) -> &mut Statement {
        match term {
            Term::Is(field, value) => self.say(field.column).say(" = ").value(value.clone()),
            Term::OneOf(field, values) => {
                // As one JSON value, so that the statement's text does not grow with the list.
                self.say(field.column).say(" IN (SELECT value FROM json_each(");
                self.value(serde_json::Value::from(values.clone()).to_string()).say("))")
            }
            Term::Within(ranges) => {
                self.say("(0");
                for range in ranges {
                    self.say(" OR ").range(range);
                }
                self.say(")")
            }
        }
    }

    fn terms(&mut self, terms: &[Term]) -> &mut Statement {
        self.say("1");
        for term in terms {
            self.say(" AND ").term(term);
        }
        self
    }

    /// The rows that match one term: a range at a time, each by its own index, and of each at most so many.
    fn rows(&mut self, shelf: Shelf, term: &Term, most: i64) -> &mut Statement {
        let ranges = match term {
            Term::Within(ranges) if !ranges.is_empty() => ranges.as_slice(),
            Term::Within(_) | Term::Is(..) | Term::OneOf(..) => {
                self.say("SELECT rowid FROM ").say(table(shelf)).say(" WHERE ").term(term);
                return self.say(" LIMIT ").value(most);
            }
        };
        for (n, range) in ranges.iter().enumerate() {
            self.say(if n == 0 { "" } else { " UNION " });
            self.say("SELECT * FROM (SELECT rowid FROM ").say(table(shelf)).say(" WHERE ").range(range);
            self.say(" LIMIT ").value(most).say(")");
        }
        self
    }

    /// The entries of a stream, in its order.
    fn stream(
        &mut self,
        shelf: Shelf,
        columns: &str,
        stream: &Stream,
        span: &Span,
        descending: bool,
    ) -> &mut Statement {
        let column = stream.field.column;
        self.say("SELECT ").say(columns).say(" FROM ").say(table(shelf)).say(" WHERE ");
        if let Some((field, value)) = &stream.of {
            self.say(field.column).say(" = ").value(value.clone()).say(" AND ");
        }
        self.say(column).say(if span.from_included { " >= " } else { " > " }).value(span.from.clone());
        self.say(" AND ").say(column).say(" < ").value(span.to.clone());
        self.say(" ORDER BY ").say(column).say(if descending { " DESC" } else { "" })
    }
}

fn columns(field: Field, terms: &[Term]) -> String {
    let mut columns = vec![field.column];
    for term in terms {
        match term {
            Term::Is(field, _) | Term::OneOf(field, _) => columns.push(field.column),
            Term::Within(ranges) => columns.extend(ranges.iter().map(|range| range.field.column)),
        }
    }
    columns.sort_unstable();
    columns.dedup();
    columns.join(", ")
}

#[async_trait]
impl Lookup for SqliteStore {
    fn bounds(&self) -> ListBounds {
        self.limits.lists
    }

    async fn count(&self, shelf: Shelf, term: &Term, most: u32) -> StoreResult<u32> {
        let mut statement = Statement::default();
        statement.say("SELECT count(*) FROM (").rows(shelf, term, most.into()).say(")");
        let Statement { text, params } = statement;
        self.read(move |conn| {
            conn.prepare_cached(&text)
                .and_then(|mut count| count.query_row(params_from_iter(params), |row| row.get(0)))
                .map_err(sql)
        })
        .await
    }

    async fn gather(&self, shelf: Shelf, narrow: &Term, terms: &[Term], sort: Field) -> StoreResult<Vec<String>> {
        let mut statement = Statement::default();
        statement.say("SELECT ").say(sort.column).say(" FROM ").say(table(shelf)).say(" WHERE rowid IN (");
        statement.rows(shelf, narrow, i64::MAX).say(") AND ").terms(terms);
        let Statement { text, params } = statement;
        self.read(move |conn| texts(conn, &text, params)).await
    }

    async fn walk(&self, shelf: Shelf, stream: &Stream, terms: &[Term], walk: &Walk<'_>) -> StoreResult<Walked> {
        let span = stream.beyond(walk.beyond, walk.descending);
        let (column, limit) = (stream.field.column, walk.limit);
        let mut find = Statement::default();
        find.say("SELECT ").say(column).say(" FROM (");
        find.stream(shelf, &columns(stream.field, terms), stream, &span, walk.descending);
        find.say(" LIMIT ").value(walk.look_at).say(") WHERE ").terms(terms).say(" LIMIT ").value(limit);
        let mut end = Statement::default();
        end.stream(shelf, column, stream, &span, walk.descending);
        end.say(" LIMIT 1 OFFSET ").value(walk.look_at.saturating_sub(1));
        self.read(move |conn| {
            let found = texts(conn, &find.text, find.params)?;
            if found.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
                return Ok(Walked { found, given_up_at: None });
            }
            let given_up_at = conn
                .prepare_cached(&end.text)
                .and_then(|mut last| last.query_row(params_from_iter(end.params), |row| row.get(0)).optional())
                .map_err(sql)?;
            Ok(Walked { found, given_up_at })
        })
        .await
    }
}
