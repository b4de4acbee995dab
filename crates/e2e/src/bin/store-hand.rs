//! A hand on a store, in a process of its own, so that tests can run several and kill them.
//!
//! `store-hand sqlite PATH app|admin JOB` or `store-hand mongo URL DATABASE JOB`. Each line of output is a thing that
//! the store said is done. Jobs: `live` takes clusters through their whole life, one after the other, for ever;
//! `claim FLAVOR USER` takes clusters until there are none left; `hold` opens no store but keeps the file's write lock, as
//! a backup or a shell may, until its input ends.
#![expect(clippy::print_stdout, reason = "its output is how the test knows what was done")]

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use common::clock;
use common::model::{
    Actor, Cluster, ClusterId, ClusterName, Event, EventKind, FlavorId, HostId, HostName, Metadata, NewCluster,
    NodeName, Slot, UserId,
};
use common::store::{Applied, Apply, Holding, SharedStore, StoreTarget, StoreUser, open};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let word = |n: usize| args.get(n).map(String::as_str).context("too few words");
    let (target, user) = match (word(0)?, word(2)?) {
        ("sqlite", "app") => (StoreTarget::Sqlite { path: word(1)?.into() }, StoreUser::App),
        ("sqlite", "admin") => (StoreTarget::Sqlite { path: word(1)?.into() }, StoreUser::Admin),
        ("mongo", database) => (StoreTarget::Mongo { url: word(1)?.into(), database: database.into() }, StoreUser::App),
        _ => bail!("sqlite PATH app|admin, or mongo URL DATABASE"),
    };
    if let (StoreTarget::Sqlite { path }, "hold") = (&target, word(3)?) {
        return hold(path);
    }
    let store = open(&target, user).await?;
    println!("open");
    match word(3)? {
        "live" => live(&store).await?,
        "claim" => claim(&store, word(4)?, word(5)?).await?,
        job => bail!("{job} is no job"),
    }
    store.close().await;
    Ok(())
}

fn hold(path: &std::path::Path) -> anyhow::Result<()> {
    let conn = rusqlite::Connection::open(path)?;
    conn.busy_timeout(MINUTE)?;
    conn.execute_batch("BEGIN EXCLUSIVE")?;
    println!("held");
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}

fn event(reason: &str) -> Event {
    Event::new(clock::now(), EventKind::Creating, Actor::Reconciler, reason)
}

fn apply(flavor: &str, user: &str) -> anyhow::Result<Apply> {
    Ok(Apply {
        user: UserId::parse(user)?,
        flavors: vec![FlavorId::parse(flavor)?],
        holding: Holding::GiveAnother,
        most: None,
        key: None,
        metadata: Metadata::new(),
        now: clock::now(),
    })
}

async fn claim(store: &SharedStore, flavor: &str, user: &str) -> anyhow::Result<()> {
    loop {
        match store.apply(apply(flavor, user)?).await? {
            Applied::New(cluster) => println!("applied {}", cluster.id),
            Applied::NoneFree => return Ok(()),
            other => bail!("{other:?}"),
        }
    }
}

async fn live(store: &SharedStore) -> anyhow::Result<()> {
    let (host, name) = (HostId::random(), HostName::parse("h1")?);
    for slot in (0..1_000).cycle() {
        let now = clock::now();
        let new = Cluster::begin(NewCluster {
            id: ClusterId::random(),
            name: ClusterName::of(&name, Slot(slot)),
            host: host.clone(),
            host_name: name.clone(),
            slot: Slot(slot),
            flavor: FlavorId::parse("a")?,
            flavor_digest: "digest".into(),
            size: 1,
            nodes: vec![NodeName::parse("vp0")?],
            endpoints: BTreeMap::new(),
            now,
            deadline: now + MINUTE,
        });
        store.insert_cluster(&new, event("begun")).await?;
        println!("begun {}", new.id);
        let free = new.offer_out(rand::random(), now + MINUTE, now)?;
        store.move_cluster(&new, &free, Some(event("offered"))).await?;
        println!("offered {}", new.id);
        let Applied::New(held) = store.apply(apply("a", "ann")?).await? else { bail!("nothing was free") };
        let lease = held.lease().context("no lease")?.id.clone();
        println!("applied {} {lease}", held.id);
        let released = held.release("ann", clock::now())?;
        store.move_cluster(&held, &released, Some(event("released"))).await?;
        println!("released {} {lease}", held.id);
        store.vanish(&released, event("vanished")).await?;
        println!("vanished {} {lease}", held.id);
    }
    Ok(())
}
