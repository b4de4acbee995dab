//! The log: lines on standard output, for people or as JSON, of what `LOG_LEVEL` asks for.
//!
//! What is logged is up to whoever logs; that no token, password or body is in it is a rule for all of them.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, Registry};

use crate::config::{CommonConfig, LogFormat};

/// Our own packages: the ones that `LOG_LEVEL` is about.
const OURS: [&str; 8] =
    ["app", "admin", "common", "engine", "simdocker", "fabricsim", "poolmanager_app", "poolmanager_admin"];

/// Starts logging for the whole process; an error if something else has done so before.
pub fn start(config: &CommonConfig) -> Result<(), TryInitError> {
    let lines = layer(config.log_format, std::io::stdout);
    tracing_subscriber::registry().with(lines.with_filter(filter(config.log_level))).try_init()
}

/// What of the HTTP server speaks of single connections. It calls it an error of its own when a stranger sends what is no HTTP
/// or goes away, so anybody could fill the log with errors.
const OF_CONNECTIONS: &str = "actix_http::h1";

/// What is logged at this level: ours up to it; the libraries' up to `warn`, since their `info` is about themselves; what is said
/// of single connections only for who asks for `debug`.
pub fn filter(level: LevelFilter) -> Targets {
    let theirs = level.min(LevelFilter::WARN);
    let of_connections = if level >= LevelFilter::DEBUG { theirs } else { LevelFilter::OFF };
    let targets = Targets::new().with_default(theirs).with_target(OF_CONNECTIONS, of_connections);
    targets.with_targets(OURS.map(|name| (name, level)))
}

/// Lines of one format, to anything that can be written to.
pub fn layer<W>(format: LogFormat, to: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(to).with_ansi(false);
    match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, level: LevelFilter) -> String {
        let lines = Lines::default();
        let to = lines.clone();
        let log = tracing_subscriber::registry().with(layer(format, move || to.clone()).with_filter(filter(level)));
        tracing::subscriber::with_default(log, || {
            tracing::info!(target: "common::store", { cluster.id = "c1" }, "ours");
            tracing::info!(target: "hyper::client", "theirs");
            tracing::warn!(target: "hyper::client", "their warning");
        });
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn the_level_is_about_our_own_lines() {
        let lines = logged(LogFormat::Text, LevelFilter::INFO);
        assert!(lines.contains("ours") && !lines.contains("theirs") && lines.contains("their warning"), "{lines}");
        assert_eq!(logged(LogFormat::Text, LevelFilter::OFF), "");
        assert!(!logged(LogFormat::Text, LevelFilter::WARN).contains("ours"));
    }

    #[test]
    fn what_strangers_send_is_no_error_of_ours() {
        let logged = |level| {
            let lines = Lines::default();
            let to = lines.clone();
            let text = layer(LogFormat::Text, move || to.clone());
            let log = tracing_subscriber::registry().with(text.with_filter(filter(level)));
            tracing::subscriber::with_default(log, || {
                tracing::error!(target: "actix_http::h1::dispatcher", "stream error: invalid method");
                tracing::error!(target: "actix_http::h2", "another thing");
            });
            String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
        };
        assert!(logged(LevelFilter::INFO).contains("another thing"));
        assert!(!logged(LevelFilter::INFO).contains("stream error"));
        assert!(logged(LevelFilter::DEBUG).contains("stream error"));
    }

    #[test]
    fn json_is_one_object_a_line_with_the_fields_beside_the_message() {
        let lines = logged(LogFormat::Json, LevelFilter::INFO);
        let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        assert_eq!((&first["message"], &first["cluster.id"]), (&"ours".into(), &"c1".into()), "{lines}");
    }
}
