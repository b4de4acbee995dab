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

/// What is logged at this level: ours up to it; the libraries' up to `warn`, since their `info` is about themselves.
pub fn filter(level: LevelFilter) -> Targets {
    Targets::new().with_default(level.min(LevelFilter::WARN)).with_targets(OURS.map(|name| (name, level)))
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
