//! `poolmanager-admin setup-mongo` on a real mongod that asks for users and has none.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::process::{Command, Output};

use common::store::{self, StoreTarget, StoreUser};
use e2e::mongod::Mongod;
use e2e::program::binary;

const ROOT: &str = "root-password-of-the-test";
const USER: &str = "user-password-of-the-test";
const APP: &str = "app-password-of-the-test";

fn set_up(mongod: &Mongod, root: &str, password: &str, members: &str) -> Output {
    Command::new(binary("poolmanager-admin").unwrap())
        .arg("setup-mongo")
        .env_clear()
        .env("MONGO_SETUP_URL", format!("mongodb://127.0.0.1:{}/", mongod.port()))
        .env("MONGO_MEMBERS", members)
        .env("MONGO_ROOT_PASSWORD", root)
        .env("MONGO_PASSWORD", password)
        .env("MONGO_APP_PASSWORD", APP)
        .env("MONGO_COLLECTION", "pool")
        .output()
        .unwrap()
}

async fn opens(mongod: &Mongod, password: &str, database: &str) -> Result<(), String> {
    let url = format!("mongodb://poolmanager:{password}@127.0.0.1:{}/?replicaSet=rs0&authSource=admin", mongod.port());
    let target = StoreTarget::Mongo { url, database: database.into() };
    match store::open(&target, StoreUser::Admin).await {
        Ok(store) => {
            store.close().await;
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_mongod_becomes_a_set_with_users_however_often_it_is_asked() {
    let mongod = Mongod::start_guarded().unwrap();
    let members = format!("127.0.0.1:{}", mongod.port());
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();

    let first = set_up(&mongod, ROOT, USER, &members);
    assert!(first.status.success(), "{}", said(&first));
    assert!(said(&first).contains("made the replica set") && said(&first).contains("made the user root"));
    assert!(said(&first).contains("made the user poolmanager-app"));
    opens(&mongod, USER, "pool").await.unwrap();

    // Again: nothing is made twice, and a new password takes the place of the old one.
    let again = set_up(&mongod, ROOT, "another-password-now", &members);
    assert!(again.status.success(), "{}", said(&again));
    assert!(!said(&again).contains("made the replica set"));
    opens(&mongod, "another-password-now", "pool").await.unwrap();
    assert!(opens(&mongod, USER, "pool").await.unwrap_err().contains("refuses to let us in"));
    // That user may use this database alone.
    assert!(opens(&mongod, "another-password-now", "elsewhere").await.is_err());

    let wrong = set_up(&mongod, "not-the-root-password", USER, &members);
    assert_eq!(wrong.status.code(), Some(1), "{}", said(&wrong));
    assert!(said(&wrong).contains("refuses to let us in"), "{}", said(&wrong));
    let other = set_up(&mongod, ROOT, USER, "elsewhere:27017");
    assert!(
        !other.status.success() && said(&other).contains("MONGO_MEMBERS names elsewhere:27017"),
        "{}",
        said(&other)
    );
    for output in [first, again, wrong, other] {
        let shown = [ROOT, USER, APP].iter().any(|password| said(&output).contains(password));
        assert!(!shown, "no password is shown");
    }
}

#[test]
fn what_setup_mongo_lacks_is_named() {
    let output = Command::new(binary("poolmanager-admin").unwrap()).arg("setup-mongo").env_clear().output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("MONGO_ROOT_PASSWORD must be set"), "{said}");
}
