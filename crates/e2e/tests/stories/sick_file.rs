//! SQLite's file cannot be written for a while, because somebody else keeps its lock or the disk is full: nobody is lied to,
//! nothing is changed on the engine meanwhile, and all go on by themselves.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::say;
use e2e::house::{App, House};
use e2e::operator::Operator;
use e2e::pool::PATIENCE;
use e2e::program::binary;
use e2e::small_disk::SmallDisk;
use e2e::wait::wait_until;
use simdocker::{SimHost, SimOptions};

/// Longer than the reconciler's lock holds.
const SICK: Duration = Duration::from_secs(15);

/// What admin had begun when the file fell ill may still reach the engine.
const SETTLES: Duration = Duration::from_secs(6);

struct Pool<'a> {
    house: &'a House,
    sim: &'a SimHost,
    app: &'a App,
    operator: &'a Operator,
    lease: String,
}

impl Pool<'_> {
    async fn unreadiness(&self) -> Result<(), String> {
        let ask = [("action", "apply"), ("user_id", "bob")];
        for (path, query) in [("/v2/cluster_op", &ask[..]), ("/readyz", &[])] {
            let answer = self.app.get(path, query).await.map_err(|error| format!("{error:#}"))?;
            if answer.status != 503 || answer.header("retry-after").parse::<u32>().is_err() {
                return Err(format!("{path}: {} {} {:?}", answer.status, answer.text, answer.headers));
            }
        }
        Ok(())
    }

    /// `bob` is given nothing while it is ill. A node of a free cluster dies, which admin would mend at once if it could
    /// write down that it will.
    async fn bears(&self, what: &str, sicken: impl AsyncFnOnce(), heal: impl AsyncFnOnce()) {
        let clusters = self.house.until(self.operator, "1 free, 1 in_use").await;
        let free = clusters.iter().find(|cluster| cluster["phase"] == "free").unwrap();
        let free = free["id"].as_str().unwrap().to_owned();
        sicken().await;
        let begun = Instant::now();
        wait_until("applies to be refused for now", PATIENCE, || self.unreadiness()).await;
        let given = self.app.apply("alice").await;
        if let Ok(Ok(again)) = &given {
            assert_eq!(again["id"], *self.lease, "what she holds can be read, if anything");
        }
        tokio::time::sleep(SETTLES.saturating_sub(begun.elapsed())).await;
        let asked = self.sim.journal().count();
        let nodes = self.house.engine.look().await.unwrap();
        if let Some(found) = nodes.get(&free) {
            let path = format!("/containers/{}/kill", found.node("vp2").unwrap().id);
            assert_eq!(self.sim.call("POST", &path, "").await.0, 204);
        }
        let ill = Instant::now();
        while ill.elapsed() < SICK {
            self.unreadiness().await.unwrap();
            assert_eq!(self.app.get("/healthz", &[]).await.unwrap().status, 200);
        }
        let calls = self.sim.journal().calls();
        let ours = |path: &str| path.ends_with("/kill");
        let changed: Vec<_> = calls
            .iter()
            .filter(|call| call.number > asked && !matches!(call.method.as_str(), "GET" | "HEAD"))
            .filter(|call| !ours(&call.path))
            .collect();
        assert!(changed.is_empty(), "{what}, and on the engine: {changed:#?}");

        heal().await;
        let back = Instant::now();
        let again = wait_until("app to serve again", PATIENCE, || async {
            match self.app.apply("alice").await {
                Ok(Ok(again)) => Ok(again),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        assert_eq!(again["id"], *self.lease, "she holds what she held");
        let served = back.elapsed();
        wait_until("the broken one to go", PATIENCE, || async {
            let there = self.operator.get(&format!("/api/v1/clusters/{free}")).await.map_err(|e| format!("{e:#}"))?;
            if there.status == 404 { Ok(()) } else { Err(format!("{} {}", there.status, there.text)) }
        })
        .await;
        self.house.until(self.operator, "1 free, 1 in_use").await;
        say(&format!("{what}: served again {served:?} after it, whole {:?} after", back.elapsed()));
    }
}

/// Another program that keeps the write lock of the file.
fn hold(path: &std::path::Path) -> Child {
    let mut command = Command::new(binary("store-hand").unwrap());
    command.arg("sqlite").arg(path).args(["app", "hold"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut holder = command.spawn().unwrap();
    let mut said = std::io::BufReader::new(holder.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    assert_eq!(line, "held\n");
    holder
}

/// Uses up what room the database's own files still have on a full disk.
fn use_up(file: &std::path::Path) {
    let conn = rusqlite::Connection::open(file).unwrap();
    conn.busy_timeout(Duration::from_secs(10)).unwrap();
    conn.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    let put = "INSERT INTO meta (key, value) VALUES ('filler ' || ?1, hex(zeroblob(1500)))";
    let full = (0..100_000).find_map(|n| conn.execute(put, [n]).err()).unwrap();
    assert_eq!(full.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull), "{full}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_its_file_is_locked_or_its_disk_is_full_the_pool_waits_and_then_goes_on_by_itself() {
    const NAME: &str =
        "sick_file::while_its_file_is_locked_or_its_disk_is_full_the_pool_waits_and_then_goes_on_by_itself";
    let Some(disk) = SmallDisk::for_test(NAME, 8 << 20).unwrap() else { return };
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let address = sim.address().to_string();
    let mut house = House::on_sqlite(2).unwrap().with_engine(&sim.url(), &address).unwrap();
    house.set("DATA_DIR", &disk.path().join("data").display().to_string());
    let admin = house.start_admin().await.unwrap();
    let app = house.start_app().await.unwrap();
    let operator = admin.operator().await.unwrap();
    let host = house.add_host(&operator, 2).await.unwrap();
    house.until(&operator, "2 free").await;
    let lease = app.apply("alice").await.unwrap().unwrap()["id"].as_str().unwrap().to_owned();
    let pool = Pool { house: &house, sim: &sim, app: &app, operator: &operator, lease };

    let file = disk.path().join("data/poolmanager.db");
    assert!(file.is_file(), "{:?}", std::fs::read_dir(disk.path().join("data")).unwrap().collect::<Vec<_>>());
    let holder = std::cell::RefCell::new(None);
    let let_go = async || {
        let mut holder: Child = holder.borrow_mut().take().unwrap();
        drop(holder.stdin.take());
        assert!(holder.wait().unwrap().success());
    };
    pool.bears("locked by another", async || drop(holder.replace(Some(hold(&file)))), let_go).await;
    let fill = async || {
        disk.fill().unwrap();
        use_up(&file);
    };
    pool.bears("on a full disk", fill, async || disk.free().unwrap()).await;

    app.release(&pool.lease).await.unwrap();
    house.until(&operator, "2 free").await;
    assert_eq!(operator.items("/api/v1/records?user=alice").await.unwrap().len(), 1);
    house.leave(&operator, &host).await.unwrap();
}
