//! The tables of docs/ say what the code and the files of the deployment say: every setting, every number that is watched, every
//! alarm; none is missing, and none is there that there is not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where and stop")]

use std::collections::{BTreeMap, BTreeSet};

use common::config::NAMES;
use common::model::EventKind;
use regex::Regex;

const CONFIGURATION: &str = include_str!("../../docs/configuration.md");
const DEPLOYMENT: &str = include_str!("../../docs/deployment.md");
const MONITORING: &str = include_str!("../../docs/monitoring.md");
const OPERATIONS: &str = include_str!("../../docs/operations.md");
const ALERTS: &str = include_str!("../../monitoring/alerts.yml");
const DASHBOARD: &str = include_str!("../../monitoring/grafana/dashboards/pool.json");
const ENV_EXAMPLE: &str = include_str!("../../.env.example");
const COMPOSE: [&str; 4] = [
    include_str!("../../docker-compose.yml"),
    include_str!("../../docker-compose.tls.yml"),
    include_str!("../../docker-compose.ha.yml"),
    include_str!("../../docker-compose.monitoring.yml"),
];

/// What reads settings of the deployment besides Compose, by `setting NAME DEFAULT`.
const SCRIPTS: &str = include_str!("../../scripts/certificates-lib.sh");

/// A section of a document: from its heading to the next of its kind.
fn section<'a>(document: &'a str, heading: &str) -> &'a str {
    let rest = document.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section {heading}")).1;
    rest.split("\n## ").next().unwrap()
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The rows of its tables whose first cell begins with a backtick, cell by cell.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.split('|').skip(1).map(str::trim).collect()).collect()
}

/// The names in the first cells; each only once.
fn first_cells(text: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for name in rows(text).iter().flat_map(|row| quoted(row[0])) {
        assert!(names.insert(name), "{name} is there twice");
    }
    names
}

/// The settings that a part of the configuration's code reads.
fn read_in(sources: &[&str]) -> BTreeSet<&'static str> {
    let reads = |name: &&str| sources.iter().any(|source| source.contains(&format!("\"{name}\"")));
    NAMES.into_iter().filter(reads).collect()
}

/// The variables of the compose files and of scripts, each with its default if it has one.
fn deployment_variables() -> BTreeMap<&'static str, Option<&'static str>> {
    let variable = Regex::new(r"\$\{([A-Z0-9_]+)(?::-([^}]*))?").unwrap();
    let mut variables: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for found in COMPOSE.into_iter().flat_map(|file| variable.captures_iter(file)) {
        let (name, default) = (found.get(1).unwrap().as_str(), found.get(2).map(|text| text.as_str()));
        let default = default.filter(|text| !text.is_empty());
        let known = variables.entry(name).or_insert(default);
        assert!(known.is_none() || default.is_none() || *known == default, "{name} has two defaults");
        *known = known.or(default);
    }
    let read = Regex::new(r"\$\(setting ([A-Z0-9_]+) ([^)]*)\)").unwrap();
    for found in read.captures_iter(SCRIPTS) {
        variables.insert(found.get(1).unwrap().as_str(), found.get(2).map(|text| text.as_str()));
    }
    variables
}

#[test]
fn every_setting_is_in_the_table_of_the_program_that_reads_it() {
    let shared = include_str!("../src/config/shared.rs");
    let admin = [include_str!("../src/config/admin.rs"), include_str!("../src/config/seal_key.rs")];
    let mut both = read_in(&[shared]);
    both.insert("POOLMANAGER_CONFIG_FILE");
    assert_eq!(first_cells(section(CONFIGURATION, "Both programs")), both);
    assert_eq!(first_cells(section(CONFIGURATION, "app")), read_in(&[include_str!("../src/config/app.rs")]));
    assert_eq!(first_cells(section(CONFIGURATION, "admin")), read_in(&admin));
    let setup = section(CONFIGURATION, "`poolmanager-admin setup-mongo`");
    assert_eq!(first_cells(setup), read_in(&[include_str!("../src/config/first_mongo.rs")]));
    assert_eq!(first_cells(CONFIGURATION), NAMES.into_iter().collect());
}

#[test]
fn every_variable_of_the_compose_files_is_documented() {
    let variables = deployment_variables();
    let (ours, programs) = (first_cells(section(DEPLOYMENT, "Settings")), first_cells(CONFIGURATION));
    for name in variables.keys() {
        assert!(ours.contains(name) || programs.contains(name), "{name} is in no table");
    }
    for name in ours {
        assert!(variables.contains_key(name) || name == "COMPOSE_FILE", "{name} is in no compose file and no script");
    }
}

/// What the programs read comes from `.env` by the same name, or the deployment says why it does not.
#[test]
fn every_setting_can_be_set_in_env_or_is_said_to_be_fixed() {
    let fixed = first_cells(section(DEPLOYMENT, "What the deployment fixes"));
    let base = COMPOSE[0];
    for name in NAMES {
        let passed = base.contains(&format!(" {name}: ${{{name}:"));
        assert!(passed != fixed.contains(name), "{name}: passed {passed}, and the opposite is said");
    }
    for name in fixed {
        assert!(NAMES.contains(&name), "{name} is no setting");
        let written = base.lines().any(|line| line.contains(&format!("${{{name}")));
        assert!(!written, "{name} is fixed, and yet asked of .env");
    }
}

#[test]
fn defaults_are_told_as_they_are() {
    let variables = deployment_variables();
    for row in rows(section(DEPLOYMENT, "Settings")) {
        let (names, defaults) = (quoted(row[0]), quoted(row[1]));
        if names == ["COMPOSE_FILE"] || defaults.is_empty() {
            continue;
        }
        assert_eq!(names.len(), defaults.len(), "{row:?}");
        for (name, default) in names.into_iter().zip(defaults) {
            assert_eq!(variables[name], Some(default), "{name}");
        }
    }
    for line in ENV_EXAMPLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (name, value) = line.split_once('=').unwrap();
        let known = variables.get(name).unwrap_or_else(|| panic!("{name} of .env.example is in no compose file"));
        let same = known.is_none_or(|default| default == value);
        assert!(same, "{name} is {value:?} in .env.example and {known:?} in the compose file");
    }
}

#[test]
fn alarms_and_the_dashboard_ask_for_what_is_told() {
    let told = first_cells(MONITORING);
    let name = Regex::new(r"\b(?:poolmanager|process)_[a-z_]+").unwrap();
    for (file, text) in [("alerts.yml", ALERTS), ("pool.json", DASHBOARD)] {
        let asked: BTreeSet<&str> = name.find_iter(text).map(|found| found.as_str()).collect();
        assert!(asked.len() > 8, "{file}");
        for name in asked {
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
            assert!(told.contains(name) || family.is_some_and(|family| told.contains(family)), "{file}: {name}");
        }
    }
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
}

#[test]
fn every_alarm_and_every_kind_of_event_says_what_it_asks_for() {
    let alarm = Regex::new(r"- alert: (\w+)").unwrap();
    let alarms: BTreeSet<&str> = alarm.captures_iter(ALERTS).map(|found| found.get(1).unwrap().as_str()).collect();
    assert_eq!(first_cells(section(OPERATIONS, "Alarms")), alarms);
    let kinds: BTreeSet<&str> = EventKind::ALL.into_iter().map(EventKind::as_str).collect();
    assert_eq!(first_cells(section(OPERATIONS, "Events")), kinds);
}
