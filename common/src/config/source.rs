//! Where values come from, and how a wrong one is reported.

use std::collections::BTreeMap;

use super::Secret;

/// Every variable that is read, by either program: one file can serve both. A file that has another name in it is refused.
pub const NAMES: [&str; 36] = [
    "ADMIN_BIND",
    "ADMIN_INTERNAL_ADDRESS",
    "ADMIN_PASSWORD",
    "ADMIN_PORT",
    "ADMIN_USERNAME",
    "APP_BIND",
    "APP_PORT",
    "AUTH",
    "CLUSTER_END_PORT",
    "CLUSTER_FIRST_PORT",
    "CLUSTER_PORTS_PER_SLOT",
    "CLUSTER_SUBNETS",
    "DATA_DIR",
    "DEBUG",
    "DEEP_PROBES",
    "FABRIC_PEER_IMAGE",
    "INTERNAL_SECRET",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "LOG_LEVEL_CLUSTER",
    "MAX_STARTS_PER_HOST",
    "METRICS_TOKEN",
    "MONGO_APP_PASSWORD",
    "MONGO_COLLECTION",
    "MONGO_DB",
    "MONGO_MEMBERS",
    "MONGO_PASSWORD",
    "MONGO_ROOT_PASSWORD",
    "MONGO_SETUP_URL",
    "MONGO_URL",
    "POOL_MIX",
    "SEAL_KEY",
    "SEAL_KEY_OLD",
    "TRUSTED_PROXIES",
    "USER_LEASES_MAX",
    FILE_NAME,
];

/// Names the file; cannot be in the file itself.
const FILE_NAME: &str = "POOLMANAGER_CONFIG_FILE";

/// Variables whose values never appear in a message.
const SECRETS: [&str; 9] = [
    "ADMIN_PASSWORD",
    "INTERNAL_SECRET",
    "METRICS_TOKEN",
    "MONGO_APP_PASSWORD",
    "MONGO_PASSWORD",
    "MONGO_ROOT_PASSWORD",
    "MONGO_URL",
    "SEAL_KEY",
    "SEAL_KEY_OLD",
];

/// Why the program does not start: a sentence that names the variable, the value and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// Values by name: the environment's where it has one, else the file's. An empty value counts as not set.
#[derive(Clone, Debug)]
pub struct Source {
    values: BTreeMap<&'static str, Value>,
}

#[derive(Clone, Debug)]
struct Value {
    text: Secret,
    from: &'static str,
}

impl Source {
    /// Reads this process's environment, and the file if it names one.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn of_process() -> Result<Source, ConfigError> {
        let mut environment = BTreeMap::new();
        for name in NAMES {
            match std::env::var(name) {
                Ok(text) => drop(environment.insert(name.to_owned(), text)),
                Err(std::env::VarError::NotPresent) => {}
                Err(std::env::VarError::NotUnicode(_)) => {
                    return Err(ConfigError(format!("{name} (environment) is not UTF-8 text")));
                }
            }
        }
        let file = match environment.get(FILE_NAME).filter(|path| !path.is_empty()) {
            None => None,
            Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
                ConfigError(format!("{FILE_NAME} names {path:?}, which cannot be read as text: {error}"))
            })?),
        };
        Source::new(&environment, file.as_deref())
    }

    /// The same from a map and the file's text.
    pub fn new(environment: &BTreeMap<String, String>, file: Option<&str>) -> Result<Source, ConfigError> {
        let mut values = BTreeMap::new();
        if let Some(text) = file {
            for (name, text) in parse_file(text)? {
                values.insert(name, Value { text: Secret::new(text), from: "file" });
            }
        }
        for name in NAMES {
            if let Some(text) = environment.get(name).filter(|text| !text.is_empty()) {
                values.insert(name, Value { text: Secret::new(text), from: "environment" });
            }
        }
        Ok(Source { values })
    }

    /// The value of a variable, if it is set.
    pub fn text(&self, name: &'static str) -> Option<&str> {
        debug_assert!(NAMES.contains(&name), "{name} is not in NAMES");
        self.values.get(name).map(|value| value.text.expose())
    }

    /// The value as `read` takes it; `None` if it is not set. What `read` refuses with reads as a sentence after
    /// the variable's name: "must be ...".
    pub fn parsed<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        self.text(name).map(read).transpose().map_err(|why| self.refuse(name, &why))
    }

    /// The sentence that stops the start because of this variable.
    pub fn refuse(&self, name: &'static str, why: &str) -> ConfigError {
        match self.values.get(name) {
            None => ConfigError(format!("{name} {why}; it is not set")),
            Some(value) if SECRETS.contains(&name) => {
                ConfigError(format!("{name} {why}; the value that the {} has is not shown here", value.from))
            }
            Some(value) => ConfigError(format!("{name} {why}; the {} has {:?}", value.from, value.text.expose())),
        }
    }
}

/// Takes `NAME = "text"`, `NAME = 8000` and `NAME = true`, for known names only.
fn parse_file(text: &str) -> Result<Vec<(&'static str, String)>, ConfigError> {
    // The parser's message quotes the line at fault, and a line may hold a password: only its place is told.
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
        ConfigError(format!("the file that {FILE_NAME} names is not TOML, line {line}: {}", error.message()))
    })?;
    let mut values = Vec::new();
    for (key, value) in table {
        let Some(name) = NAMES.into_iter().find(|name| *name == key && *name != FILE_NAME) else {
            return Err(ConfigError(format!(
                "{key:?} in the file that {FILE_NAME} names is not a variable that is known; these are: {}",
                NAMES.into_iter().filter(|name| *name != FILE_NAME).collect::<Vec<_>>().join(", ")
            )));
        };
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(truth) => truth.to_string(),
            toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => {
                return Err(ConfigError(format!("{name} in the file must be a text, a whole number or a truth value")));
            }
        };
        if !text.is_empty() {
            values.push((name, text));
        }
    }
    Ok(values)
}
