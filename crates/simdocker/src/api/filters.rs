//! The `filters` parameter: names to values, in either of the two forms that Docker takes.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use super::Call;
use crate::error::{ApiError, ApiResult};

/// What a list is narrowed by. All names must hold; of one name's values any, but of labels all.
#[derive(Debug, Default)]
pub(crate) struct Filters(BTreeMap<String, Vec<String>>);

impl Filters {
    /// Reads them; a name that is not among `allowed` is refused.
    pub(crate) fn of(call: &Call, allowed: &[&str]) -> ApiResult<Self> {
        let Some(text) = call.text("filters") else { return Ok(Self::default()) };
        let wrong = || {
            let first = text.trim_start().chars().next().unwrap_or(' ');
            ApiError::broken(format!("invalid character '{first}' looking for beginning of value"))
        };
        let Ok(Value::Object(map)) = serde_json::from_str(text) else { return Err(wrong()) };
        let mut filters = BTreeMap::new();
        for (name, values) in map {
            let values: Vec<String> = match values {
                Value::Array(list) => list.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect(),
                Value::Object(set) => set.into_iter().filter(|(_, v)| v != false).map(|(key, _)| key).collect(),
                _ => return Err(wrong()),
            };
            if !allowed.contains(&name.as_str()) {
                return Err(ApiError::bad(format!("Invalid filter '{name}'")));
            }
            if !values.is_empty() {
                filters.insert(name, values);
            }
        }
        Ok(Self(filters))
    }

    /// The values of a name; empty: not asked for.
    pub(crate) fn values(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether one of the values holds, or none was asked for.
    pub(crate) fn any(&self, name: &str, holds: impl Fn(&str) -> bool) -> bool {
        let values = self.values(name);
        values.is_empty() || values.iter().any(|value| holds(value))
    }

    /// Whether a text matches: as a regular expression anywhere in it, as Docker does.
    pub(crate) fn text(&self, name: &str, candidates: &[&str]) -> bool {
        self.any(name, |value| match Regex::new(value) {
            Ok(pattern) => candidates.iter().any(|text| pattern.is_match(text)),
            Err(_) => candidates.contains(&value),
        })
    }

    /// Whether all labels that were asked for are there: `name` or `name=value`.
    pub(crate) fn labels<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.values("label").iter().all(|wanted| match wanted.split_once('=') {
            Some((name, value)) => label(name) == Some(value),
            None => label(wanted).is_some(),
        })
    }
}
