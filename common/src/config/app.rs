//! What the users' service reads.

use std::net::IpAddr;

use super::{CommonConfig, ConfigError, Source, parse};

/// What the users' service reads.
#[derive(Clone, Debug)]
pub struct AppConfig {
    /// What admin reads as well.
    pub common: CommonConfig,
    /// `APP_BIND`: where it listens.
    pub bind: IpAddr,
    /// `APP_PORT`; 0 is any free one.
    pub port: u16,
    /// `AUTH`
    pub auth: Auth,
    /// `USER_LEASES_MAX`: the most clusters that a user may hold, unless her token says otherwise; `None`: any number.
    pub leases_max: Option<u32>,
}

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Anyone, and the user ids that callers give are believed.
    Open,
    /// Whoever shows a token, as whom the token says.
    Tokens,
}

impl AppConfig {
    /// Reads all of it, or says which variable is wrong.
    pub fn read(source: &Source) -> Result<AppConfig, ConfigError> {
        let auth = source.parsed("AUTH", |text| match text.to_ascii_lowercase().as_str() {
            "open" => Ok(Auth::Open),
            "tokens" => Ok(Auth::Tokens),
            _ => Err("must be tokens or open".into()),
        })?;
        Ok(AppConfig {
            common: CommonConfig::read(source)?,
            bind: source.parsed("APP_BIND", parse::bind)?.unwrap_or(IpAddr::from([127, 0, 0, 1])),
            port: source.parsed("APP_PORT", parse::number(0..=u16::MAX))?.unwrap_or(8000),
            auth: auth.unwrap_or(Auth::Open),
            leases_max: source.parsed("USER_LEASES_MAX", parse::number(0..=1_000_000))?.filter(|most| *most > 0),
        })
    }
}
