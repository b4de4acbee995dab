//! `poolmanager-admin backup` and `restore` as operators run them: exit status, what is said, who may read the file, and
//! what is left when they are killed in the middle.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::clock;
use common::model::{Actor, Event, EventKind};
use common::store::{EventFilter, Page, SharedStore, StoreTarget, StoreUser, open};
use e2e::mongod::Mongod;
use e2e::program::{Environment, Program, binary};

const EVENTS: u64 = 6_000;

/// A store, and the variables by which the programs find it.
struct Place {
    target: StoreTarget,
    environment: Environment,
}

fn file_in(folder: &Path) -> Place {
    let environment = [("DATA_DIR".to_owned(), folder.display().to_string())].into();
    Place { target: StoreTarget::Sqlite { path: folder.join("poolmanager.db") }, environment }
}

fn database(url: String, name: &str) -> Place {
    let set = [("MONGO_URL", url.as_str()), ("MONGO_DB", name)];
    let environment = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Place { target: StoreTarget::Mongo { url, database: name.to_owned() }, environment }
}

impl Place {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary("poolmanager-admin").unwrap());
        command.args(arguments).env_clear().envs(&self.environment);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    async fn store(&self) -> SharedStore {
        open(&self.target, StoreUser::App).await.unwrap()
    }

    async fn events(&self) -> Vec<Event> {
        let store = self.store().await;
        let found = store.list_events(&EventFilter::default(), &Page::first(10_000)).await.unwrap();
        store.close().await;
        found
    }

    async fn fill(&self) {
        let store = self.store().await;
        let make = |n| Event::new(clock::now(), EventKind::Access, Actor::Reconciler, format!("event {n}"));
        let events: Vec<Event> = (0..EVENTS).map(make).collect();
        store.append_events(&events).await.unwrap();
        store.close().await;
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_goes_from_a_file_to_a_guarded_mongod_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let from = file_in(&folder.path().join("from"));
    from.fill().await;
    let events = from.events().await;
    let path = folder.path().join("pool.backup");
    let name = path.to_str().unwrap();
    let made = from.run(&["backup", name]);
    assert!(made.status.success(), "{}", said(&made));
    assert!(said(&made).contains(&format!("{EVENTS} events")) && said(&made).contains("keep it private"));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let again = from.run(&["backup", name]);
    assert_eq!(again.status.code(), Some(1), "{}", said(&again));
    assert!(said(&again).contains("is there already"), "{}", said(&again));

    let mongod = Mongod::start_guarded().unwrap();
    let set_up = Command::new(binary("poolmanager-admin").unwrap())
        .arg("setup-mongo")
        .env_clear()
        .env("MONGO_SETUP_URL", format!("mongodb://127.0.0.1:{}/", mongod.port()))
        .env("MONGO_MEMBERS", format!("127.0.0.1:{}", mongod.port()))
        .env("MONGO_ROOT_PASSWORD", "root-password-of-the-test")
        .env("MONGO_PASSWORD", "user-password-of-the-test")
        .env("MONGO_APP_PASSWORD", "app-password-of-the-test")
        .env("MONGO_COLLECTION", "pool")
        .output()
        .unwrap();
    assert!(set_up.status.success(), "{}", said(&set_up));
    let user = "poolmanager:user-password-of-the-test";
    let url = format!("mongodb://{user}@127.0.0.1:{}/?replicaSet=rs0&authSource=admin", mongod.port());
    let to = database(url, "pool");
    let restored = to.run(&["restore", name]);
    assert!(restored.status.success(), "{}", said(&restored));
    assert!(!said(&restored).contains("user-password"), "no password is shown");
    assert_eq!(to.events().await, events);

    // By the output and the input, as scripts/backup.sh does it.
    let streamed = to.run(&["backup", "-"]);
    assert!(streamed.status.success(), "{}", said(&streamed));
    let back = file_in(&folder.path().join("back"));
    let mut restoring = back.command(&["restore", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    restoring.stdin.take().unwrap().write_all(&streamed.stdout).unwrap();
    let output = restoring.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(back.events().await, events);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_beside_a_running_admin_and_a_restore_is_refused_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut place = file_in(&folder.path().join("data"));
    let log = folder.path().join("admin.log");
    place.environment.insert("ADMIN_PORT".into(), "0".into());
    let mut admin = Program::start("poolmanager-admin", &[], &place.environment, &log).unwrap();
    admin.address().await.unwrap();
    let path = folder.path().join("pool.backup");
    let made = place.run(&["backup", path.to_str().unwrap()]);
    assert!(made.status.success(), "{}", said(&made));
    assert!(said(&made).contains("1 operators"), "{}", said(&made));
    let refused = place.run(&["restore", path.to_str().unwrap(), "--replace"]);
    assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
    assert!(said(&refused).contains("another admin"), "{}", said(&refused));
    admin.end(Duration::from_secs(20)).await.unwrap();
    let restored = place.run(&["restore", path.to_str().unwrap()]);
    assert!(restored.status.success(), "{}", said(&restored));

    let bytes = std::fs::read(&path).unwrap();
    let cut = folder.path().join("cut.backup");
    std::fs::write(&cut, &bytes[..bytes.len() - 9]).unwrap();
    let refused = place.run(&["restore", cut.to_str().unwrap(), "--replace"]);
    assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
    assert!(said(&refused).contains("nothing of it was restored"), "{}", said(&refused));
    let missing = place.run(&["restore", "/nonexistent/file"]);
    assert_eq!(missing.status.code(), Some(1), "{}", said(&missing));
    assert!(said(&missing).contains("/nonexistent/file"), "{}", said(&missing));
    assert_eq!(place.run(&["restore"]).status.code(), Some(2));
}

/// Half of the file has come when the process is killed.
async fn a_killed_restore_changes_nothing(from: &Place, to: &Place) {
    from.fill().await;
    let before = to.events().await;
    let streamed = from.run(&["backup", "-"]).stdout;
    let mut restoring = to.command(&["restore", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = restoring.stdin.take().unwrap();
    input.write_all(&streamed[..streamed.len() * 3 / 4]).unwrap();
    input.flush().unwrap();
    // What it has read it has also begun to load: the pipe holds less than was written.
    restoring.kill().unwrap();
    let ended = restoring.wait_with_output().unwrap();
    assert!(!ended.status.success());
    assert_eq!(to.events().await, before);
    // The lock of one that was killed is void after ten seconds; until then it is said who has it.
    let begun = Instant::now();
    loop {
        let mut restoring = to.command(&["restore", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut input = restoring.stdin.take().unwrap();
        let bytes = streamed.clone();
        let writer = std::thread::spawn(move || drop(input.write_all(&bytes)));
        let ended = restoring.wait_with_output().unwrap();
        writer.join().unwrap();
        if ended.status.success() {
            break;
        }
        assert_eq!(ended.status.code(), Some(3), "{}", said(&ended));
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", said(&ended));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(to.events().await.len() as u64, EVENTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_of_a_file_that_is_killed_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (file_in(&folder.path().join("a")), file_in(&folder.path().join("b")));
    a_killed_restore_changes_nothing(&from, &to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_of_a_database_that_is_killed_changes_nothing() {
    let mongod = Mongod::start().await.unwrap();
    let (from, to) = (database(mongod.url(), "a"), database(mongod.url(), "b"));
    a_killed_restore_changes_nothing(&from, &to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_backup_leaves_no_file_of_that_name() {
    let folder = tempfile::tempdir().unwrap();
    let place = file_in(&folder.path().join("data"));
    place.fill().await;
    let path = folder.path().join("pool.backup");
    let mut running = place.command(&["backup", path.to_str().unwrap()]).spawn().unwrap();
    let is_begun = || {
        let names = std::fs::read_dir(folder.path()).unwrap();
        names.into_iter().any(|name| name.unwrap().file_name().to_string_lossy().ends_with(".partial"))
    };
    let begun = Instant::now();
    while !is_begun() && running.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never begins");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    running.kill().unwrap();
    running.wait().unwrap();
    if path.exists() {
        // It was done already; then it is whole.
        let other = file_in(&folder.path().join("other"));
        assert!(other.run(&["restore", path.to_str().unwrap()]).status.success());
    } else {
        let again = place.run(&["backup", path.to_str().unwrap()]);
        assert!(again.status.success(), "{}", said(&again));
    }
}
