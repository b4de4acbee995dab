//! What app and admin both read: the store, the log, what the catalog needs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tracing::level_filters::LevelFilter;

use super::{ConfigError, InternalSecret, Secret, Source, parse};
use crate::compose::CatalogSettings;
use crate::store::StoreTarget;

/// What app and admin both read.
#[derive(Clone, Debug)]
pub struct CommonConfig {
    /// Where the pool's records are.
    pub store: StoreTarget,
    /// `DEBUG`: more in the log. Never changes what is promised.
    pub debug: bool,
    /// `LOG_LEVEL`: what is logged of our own.
    pub log_level: LevelFilter,
    /// `LOG_FORMAT`
    pub log_format: LogFormat,
    /// What `${NAME}` in a template stands for: `FABRIC_PEER_IMAGE`, if it is set.
    pub catalog: CatalogSettings,
    /// What app shows to admin's `/internal`; where it comes from.
    pub internal_secret: InternalSecret,
    /// `METRICS_TOKEN`: what whoever reads `/metrics` shows; `None`: nothing is asked of her.
    pub metrics_token: Option<Secret>,
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `warning` is another word for `warn`: the seed's settings say so.
const LEVELS: &[(&str, LevelFilter)] = &[
    ("off", LevelFilter::OFF),
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("warning", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];

impl CommonConfig {
    /// Reads what both programs share.
    pub fn read(source: &Source) -> Result<CommonConfig, ConfigError> {
        let debug = source.parsed("DEBUG", parse::truth)?.unwrap_or(false);
        let usual = if debug { LevelFilter::DEBUG } else { LevelFilter::INFO };
        let data_dir = data_dir(source);
        let store = store_target(source)?;
        let given = source.parsed("INTERNAL_SECRET", shared_secret)?;
        let internal_secret = match (given, &store) {
            (Some(secret), _) => InternalSecret::Given(secret),
            (None, StoreTarget::Sqlite { .. }) => InternalSecret::File(data_dir.join("internal-secret")),
            (None, StoreTarget::Mongo { .. }) => {
                return Err(source.refuse("INTERNAL_SECRET", "must be set with MONGO_URL, alike for app and admin"));
            }
        };
        Ok(CommonConfig {
            store,
            debug,
            log_level: source.parsed("LOG_LEVEL", parse::one_of(LEVELS))?.unwrap_or(usual),
            log_format: LogFormat::read(source)?,
            catalog: CatalogSettings { variables: catalog_variables(source)? },
            internal_secret,
            metrics_token: source.parsed("METRICS_TOKEN", shared_secret)?,
        })
    }
}

impl LogFormat {
    pub(super) fn read(source: &Source) -> Result<LogFormat, ConfigError> {
        let words = parse::one_of(&[("text", LogFormat::Text), ("json", LogFormat::Json)]);
        Ok(source.parsed("LOG_FORMAT", words)?.unwrap_or(LogFormat::Text))
    }
}

/// It goes into a header as it is.
fn shared_secret(text: &str) -> Result<Secret, String> {
    let ok = (16..=512).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if ok { Ok(Secret::new(text)) } else { Err("must have 16 to 512 visible ASCII characters".into()) }
}

fn catalog_variables(source: &Source) -> Result<BTreeMap<String, String>, ConfigError> {
    let image = source.parsed("FABRIC_PEER_IMAGE", image)?;
    Ok(image.map(|image| ("FABRIC_PEER_IMAGE".to_owned(), image)).into_iter().collect())
}

fn data_dir(source: &Source) -> PathBuf {
    source.text("DATA_DIR").map_or_else(|| PathBuf::from("./data"), PathBuf::from)
}

/// Where the pool's records are, alone: what a command needs that only touches them.
pub fn store_target(source: &Source) -> Result<StoreTarget, ConfigError> {
    let url = source.parsed("MONGO_URL", |text| {
        let known = ["mongodb://", "mongodb+srv://"].into_iter().find_map(|scheme| text.strip_prefix(scheme));
        match known {
            Some(rest) if !rest.is_empty() => Ok(text.to_owned()),
            _ => Err("must begin with mongodb:// or mongodb+srv:// and name a host".into()),
        }
    })?;
    // A wrong name is told, though it be of no use without a URL.
    let database = database_name(source)?;
    Ok(match url {
        Some(url) => StoreTarget::Mongo { url, database },
        None => StoreTarget::Sqlite { path: data_dir(source).join("poolmanager.db") },
    })
}

/// `MONGO_COLLECTION` (the seed's word for it) or `MONGO_DB`.
pub(super) fn database_name(source: &Source) -> Result<String, ConfigError> {
    let seeds = source.parsed("MONGO_COLLECTION", database)?;
    let ours = source.parsed("MONGO_DB", database)?;
    if let (Some(seeds), Some(ours)) = (&seeds, &ours)
        && seeds != ours
    {
        return Err(source.refuse(
            "MONGO_DB",
            &format!("must be the same as MONGO_COLLECTION, which means the same and is {seeds:?}, or not be set"),
        ));
    }
    Ok(ours.or(seeds).unwrap_or_else(|| "poolmanager".to_owned()))
}

/// A name that MongoDB takes for a database on every platform.
fn database(text: &str) -> Result<String, String> {
    let ok =
        (1..=63).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if ok { Ok(text.to_owned()) } else { Err("must have 1 to 63 letters, digits, '-' and '_' only".into()) }
}

/// A reference that an engine could take; whether it exists is the engine's to say.
fn image(text: &str) -> Result<String, String> {
    let ok = text.len() <= 512
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:@".contains(&b))
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    if ok {
        Ok(text.to_owned())
    } else {
        Err("must be an image's reference, such as name:tag or registry:5000/name".into())
    }
}
