//! A container's own check.

use super::at::At;
use super::{ComposeError, HealthCheck};

/// Reads a `healthcheck`.
pub(super) fn read(at: &At<'_>) -> Result<HealthCheck, ComposeError> {
    at.only(&["test", "interval", "timeout", "retries", "start_period", "disable"])?;
    let disabled = at.field("disable").map_or(Ok(false), |flag| flag.flag())?;
    let test = match at.field("test") {
        _ if disabled => vec!["NONE".to_owned()],
        Some(test) if test.value.is_string() => vec!["CMD-SHELL".to_owned(), test.text()?],
        Some(test) => {
            let words = test.texts()?;
            match words.first().map(String::as_str) {
                Some("NONE") if words.len() == 1 => words,
                Some("CMD") if words.len() > 1 => words,
                Some("CMD-SHELL") if words.len() == 2 => words,
                _ => return test.refuse("must be a text, [CMD, ...], [CMD-SHELL, \"...\"] or [NONE]"),
            }
        }
        // Docker takes an empty test for the image's own, with these times.
        None => Vec::new(),
    };
    let retries = at.field("retries").map(|retries| match retries.whole() {
        Ok(count @ 1..=1000) => Ok(count),
        _ => retries.refuse("must be 1 to 1000"),
    });
    Ok(HealthCheck {
        test,
        interval: at.field("interval").map(|at| at.duration()).transpose()?,
        timeout: at.field("timeout").map(|at| at.duration()).transpose()?,
        retries: retries.transpose()?,
        start_period: at.field("start_period").map(|at| at.duration()).transpose()?,
    })
}
