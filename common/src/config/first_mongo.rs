//! What `poolmanager-admin setup-mongo` reads.

use super::shared::database_name;
use super::{ConfigError, Secret, Source, parse};
use crate::store::FirstMongo;

/// What `setup-mongo` reads: `MONGO_SETUP_URL`, `MONGO_MEMBERS`, the passwords of root and of both
/// programs' users, and the database's name.
#[derive(Clone, Debug)]
pub struct FirstMongoConfig {
    /// What is to be made.
    pub first: FirstMongo,
}

impl FirstMongoConfig {
    /// Reads all of it, or says which variable is wrong.
    pub fn read(source: &Source) -> Result<FirstMongoConfig, ConfigError> {
        let first = FirstMongo {
            url: source.parsed("MONGO_SETUP_URL", url)?.unwrap_or_else(|| "mongodb://127.0.0.1:27017/".to_owned()),
            members: source.parsed("MONGO_MEMBERS", members)?.unwrap_or_else(|| vec!["mongo:27017".to_owned()]),
            root_password: needed(source, "MONGO_ROOT_PASSWORD")?,
            password: needed(source, "MONGO_PASSWORD")?,
            app_password: needed(source, "MONGO_APP_PASSWORD")?,
            database: database_name(source)?,
        };
        Ok(FirstMongoConfig { first })
    }
}

fn needed(source: &Source, name: &'static str) -> Result<Secret, ConfigError> {
    let found = source.parsed(name, password)?;
    found.ok_or_else(|| source.refuse(name, "must be set: scripts/make-env.sh makes one"))
}

/// It becomes part of a URL in the compose file, where other characters would have to be escaped.
fn password(text: &str) -> Result<Secret, String> {
    let ok =
        (16..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b));
    if ok { Ok(Secret::new(text)) } else { Err("must have 16 to 128 letters, digits, '-', '_', '.' and '~'".into()) }
}

fn url(text: &str) -> Result<String, String> {
    let ok = text.strip_prefix("mongodb://").is_some_and(|rest| !rest.is_empty() && !rest.contains('@'));
    if ok { Ok(text.to_owned()) } else { Err("must be mongodb://HOST:PORT/ without a user".into()) }
}

fn members(text: &str) -> Result<Vec<String>, String> {
    let members: Vec<String> = text.split(',').map(|member| member.trim().to_owned()).collect();
    let ok = |member: &String| {
        member.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty()
                && host.len() <= 253
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
                && parse::number(1..=u16::MAX)(port).is_ok()
        })
    };
    let distinct = members.iter().collect::<std::collections::BTreeSet<_>>().len() == members.len();
    if members.iter().all(ok) && distinct && members.len() <= 7 {
        Ok(members)
    } else {
        Err("must name 1 to 7 members as HOST:PORT,HOST:PORT".into())
    }
}
