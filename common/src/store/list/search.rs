//! What somebody typed into a search box.

use super::plan::Field;
use super::span::Range;
use crate::model::InvalidText;

/// Characters of a search at most: as many as a user's id may have.
const LONGEST: usize = 128;

/// Digits of a slot in keys.
const SLOT_DIGITS: usize = 5;

/// What names, ids or users are to begin with, or hosts are to have in them. Not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    typed: String,
    lower: String,
}

impl Search {
    /// Takes a text without the space around it; `None` when nothing is left.
    pub fn parse(text: &str) -> Result<Option<Search>, InvalidText> {
        let typed = text.trim();
        if typed.chars().count() > LONGEST {
            return Err(InvalidText(format!("may have at most {LONGEST} characters")));
        }
        if typed.chars().any(char::is_control) {
            return Err(InvalidText("may not have control characters".into()));
        }
        Ok((!typed.is_empty()).then(|| Search { typed: typed.to_owned(), lower: typed.to_lowercase() }))
    }

    /// As it was typed.
    pub fn as_str(&self) -> &str {
        &self.typed
    }

    /// Whether a text begins with it, in either case.
    pub(super) fn begins(&self, text: &str) -> bool {
        text.to_lowercase().starts_with(&self.lower)
    }

    /// Whether a text has it in it, in either case.
    pub fn is_in(&self, text: &str) -> bool {
        text.to_lowercase().contains(&self.lower)
    }

    /// The keys of names that begin with it, where a name is a text of its own.
    pub(super) fn names(&self, field: Field) -> Vec<Range> {
        // Keys have a space after the name, names have none.
        if self.lower.contains(' ') { Vec::new() } else { vec![Range::beginning(field, &self.lower)] }
    }

    /// The keys of clusters' names that begin with it: `h1_5` stands for the slots 5, 50 to 59, 500 to 599 and so on of
    /// the host `h1`, and for all of a host whose name begins with `h1_5`. No two overlap.
    pub(super) fn slots(&self, field: Field) -> Vec<Range> {
        let mut ranges = self.names(field);
        let Some((host, slot)) = self.lower.rsplit_once('_').filter(|_| !ranges.is_empty()) else { return ranges };
        if slot.is_empty() {
            ranges.push(Range::beginning(field, &format!("{host} ")));
        }
        let Ok(first) = slot.parse::<u32>() else { return ranges };
        // "05" and "+5" begin no name.
        if first.to_string() != slot {
            return ranges;
        }
        let mut width = 1_u32;
        for _ in slot.len()..=SLOT_DIGITS {
            let (from, to) = (first * width, (first + 1) * width);
            let key = |slot: u32| format!("{host} {slot:0SLOT_DIGITS$}");
            let to = if to < 10_u32.pow(SLOT_DIGITS as u32) { key(to) } else { format!("{host}!") };
            ranges.push(Range { field, from: key(from), to });
            if first == 0 {
                break;
            }
            width *= 10;
        }
        ranges
    }

    /// The ids that begin with it.
    pub(super) fn ids(&self, field: Field) -> Option<Range> {
        let is_one = self.lower.len() <= 24 && self.lower.bytes().all(|b| b.is_ascii_hexdigit());
        is_one.then(|| Range::beginning(field, &self.lower))
    }

    /// The users whose ids begin with it, as it was typed or in lower case.
    pub(super) fn users(&self, field: Field) -> Vec<Range> {
        let mut ranges = vec![Range::beginning(field, &self.typed)];
        if self.lower != self.typed {
            ranges.push(Range::beginning(field, &self.lower));
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::name_key;
    use super::super::plan::CLUSTER_NAME;
    use super::*;

    fn search(text: &str) -> Search {
        Search::parse(text).unwrap().unwrap()
    }

    #[test]
    fn a_search_is_bounded_text() {
        assert_eq!(Search::parse(" \t ").unwrap(), None);
        assert_eq!(search(" H1 ").as_str(), "H1");
        assert!(Search::parse(&"x".repeat(129)).is_err());
        assert!(Search::parse("a\0b").is_err());
    }

    #[test]
    fn names_are_found_by_what_they_begin_with_in_either_case() {
        let slots = [0, 1, 5, 9, 10, 12, 50, 59, 60, 99, 500, 599, 5000, 9999, 10_000, 59_999, 65_535];
        for host in ["h1", "H1", "h1_5", "h12", "a-b"] {
            for text in [
                "h", "H1", "h1_", "h1_5", "h1_50", "h1_0", "h1_05", "h1_5_", "h1_5_1", "h1_65535", "h1_6", "_",
                "a-b_9", "h1 0",
            ] {
                for slot in slots {
                    let name = format!("{host}_{slot}");
                    let key = name_key(host, slot, "0123456789abcdef01234567");
                    let ranges = search(text).slots(CLUSTER_NAME);
                    let hits = ranges.iter().filter(|range| range.has(&key)).count();
                    let expected = usize::from(name.to_lowercase().starts_with(&text.to_lowercase()));
                    assert_eq!(hits, expected, "{text} and {name}: {ranges:?}");
                }
            }
        }
    }

    #[test]
    fn only_what_could_be_an_id_is_looked_for_among_ids() {
        let among = |text: &str| search(text).ids(CLUSTER_NAME).is_some();
        assert!(among("0aF") && among(&"a".repeat(24)));
        assert!(!among("host") && !among(&"a".repeat(25)));
    }
}
