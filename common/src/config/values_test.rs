//! Rules of every variable: its default, what it takes, and what it refuses with.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use tracing::level_filters::LevelFilter;

use super::{AdminConfig, AppConfig, Auth, CommonConfig, ConfigError, InternalSecret, LogFormat, Source};
use crate::model::{FlavorId, LogLevel, SlotLayout};
use crate::store::StoreTarget;

fn source(environment: &[(&str, &str)]) -> Source {
    let environment = environment.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    Source::new(&environment.collect::<BTreeMap<_, _>>(), None).unwrap()
}

fn app(environment: &[(&str, &str)]) -> Result<AppConfig, ConfigError> {
    AppConfig::read(&source(environment))
}

fn admin(environment: &[(&str, &str)]) -> Result<AdminConfig, ConfigError> {
    AdminConfig::read(&source(environment))
}

const SECRET: (&str, &str) = ("INTERNAL_SECRET", "0123456789abcdef");

#[test]
fn nothing_needs_to_be_set() {
    let app = app(&[]).unwrap();
    assert_eq!((app.bind.to_string().as_str(), app.port), ("127.0.0.1", 8000));
    assert_eq!(app.common.store, StoreTarget::Sqlite { path: PathBuf::from("./data/poolmanager.db") });
    assert_eq!(app.common.internal_secret, InternalSecret::File(PathBuf::from("./data/internal-secret")));
    assert_eq!((app.common.log_level, app.common.log_format), (LevelFilter::INFO, LogFormat::Text));
    let admin = admin(&[]).unwrap();
    assert_eq!((admin.bind.to_string().as_str(), admin.port, admin.username.as_str()), ("127.0.0.1", 8080, "admin"));
    assert_eq!((admin.layout, admin.max_starts), (SlotLayout::default(), 8));
    assert!(admin.password.is_none() && admin.pool_mix.0.is_empty());
    assert_eq!(admin.cluster_log_level, LogLevel::Info);
}

#[test]
fn the_seeds_three_variables_work_as_the_seed_has_them() {
    let common = CommonConfig::read(&source(&[
        ("MONGO_URL", "mongodb://mongo:27017"),
        ("MONGO_COLLECTION", "dev"),
        ("DEBUG", "True"),
        SECRET,
    ]))
    .unwrap();
    assert_eq!(common.store, StoreTarget::Mongo { url: "mongodb://mongo:27017".into(), database: "dev".into() });
    assert_eq!((common.debug, common.log_level), (true, LevelFilter::DEBUG));
}

#[test]
fn both_names_of_the_database_may_be_set_if_they_are_equal() {
    let mongo = ("MONGO_URL", "mongodb://m");
    let database = |pairs: &[(&str, &str)]| match app(pairs).unwrap().common.store {
        StoreTarget::Mongo { database, .. } => database,
        StoreTarget::Sqlite { .. } => panic!("not MongoDB"),
    };
    assert_eq!(database(&[mongo, SECRET]), "poolmanager");
    assert_eq!(database(&[mongo, SECRET, ("MONGO_DB", "a")]), "a");
    assert_eq!(database(&[mongo, SECRET, ("MONGO_DB", "a"), ("MONGO_COLLECTION", "a")]), "a");
    let error = app(&[mongo, SECRET, ("MONGO_DB", "a"), ("MONGO_COLLECTION", "b")]).unwrap_err().0;
    assert!(error.contains("MONGO_DB") && error.contains("MONGO_COLLECTION") && error.contains("\"b\""), "{error}");
}

#[test]
fn mongodb_needs_an_internal_secret() {
    let error = app(&[("MONGO_URL", "mongodb://m")]).unwrap_err().0;
    assert!(error.starts_with("INTERNAL_SECRET must be set"), "{error}");
}

#[test]
fn a_log_level_outranks_debug() {
    assert_eq!(app(&[("DEBUG", "True"), ("LOG_LEVEL", "error")]).unwrap().common.log_level, LevelFilter::ERROR);
}

#[test]
fn who_may_call_is_tokens_or_anyone_and_limits_begin_above_nothing() {
    for (text, auth) in [("tokens", Auth::Tokens), ("open", Auth::Open), ("TOKENS", Auth::Tokens)] {
        assert_eq!(app(&[("AUTH", text)]).unwrap().auth, auth);
    }
    let read = app(&[]).unwrap();
    assert_eq!((read.auth, read.leases_max), (Auth::Open, None));
    for (text, most) in [("0", None), ("3", Some(3))] {
        assert_eq!(app(&[("USER_LEASES_MAX", text)]).unwrap().leases_max, most);
    }
}

#[test]
fn a_wrong_value_is_told_with_its_name_the_value_and_what_is_allowed() {
    for (name, value, allowed) in [
        ("DEBUG", "maybe", "True or False"),
        ("LOG_LEVEL", "loud", "off, error, warn"),
        ("LOG_FORMAT", "xml", "text, json"),
        ("MONGO_DB", "a/b", "letters, digits"),
        ("FABRIC_PEER_IMAGE", "a b", "name:tag"),
        ("APP_BIND", "localhost", "IP address"),
        ("APP_PORT", "65536", "from 0 to 65535"),
        ("APP_PORT", "-1", "from 0 to 65535"),
        ("APP_PORT", "+1", "from 0 to 65535"),
        ("AUTH", "none", "tokens or open"),
        ("USER_LEASES_MAX", "some", "from 0 to 1000000"),
    ] {
        let error = app(&[(name, value)]).expect_err(name).0;
        assert!(error.contains(name) && error.contains(allowed) && error.contains(&format!("{value:?}")), "{error}");
    }
    for (name, value, allowed) in [
        ("ADMIN_BIND", "x", "IP address"),
        ("ADMIN_PORT", "x", "from 0 to 65535"),
        ("ADMIN_USERNAME", " x", "1 to 64"),
        ("ADMIN_INTERNAL_ADDRESS", "http://a/b", "http://HOST:PORT"),
        ("LOG_LEVEL_CLUSTER", "trace", "notice"),
        ("CLUSTER_FIRST_PORT", "80", "from 1024"),
        ("CLUSTER_PORTS_PER_SLOT", "1", "from 10"),
        ("CLUSTER_SUBNETS", "8.8.0.0/16", "private"),
        ("CLUSTER_SUBNETS", "10.1.2.3/16", "private"),
        ("MAX_STARTS_PER_HOST", "0", "from 1 to 64"),
        ("POOL_MIX", "a=x", "FLAVOR=WEIGHT"),
        ("POOL_MIX", "a=1,a=2", "twice"),
        ("POOL_MIX", "a=0", "every weight is 0"),
        ("POOL_MIX", "a=0:0", "every weight is 0"),
        ("POOL_MIX", "a=1:x", "minimums of free ones from 0 to 10000"),
        ("POOL_MIX", "a=1:-1", "FLAVOR=WEIGHT:MINIMUM"),
        ("POOL_MIX", "a=:1", "weights from 0 to 1000"),
        ("TRUSTED_PROXIES", "10.0.0.0/33", "networks or addresses"),
        ("TRUSTED_PROXIES", "127.0.0.1, nginx", "networks or addresses"),
    ] {
        let error = admin(&[(name, value)]).expect_err(name).0;
        assert!(error.contains(name) && error.contains(allowed) && error.contains(&format!("{value:?}")), "{error}");
    }
}

#[test]
fn secrets_are_shown_by_nothing() {
    let secrets = [("ADMIN_PASSWORD", "hunter2hunter2"), ("INTERNAL_SECRET", "correct-horse-battery")];
    let url = ("MONGO_URL", "mongodb://user:pa55word@mongo/");
    let config = admin(&[secrets[0], secrets[1], url]).unwrap();
    let shown = format!("{config:?}");
    for secret in ["hunter2", "horse", "pa55word"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    for wrong in [("ADMIN_PASSWORD", "short"), ("INTERNAL_SECRET", "short"), ("MONGO_URL", "http://u:short@m")] {
        let error = admin(&[wrong]).unwrap_err().0;
        assert!(error.starts_with(wrong.0) && !error.contains("short"), "{error}");
    }
}

#[test]
fn ports_that_leave_no_room_for_one_slot_are_refused() {
    let error = admin(&[("CLUSTER_FIRST_PORT", "7050"), ("CLUSTER_END_PORT", "7100")]).unwrap_err().0;
    assert!(error.contains("CLUSTER_END_PORT") && error.contains("100 ports"), "{error}");
}

#[test]
fn a_pool_mix_of_flavors_that_are_not_there_is_refused_with_those_that_are() {
    let mix = admin(&[("POOL_MIX", "a=2,b=1")]).unwrap().pool_mix;
    let known = ["a", "b", "c"].map(|name| FlavorId::parse(name).unwrap());
    assert_eq!(mix.check(&known), Ok(()));
    let refusal = mix.check(&known[..1]).unwrap_err().0;
    assert!(refusal.contains("POOL_MIX names b,") && refusal.ends_with(": a"), "{refusal}");
}

#[test]
fn a_pool_mix_is_flavors_with_weights_and_minimums() {
    let mix = admin(&[("POOL_MIX", "fabric-0.6-pbft-batch-4=2:3, fabric-0.6-noops-4, a=0:1,b=5")]).unwrap().pool_mix.0;
    let mix: Vec<_> = mix.iter().map(|share| (share.flavor.as_str(), share.weight, share.min_free)).collect();
    assert_eq!(mix, [("fabric-0.6-pbft-batch-4", 2, 3), ("fabric-0.6-noops-4", 1, 0), ("a", 0, 1), ("b", 5, 0)]);
}

#[test]
fn app_finds_admin_where_it_listens_unless_told_otherwise() {
    let at = |pairs: &[(&str, &str)], bound: &str| {
        admin(pairs).unwrap().internal_address_at(bound.parse::<SocketAddr>().unwrap())
    };
    assert_eq!(at(&[], "192.0.2.1:8080"), "http://192.0.2.1:8080");
    assert_eq!(at(&[], "0.0.0.0:8080"), "http://127.0.0.1:8080");
    assert_eq!(at(&[], "[::]:8080"), "http://[::1]:8080");
    assert_eq!(at(&[("ADMIN_INTERNAL_ADDRESS", "http://admin:8080/")], "0.0.0.0:1"), "http://admin:8080");
}
