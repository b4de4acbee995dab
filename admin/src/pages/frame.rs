//! What is around every list: heads to sort by, ways to the other pages, what it is filtered by, and how many there are.
//!
//! The address holds all of it, so a list can be kept, shared and reloaded.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use common::store::{Found, ListPage, Total};
use serde::Serialize;
use url::form_urlencoded;

use crate::input::Query;
use crate::operations::Natural;
use crate::problem::Problem;

/// An address with parameters.
#[derive(Clone, Debug)]
pub struct Address {
    path: &'static str,
    pairs: Vec<(&'static str, String)>,
}

impl Address {
    /// This path with those of the query's parameters that are named.
    pub fn of(path: &'static str, query: &Query, names: &[&'static str]) -> Address {
        let pairs = names.iter().filter_map(|name| Some((*name, query.get(name)?.to_owned()))).collect();
        Address { path, pairs }
    }

    /// With a parameter set.
    pub fn with(&self, name: &'static str, value: impl Into<String>) -> Address {
        let mut address = self.without(&[name]);
        address.pairs.push((name, value.into()));
        address
    }

    /// Without some parameters.
    pub fn without(&self, names: &[&str]) -> Address {
        let pairs = self.pairs.iter().filter(|(name, _)| !names.contains(name)).cloned().collect();
        Address { path: self.path, pairs }
    }

    /// As a link has it.
    pub fn link(&self) -> String {
        if self.pairs.is_empty() {
            return self.path.to_owned();
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.pairs).finish();
        format!("{}?{query}", self.path)
    }
}

/// The head of a column.
#[derive(Debug, Serialize)]
pub struct Head {
    label: &'static str,
    /// Sorts by it, the other way if it is sorted by it already; none where it cannot be.
    url: String,
    /// `asc` or `desc` while it is sorted by this.
    dir: &'static str,
    num: bool,
}

impl Head {
    /// Of a column that cannot be sorted by.
    pub fn plain(label: &'static str) -> Head {
        Head { label, url: String::new(), dir: "", num: false }
    }

    /// Of a column of numbers.
    pub fn of_numbers(self) -> Head {
        Head { num: true, ..self }
    }

    /// Of a column that can be.
    pub fn sorts<S: Natural>(label: &'static str, by: S, page: &ListPage<S>, address: &Address) -> Head {
        let here = by == page.sort;
        let next = if here { page.direction.turned() } else { by.natural() };
        let url = address.without(&["after"]).with("sort", by.as_str()).with("dir", next.as_str()).link();
        Head { label, url, dir: if here { page.direction.as_str() } else { "" }, num: false }
    }
}

/// The ways to the other pages, and what is on this one.
#[derive(Debug, Serialize)]
pub struct Pager {
    text: String,
    first: String,
    previous: String,
    next: String,
    sizes: Vec<Size>,
}

/// A number of items that a page can have.
#[derive(Debug, Serialize)]
pub struct Size {
    n: u32,
    url: String,
    here: bool,
}

/// The numbers to choose from.
const SIZES: [u32; 4] = [25, 50, 100, 200];

impl Pager {
    /// Of a page of a list of such things.
    pub fn of<T, S: Natural>(found: &Found<T>, page: &ListPage<S>, address: &Address, one: &str, many: &str) -> Pager {
        Pager::named("after", found, page, address, one, many)
    }

    /// The same for a list whose place has another name in the address than `after`.
    pub fn named<T, S: Natural>(
        place: &'static str,
        found: &Found<T>,
        page: &ListPage<S>,
        address: &Address,
        one: &str,
        many: &str,
    ) -> Pager {
        let address = address.without(&[place]);
        let link = |cursor: &Option<common::store::Cursor>| {
            cursor.as_ref().map(|cursor| address.with(place, cursor.to_string()).link()).unwrap_or_default()
        };
        let size = |n| Size { n, url: address.with("limit", n.to_string()).link(), here: n == page.limit };
        let parts = found.previous.is_some() || found.next.is_some();
        Pager {
            text: text(found, parts, one, many),
            first: if page.at.is_some() { address.link() } else { String::new() },
            previous: link(&found.previous),
            next: link(&found.next),
            sizes: SIZES.into_iter().map(size).collect(),
        }
    }
}

fn text<T>(found: &Found<T>, parts: bool, one: &str, many: &str) -> String {
    let shown = u64::try_from(found.items.len()).unwrap_or(u64::MAX);
    let things = |n: u64| if n == 1 { one.to_owned() } else { many.to_owned() };
    match found.total {
        Total::Exactly(total) if parts => {
            format!("{} of {} {}", number(shown), number(total), things(total))
        }
        Total::Unknown if found.next.is_some() && found.items.is_empty() => {
            format!("No {} among those looked through so far; there are more to look through", one)
        }
        Total::Unknown if found.next.is_some() => {
            format!("{} {} on this page, and there may be more", number(shown), things(shown))
        }
        Total::Unknown if parts => format!("{} {} on this last page", number(shown), things(shown)),
        Total::Exactly(_) | Total::Unknown => format!("{} {}", number(shown), things(shown)),
    }
}

/// `99,812`.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let parts: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|part| std::str::from_utf8(part).unwrap_or_default()).collect();
    parts.join(",")
}

/// A choice of a filter.
#[derive(Debug, Serialize)]
pub struct Choice {
    value: String,
    label: String,
    here: bool,
}

impl Choice {
    /// One of a filter's choices; `chosen` is what the address has.
    pub fn of(value: impl Into<String>, label: impl Into<String>, chosen: Option<&str>) -> Choice {
        let value = value.into();
        Choice { here: chosen == Some(value.as_str()), value, label: label.into() }
    }
}

/// Whether a list that shows nothing may have something without its filters.
pub fn is_filtered(query: &Query, filters: &[&str]) -> bool {
    filters.iter().any(|name| query.get(name).is_some())
}

/// Why a list is not shown: what it was asked for cannot be read. Its page comes back with that.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Wrong {
    any: bool,
    /// What is wrong at fields of the page; goes on after the field's label.
    at: BTreeMap<String, String>,
    /// What is wrong with the rest of the address, in sentences.
    other: Vec<String>,
}

impl Wrong {
    /// What its page is answered with.
    pub const STATUS: StatusCode = StatusCode::BAD_REQUEST;

    /// Of a problem with what was asked for; any other is given back. `fields` are those that the page has.
    pub fn of(problem: Problem, fields: &[&str]) -> Result<Wrong, Problem> {
        if problem.faults.is_empty() {
            return Err(problem);
        }
        let mut wrong = Wrong { any: true, ..Wrong::default() };
        for fault in problem.faults {
            if fields.contains(&fault.field.as_str()) {
                wrong.at.entry(fault.field).or_insert(fault.reason);
            } else {
                wrong.other.push(format!("{} in the address {}.", fault.field, fault.reason));
            }
        }
        Ok(wrong)
    }

    /// With the words that were typed, for a field that cannot show them.
    pub fn typed(mut self, field: &str, typed: Option<&str>) -> Wrong {
        if let (Some(reason), Some(typed)) = (self.at.get_mut(field), typed) {
            reason.push_str(&format!(", not “{typed}”"));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::Refusal;

    #[test]
    fn numbers_are_told_in_thousands() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (99_812, "99,812"), (1_000_000, "1,000,000")] {
            assert_eq!(number(n), text);
        }
    }

    #[test]
    fn what_was_refused_is_told_at_its_field_or_named() {
        let problem = |field: &str| Problem::from(Refusal::field(field, "must be 1"));
        let wrong = Wrong::of(problem("user"), &["user"]).unwrap().typed("user", Some("two"));
        assert_eq!((wrong.at["user"].as_str(), wrong.other.is_empty()), ("must be 1, not “two”", true));
        let wrong = Wrong::of(problem("sort"), &["user"]).unwrap().typed("user", Some("two"));
        assert_eq!(
            (wrong.at.is_empty(), wrong.other.as_slice()),
            (true, &["sort in the address must be 1.".into()][..])
        );
        let away: Problem = Refusal::Away("mongo".into()).into();
        assert_eq!(Wrong::of(away.clone(), &["user"]), Err(away), "the list may be right: nobody looked");
    }

    #[test]
    fn an_address_keeps_what_it_is_not_told_to_change() {
        let query = Query::parse("q=%3Cb%3E&user=a+b&after=x&evil=1");
        let address = Address::of("/clusters", &query, &["q", "user", "after"]);
        assert_eq!(address.link(), "/clusters?q=%3Cb%3E&user=a+b&after=x");
        assert_eq!(address.with("user", "c").without(&["after"]).link(), "/clusters?q=%3Cb%3E&user=c");
        assert_eq!(address.without(&["q", "user", "after"]).link(), "/clusters");
    }
}
