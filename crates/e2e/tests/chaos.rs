//! Chaos itself, for a moment, so that it cannot rot; and its command line. Two minutes of it: docs/benchmarks.md.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "in a test, a panic is the report, and how it went is shown"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use bollard::query_parameters::{ListContainersOptionsBuilder, ListNetworksOptions};
use e2e::on_engine::{REAL, connect};
use e2e::pool::PATIENCE;
use e2e::wait::wait_until;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn chaos(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaos"));
    let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
    println!("{}\n{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    output
}

#[test]
fn fifteen_seconds_of_chaos_lose_double_leak_and_leave_nothing() {
    let output = chaos(&["--seconds", "15"]);
    let words = String::from_utf8_lossy(&output.stderr);
    for fault in [
        "SIGKILL to an app",
        "SIGKILL to the admin that leads",
        "stepped down",
        "killed /",
        "paused /",
        "a stranger joined",
    ] {
        assert!(words.contains(fault), "{fault} has not happened");
    }
    let line = String::from_utf8_lossy(&output.stdout).lines().last().unwrap().to_owned();
    let found: serde_json::Value = serde_json::from_str(&line).unwrap();
    let keys: Vec<&str> = found.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "applies refused kills double_leases lost_leases leaked_objects store_engine_differences stuck";
    assert_eq!(keys, expected.split(' ').collect::<Vec<_>>());
    assert!(found["applies"].as_u64().unwrap() >= 4, "{line}");
    assert_eq!(found["kills"], 3, "{line}");
    for key in &keys[3..] {
        assert_eq!(found[*key], 0, "{line}");
    }
    assert!(output.status.success());
}

#[test]
fn what_it_does_not_understand_it_refuses_and_help_it_gives() {
    for wrong in [&["--seconds", "x"][..], &["--seconds", "0"], &["--seed", "-1"], &["--minutes", "2"], &["120"]] {
        let output = chaos(wrong);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{wrong:?}");
    }
    let help = chaos(&["--help"]);
    let words = String::from_utf8_lossy(&help.stdout);
    assert!(help.status.success() && words.contains("--seconds") && words.contains("--seed"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_it_ends_at_once_and_leaves_no_process_and_nothing_on_the_engine() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaos"));
    command.args(["--seconds", "60"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = said.next().unwrap().unwrap();
    let host =
        line.split(' ').find_map(|word| word.strip_prefix("host=")).unwrap_or_else(|| panic!("{line}")).to_owned();
    // In the midst of it.
    let begun = said.find(|line| line.as_ref().is_ok_and(|line| line.contains("killed /")));
    assert!(begun.is_some(), "it ended by itself");
    let all = descendants(child.id());
    // Three keepers with their mongods, two admins, two apps, of which one may be between two lives.
    assert!(all.len() >= 8, "{all:?}");
    assert!(!on_engine(&host).await.is_empty());

    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    let reader = std::thread::spawn(move || said.map_while(Result::ok).last());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{output:?}");
    assert_eq!(reader.join().unwrap().unwrap(), "chaos: interrupted");
    wait_until("its processes to be gone", PATIENCE, || async {
        let left: Vec<_> = all.iter().filter(|(pid, name)| name_of(**pid).as_ref() == Some(name)).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
    assert_eq!(on_engine(&host).await, Vec::<String>::new());
}

/// Names of containers, networks and volumes that a host of this name has, and of its strangers.
async fn on_engine(host: &str) -> Vec<String> {
    let docker = connect(REAL).unwrap();
    let options = ListContainersOptionsBuilder::default().all(true).build();
    let containers = docker.list_containers(Some(options)).await.unwrap();
    let networks = docker.list_networks(None::<ListNetworksOptions>).await.unwrap();
    let names = containers.into_iter().flat_map(|container| container.names.unwrap_or_default());
    let all = names.chain(networks.into_iter().filter_map(|network| network.name));
    all.filter(|name| name.trim_start_matches('/').starts_with(host) || name.contains(&format!("stranger-{host}")))
        .collect()
}

/// Processes below one, with their names.
fn descendants(of: u32) -> BTreeMap<u32, String> {
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // After the name, which may hold anything, come the state and the parent.
            let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect();
    let mut below = vec![of];
    let mut at = 0;
    while let Some(parent) = below.get(at).copied() {
        below.extend(parents.iter().filter(|(_, above)| *above == parent).map(|(pid, _)| *pid));
        at += 1;
    }
    below.into_iter().skip(1).filter_map(|pid| Some((pid, name_of(pid)?))).collect()
}

/// What a running process is; none for one that has ended and is still listed.
fn name_of(pid: u32) -> Option<String> {
    let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
    (!command.is_empty()).then_some(command)
}
