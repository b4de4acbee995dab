//! Texts to values; what is refused says what is allowed.

use std::fmt::Display;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// `True` and `False` as the seed writes them, and the usual other spellings, in any case.
pub fn truth(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("must be True or False (or 1, 0, yes, no, on, off)".into()),
    }
}

/// A whole number within bounds.
pub fn number<T: FromStr + PartialOrd + Display>(range: RangeInclusive<T>) -> impl FnOnce(&str) -> Result<T, String> {
    move |text| {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        match text.parse::<T>() {
            Ok(number) if digits && range.contains(&number) => Ok(number),
            _ => Err(format!("must be a whole number from {} to {}", range.start(), range.end())),
        }
    }
}

/// An address to listen on.
pub fn bind(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "must be an IP address to listen on, such as 127.0.0.1, 0.0.0.0 or ::1".into())
}

/// One of a few words, in any case.
pub fn one_of<T>(words: &'static [(&'static str, T)]) -> impl FnOnce(&str) -> Result<T, String>
where
    T: Clone,
{
    move |text| {
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        found.map(|(_, value)| value.clone()).ok_or_else(|| {
            format!("must be one of {}", words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", "))
        })
    }
}
