//! Parts of an index: what lies between two texts.

use super::cursor::Place;
use super::plan::Field;

/// Greater than any character that a key has: no text is in it.
const LAST: char = '\u{10ffff}';

/// From a text on, up to but without another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) field: Field,
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Range {
    /// Everything that begins with a text.
    pub(super) fn beginning(field: Field, with: &str) -> Range {
        Range { field, from: with.to_owned(), to: format!("{with}{LAST}") }
    }

    /// Whether a text is in it.
    #[cfg(test)]
    pub(super) fn has(&self, text: &str) -> bool {
        *self.from <= *text && *text < *self.to
    }
}

/// A part of an index, to be read in its order. Keys are what follows `prefix` there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stream {
    /// What the index has before the key, and its one value here.
    pub(crate) of: Option<(Field, String)>,
    /// Where the keys are.
    pub(crate) field: Field,
    /// What all of them begin with.
    pub(crate) prefix: String,
    /// Only these of them.
    pub(crate) only: Option<Range>,
}

/// Where a reading of a [`Stream`] begins and ends: the lower end belongs to it if it says so, the upper one never does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: String,
    pub(crate) from_included: bool,
    pub(crate) to: String,
}

impl Stream {
    /// The whole index on a field.
    pub(super) fn whole(field: Field) -> Stream {
        Stream { of: None, field, prefix: String::new(), only: None }
    }

    /// What is left of it beyond a key, in the order of reading.
    pub(crate) fn beyond(&self, place: Option<&Place>, descending: bool) -> Span {
        let all = Range::beginning(self.field, &self.prefix);
        let mut span = match &self.only {
            Some(only) => Span { from: only.from.clone(), from_included: true, to: only.to.clone() },
            None => Span { from: all.from, from_included: true, to: all.to },
        };
        if let Some(Place { key, included }) = place {
            let place = format!("{}{key}", self.prefix);
            if descending {
                // No key begins with another one.
                span.to = span.to.min(if *included { format!("{place}\u{1}") } else { place });
            } else if place >= span.from {
                (span.from, span.from_included) = (place, *included);
            }
        }
        span
    }

    /// The key that stands in the index.
    pub(crate) fn key_of<'a>(&self, found: &'a str) -> &'a str {
        found.strip_prefix(self.prefix.as_str()).unwrap_or(found)
    }
}
