//! Lines on standard error, as a container's log wants them; the engine adds the time.

use std::fmt;
use std::io::Write;

/// From which on lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Each request.
    Debug,
    /// What changes.
    Info,
    /// What should not be.
    Warning,
    /// Nothing but what ends it.
    Error,
}

/// Where lines go. Cheap to hand around.
#[derive(Clone, Copy, Debug)]
pub struct Log(pub Level);

impl Log {
    pub(super) fn debug(self, line: fmt::Arguments<'_>) {
        self.write(Level::Debug, "DEBUG", line);
    }

    pub(super) fn info(self, line: fmt::Arguments<'_>) {
        self.write(Level::Info, "INFO", line);
    }

    pub(super) fn warning(self, line: fmt::Arguments<'_>) {
        self.write(Level::Warning, "WARN", line);
    }

    fn write(self, level: Level, name: &str, line: fmt::Arguments<'_>) {
        if level >= self.0 {
            // A log that cannot be written is nobody's reason to stop.
            let _unwritten = writeln!(std::io::stderr(), "{name} {line}");
        }
    }
}
