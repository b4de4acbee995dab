//! Rules of the one reader: which value wins, and how a wrong one is told.

use std::collections::BTreeMap;

use super::{ConfigError, NAMES, Source};

fn source(environment: &[(&str, &str)], file: Option<&str>) -> Result<Source, ConfigError> {
    let environment = environment.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    Source::new(&environment.collect::<BTreeMap<_, _>>(), file)
}

#[test]
fn the_environment_wins_over_the_file() {
    let source = source(&[("APP_PORT", "1")], Some("APP_PORT = 2\nADMIN_PORT = 3")).unwrap();
    assert_eq!((source.text("APP_PORT"), source.text("ADMIN_PORT")), (Some("1"), Some("3")));
}

#[test]
fn an_empty_value_counts_as_not_set() {
    let source = source(&[("APP_PORT", ""), ("MONGO_URL", "")], Some("APP_PORT = 2\nAUTH = \"\"")).unwrap();
    assert_eq!((source.text("APP_PORT"), source.text("MONGO_URL"), source.text("AUTH")), (Some("2"), None, None));
}

#[test]
fn the_file_may_have_numbers_and_truth_values() {
    let source = source(&[], Some("DEBUG = true\nAPP_PORT = 9000\nLOG_LEVEL = \"warn\"")).unwrap();
    assert_eq!(source.text("DEBUG"), Some("true"));
    assert_eq!(source.text("APP_PORT"), Some("9000"));
}

#[test]
fn an_unknown_name_in_the_file_is_refused_with_those_that_are_known() {
    let error = source(&[], Some("MONGO_ULR = \"x\"")).unwrap_err().0;
    assert!(error.contains("MONGO_ULR") && error.contains("MONGO_URL"), "{error}");
}

#[test]
fn the_file_cannot_name_another_file() {
    assert!(source(&[], Some("POOLMANAGER_CONFIG_FILE = \"x\"")).is_err());
}

#[test]
fn other_names_in_the_environment_are_somebody_elses() {
    assert!(source(&[("PATH", "/bin")], None).is_ok());
}

#[test]
fn values_that_are_no_plain_ones_are_refused() {
    for text in ["APP_PORT = 1.5", "APP_PORT = [1]", "[APP_PORT]\nx = 1", "APP_PORT = 2026-01-01"] {
        let error = source(&[], Some(text)).unwrap_err().0;
        assert!(error.contains("APP_PORT"), "{error}");
    }
}

#[test]
fn a_file_that_is_no_toml_is_told_by_its_line_and_shows_no_secret() {
    let error = source(&[], Some("DEBUG = true\nADMIN_PASSWORD = hunter22hunter22\n")).unwrap_err().0;
    assert!(error.contains("line 2") && !error.contains("hunter22"), "{error}");
}

#[test]
fn a_refusal_names_the_variable_the_value_and_where_it_was() {
    let source = source(&[("APP_PORT", "abc")], Some("ADMIN_PORT = \"def\"")).unwrap();
    let error = source.parsed("APP_PORT", |_| Err::<(), _>("must be a number".into())).unwrap_err().0;
    assert_eq!(error, "APP_PORT must be a number; the environment has \"abc\"");
    let error = source.parsed("ADMIN_PORT", |_| Err::<(), _>("must be a number".into())).unwrap_err().0;
    assert_eq!(error, "ADMIN_PORT must be a number; the file has \"def\"");
}

#[test]
fn a_refusal_never_shows_a_secret() {
    for name in ["ADMIN_PASSWORD", "INTERNAL_SECRET", "MONGO_URL"] {
        let source = source(&[(name, "hunter2")], None).unwrap();
        let error = source.parsed(name, |_| Err::<(), _>("must be better".into())).unwrap_err().0;
        assert!(error.starts_with(name) && !error.contains("hunter2"), "{error}");
        assert!(!format!("{source:?}").contains("hunter2"), "Debug shows no value");
    }
}

#[test]
fn every_name_is_documented() {
    let page = include_str!("../../../docs/configuration.md");
    for name in NAMES {
        assert!(page.contains(&format!("`{name}`")), "docs/configuration.md says nothing of {name}");
    }
}

/// Or a deployer would set it in `.env`, and nothing would come of it.
#[test]
fn the_deployment_in_containers_passes_every_setting_on() {
    const DEPLOYMENT: &str = include_str!("../../../docker-compose.yml");
    // Its images and its own settings decide these.
    let decided =
        ["ADMIN_BIND", "ADMIN_PORT", "APP_BIND", "APP_PORT", "DATA_DIR", "MONGO_DB", "POOLMANAGER_CONFIG_FILE"];
    // By the name of the machine, which differs from container to container.
    let by_itself = ["ADMIN_INTERNAL_ADDRESS"];
    let named =
        |name: &str| DEPLOYMENT.contains(&format!("      {name}: ")) || DEPLOYMENT.contains(&format!("\n  {name}: "));
    let missing: Vec<&str> =
        NAMES.into_iter().filter(|name| !decided.contains(name) && !by_itself.contains(name) && !named(name)).collect();
    assert!(missing.is_empty(), "docker-compose.yml has no {missing:?}");
}
