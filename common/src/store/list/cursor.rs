//! Where a page of a list begins: opaque to whoever carries it, bounded, and good only for the order it was made in.

use std::fmt;

use crate::model::InvalidText;

/// An order that a list can be in: the word of URLs for it.
pub trait Sort: Copy + PartialEq + 'static {
    /// All of them, the usual one first.
    const ALL: &'static [Self];

    /// The word.
    fn as_str(self) -> &'static str;

    /// Takes one of the words.
    fn parse(text: &str) -> Result<Self, InvalidText> {
        Self::ALL.iter().copied().find(|sort| sort.as_str() == text).ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|sort| sort.as_str()).collect();
            InvalidText(format!("must be one of {}", all.join(", ")))
        })
    }
}

/// Which end comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The smallest or oldest.
    Ascending,
    /// The greatest or newest.
    Descending,
}

impl Direction {
    /// The word of URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::Ascending => "asc",
            Direction::Descending => "desc",
        }
    }

    /// Takes `asc` or `desc`.
    pub fn parse(text: &str) -> Result<Direction, InvalidText> {
        match text {
            "asc" => Ok(Direction::Ascending),
            "desc" => Ok(Direction::Descending),
            _ => Err(InvalidText("must be asc or desc".into())),
        }
    }

    /// The other one.
    pub fn turned(self) -> Direction {
        match self {
            Direction::Ascending => Direction::Descending,
            Direction::Descending => Direction::Ascending,
        }
    }
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct ListPage<S> {
    /// By what it is sorted.
    pub sort: S,
    /// Which way.
    pub direction: Direction,
    /// Where the page begins; `None`: at the beginning of the list.
    pub at: Option<Cursor>,
    /// At most so many items; at least 1.
    pub limit: u32,
}

impl<S: Sort> ListPage<S> {
    /// The first page.
    pub fn first(sort: S, direction: Direction, limit: u32) -> ListPage<S> {
        ListPage { sort, direction, at: None, limit }
    }
}

/// A place in a list, and which of its sides is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    sort: &'static str,
    direction: Direction,
    pub(super) side: Side,
    pub(super) place: Place,
}

/// A key in a list's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) key: String,
    /// Whether what has this key is meant too: it was the last that an empty page looked at.
    pub(crate) included: bool,
}

/// A side of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// What comes after it.
    After,
    /// What comes before it.
    Before,
}

/// The longest text of one: the longest key is a user's id of 128 characters with a time and an id.
const LONGEST: usize = 1400;

impl Cursor {
    pub(super) fn new<S: Sort>(page: &ListPage<S>, side: Side, place: Place) -> Cursor {
        Cursor { sort: page.sort.as_str(), direction: page.direction, side, place }
    }

    /// Takes the text of one that was made for this order; says what is wrong with any other.
    pub fn parse<S: Sort>(text: &str, sort: S, direction: Direction) -> Result<Cursor, InvalidText> {
        let bad = || InvalidText("is no place in a list: take it from next or previous of the page before".into());
        if text.len() > LONGEST {
            return Err(bad());
        }
        let mut parts = text.split('.');
        let (Some(of), Some(way), Some(side), Some(key), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(bad());
        };
        let of = S::parse(of).map_err(|_| bad())?;
        let way = Direction::parse(way).map_err(|_| bad())?;
        if of != sort || way != direction {
            return Err(InvalidText(format!(
                "is a place in the list sorted by {} {}, and this one is sorted by {} {}",
                of.as_str(),
                way.as_str(),
                sort.as_str(),
                direction.as_str()
            )));
        }
        let (side, included) = match side {
            "a" => (Side::After, false),
            "b" => (Side::Before, false),
            "from" => (Side::After, true),
            "to" => (Side::Before, true),
            _ => return Err(bad()),
        };
        let key = hex::decode(key).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(bad)?;
        if key.contains('\0') {
            return Err(bad());
        }
        Ok(Cursor { sort: sort.as_str(), direction, side, place: Place { key, included } })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match (self.side, self.place.included) {
            (Side::After, false) => "a",
            (Side::Before, false) => "b",
            (Side::After, true) => "from",
            (Side::Before, true) => "to",
        };
        write!(f, "{}.{}.{side}.{}", self.sort, self.direction.as_str(), hex::encode(&self.place.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ClusterSort;

    fn cursor(key: &str) -> Cursor {
        let page = ListPage::first(ClusterSort::Name, Direction::Ascending, 10);
        Cursor::new(&page, Side::After, Place { key: key.into(), included: key.len() % 2 == 1 })
    }

    #[test]
    fn a_place_survives_its_text() {
        for key in ["", "h1 00003 0123456789abcdef01234567", "größer\u{1}", &"\u{10ffff}".repeat(128)] {
            let text = cursor(key).to_string();
            assert_eq!(Cursor::parse(&text, ClusterSort::Name, Direction::Ascending), Ok(cursor(key)));
        }
    }

    #[test]
    fn a_place_of_another_order_is_refused_with_both_named() {
        let text = cursor("k").to_string();
        let other = Cursor::parse(&text, ClusterSort::Created, Direction::Descending).unwrap_err();
        assert!(other.0.contains("sorted by name asc") && other.0.contains("sorted by created desc"), "{other}");
        assert!(Cursor::parse(&text, ClusterSort::Name, Direction::Descending).is_err());
    }

    #[test]
    fn what_is_no_place_is_refused() {
        let long = format!("name.asc.a.{}", "61".repeat(LONGEST));
        let texts = [
            "",
            "a",
            "name",
            "name.asc.a",
            "name.asc.c.61",
            "name.asc.a.6",
            "name.asc.a.ff",
            "x.asc.a.61",
            "name.asc.a.00",
        ];
        for text in texts.into_iter().chain(["name.asc.a.61.61", &long]) {
            assert!(Cursor::parse(text, ClusterSort::Name, Direction::Ascending).is_err(), "{text}");
        }
    }
}
