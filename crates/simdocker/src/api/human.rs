//! Times as people read them, in Docker's words.

use std::time::Duration;

/// `Less than a second`, `3 seconds`, `About a minute`, ...
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let minutes = seconds / 60;
    // Docker rounds hours, but cuts what is longer.
    let hours = (seconds + 1800) / 3600;
    match () {
        () if seconds < 1 => "Less than a second".to_owned(),
        () if seconds == 1 => "1 second".to_owned(),
        () if seconds < 60 => format!("{seconds} seconds"),
        () if minutes == 1 => "About a minute".to_owned(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".to_owned(),
        () if hours < 48 => format!("{hours} hours"),
        () if hours < 24 * 14 => format!("{} days", hours / 24),
        () if hours < 24 * 60 => format!("{} weeks", hours / 24 / 7),
        () if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        () => format!("{} years", hours / 24 / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_dockers() {
        let words = [0, 1, 59, 60, 119, 120, 3599, 3600, 7200, 172_800].map(|s| duration(Duration::from_secs(s)));
        let expected = [
            "Less than a second",
            "1 second",
            "59 seconds",
            "About a minute",
            "About a minute",
            "2 minutes",
            "59 minutes",
            "About an hour",
            "2 hours",
            "2 days",
        ];
        assert_eq!(words, expected);
    }
}
