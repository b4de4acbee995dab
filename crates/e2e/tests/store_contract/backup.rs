//! Rules of backup and restore: a restored store has all that the other had, whichever of the two it is, and nothing
//! half is ever taken for a whole.

use std::collections::BTreeSet;
use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::clock;
use common::model::{ApplyCount, Cluster, HostId, OperatorId, PhaseKind, Sample, Subject, Timestamp, Why};
use common::store::backup::{BackupError, Counts, Kind, LEFT_OUT, Over, Progress, Restored, backup, restore};
use common::store::{
    Applied, ClusterFilter, EventCursor, EventFilter, Holding, LeaseFilter, Page, SharedStore, StoreTarget, TokenFilter,
};
use mongodb::Client;
use mongodb::bson::{Document, doc};

use crate::backup_file::{lines, newer_schema, packed, signed, text};
use crate::home::{Home, mongod};
use crate::kept::evidence;
use crate::made::{MINUTE, apply, creating, event, flavor, free, host, key, new_one, pool, release};
use crate::people::{operator, session};
use crate::tokens;

/// A place for a backup that outlives the call.
#[derive(Clone, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Write for Bytes {
    fn write(&mut self, more: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(more)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn back_up(home: &Home) -> (Vec<u8>, Counts) {
    let bytes = Bytes::default();
    let counts = backup(home.target(), bytes.clone(), clock::now(), Progress::default()).await.unwrap();
    let bytes = bytes.0.lock().unwrap().clone();
    (bytes, counts)
}

async fn put_back(home: &Home, bytes: &[u8], over: Over) -> Result<Restored, BackupError> {
    restore(home.target(), Cursor::new(bytes.to_vec()), over, Progress::default()).await
}

/// Another store of the same sort, and one of the other.
async fn others(home: &Home) -> [Home; 2] {
    let (file, server) = (Home::sqlite(), Home::mongo().await);
    if home.is_file() { [file, server] } else { [server, file] }
}

/// Something of everything: clusters in all phases, two users' leases, events, evidence, applies, operators, tokens.
async fn a_pool_with_leases(store: &SharedStore) {
    let now = clock::now();
    let h1 = host("h1");
    store.insert_host(&h1, event("host added")).await.unwrap();
    store.insert_host(&host("h2"), event("host added")).await.unwrap();
    for slot in 0..6 {
        free(store, &h1.id, slot, "a").await;
    }
    store.insert_cluster(&creating(&h1.id, 6, "a"), event("made")).await.unwrap();
    let mut anns = apply("Ann O'Neil", &["a"], Holding::GiveAnother);
    anns.key = key("her-key");
    anns.metadata.insert("a.b$c%".into(), "\u{e9}\0".into());
    new_one(store.apply(anns).await.unwrap());
    let ended = new_one(store.apply(apply("bob", &["a"], Holding::GiveSame)).await.unwrap());
    let ended = release(store, &ended).await;
    store.vanish(&ended, event("gone")).await.unwrap();
    let leaving = new_one(store.apply(apply("bob", &["a"], Holding::GiveSame)).await.unwrap());
    release(store, &leaving).await;
    let lost = new_one(store.apply(apply("cy", &["a"], Holding::GiveSame)).await.unwrap());
    let gone = lost.release("cy", now).unwrap().lose("host gone".into(), now).unwrap();
    store.move_cluster(&lost, &lost.release("cy", now).unwrap(), None).await.unwrap();
    store.move_cluster(&lost.release("cy", now).unwrap(), &gone, None).await.unwrap();
    for slot in [7, 8] {
        let made = creating(&h1.id, slot, "a");
        store.insert_cluster(&made, event("made")).await.unwrap();
        let failed = made.fail(Why::PoolShrunk, now).unwrap();
        store.move_cluster(&made, &failed, None).await.unwrap();
        if slot == 8 {
            let removing = failed.remove(Why::PoolShrunk, now).unwrap();
            store.move_cluster(&failed, &removing, None).await.unwrap();
        }
        store.put_evidence(&evidence(&made, now)).await.unwrap();
    }
    let minute = Timestamp::from_millis(60_000_000);
    let count = |of: &str| ApplyCount { minute, flavor: flavor(of), given: 3, missed: 4 };
    store.count_applies(&[count("a"), count("b")]).await.unwrap();
    let values = |n: u64| [("vp0/cpu".to_owned(), n), ("memory".to_owned(), n << 33)].into();
    let sample = |n: u64, subject: Subject| Sample {
        subject,
        minute: minute + MINUTE * u32::try_from(n).unwrap(),
        values: values(n),
    };
    store.put_samples(&[sample(0, Subject::Pool), sample(7, Subject::Pool), sample(70, Subject::Pool)]).await.unwrap();
    store.put_samples(&[sample(3, Subject::Host(h1.id.clone()))]).await.unwrap();
    store.insert_operator(&operator("op")).await.unwrap();
    for token in [tokens::token("ann", now), tokens::token("bob", now)] {
        store.insert_token(&token, event("made")).await.unwrap();
        store.revoke_token(&token.id, &tokens::end(now), event("ended")).await.unwrap();
    }
    store.insert_token(&tokens::token("cy", now), event("made")).await.unwrap();
    store.put_session(&session(&OperatorId::random())).await.unwrap();
    store.take_lock("admin", "http://a", MINUTE, now).await.unwrap();
    store.drop_lock("admin").await.unwrap();
}

/// All that a store tells, line by line; of free clusters without what is on offer.
async fn contents(store: &SharedStore) -> Vec<String> {
    let page = Page::first(10_000);
    let mut lines = vec![format!("{:?}", store.pool_id())];
    let mut add = |what: String| lines.push(what);
    store.list_hosts().await.unwrap().iter().for_each(|host| add(format!("{host:?}")));
    let clusters = store.list_clusters(&ClusterFilter::default(), &page).await.unwrap();
    clusters.into_iter().for_each(|cluster| add(format!("{:?}", Cluster { offer: None, ..cluster })));
    let leases = store.list_lease_records(&LeaseFilter::default(), &page).await.unwrap();
    leases.iter().for_each(|lease| add(format!("{lease:?}")));
    store.list_events(&EventFilter::default(), &page).await.unwrap().iter().for_each(|e| add(format!("{e:?}")));
    let first = EventCursor("0".into());
    let told = store.tail_events(Some(&first), &EventFilter::default(), 10_000).await.unwrap();
    add(format!("{told:?}"));
    store.list_evidence(None, &page).await.unwrap().iter().for_each(|bundle| add(format!("{bundle:?}")));
    store.applies(Timestamp::from_millis(0)).await.unwrap().iter().for_each(|count| add(format!("{count:?}")));
    let tokens = store.list_tokens(&TokenFilter::default(), &page).await.unwrap();
    tokens.iter().for_each(|token| add(format!("{token:?} {}", token.hash)));
    let hosts = store.list_hosts().await.unwrap().into_iter().map(|host| Subject::Host(host.id));
    for subject in hosts.chain([Subject::Pool]) {
        let samples = store.samples(&subject, Timestamp::from_millis(0)).await.unwrap();
        add(format!("{samples:?}"));
    }
    store.list_operators().await.unwrap().iter().for_each(|operator| add(format!("{operator:?}")));
    lines
}

pub async fn a_restored_store_has_all_that_the_other_had(home: &Home) {
    let store = home.app().await;
    a_pool_with_leases(&store).await;
    let before = contents(&store).await;
    // While it is in use.
    let (bytes, counts) = back_up(home).await;
    assert!(Kind::ALL.iter().all(|kind| counts[kind] > 0), "{counts:?}");
    store.close().await;
    for other in others(home).await {
        let restored = put_back(&other, &bytes, Over::Nothing).await.unwrap();
        assert_eq!(restored.counts, counts);
        let store = other.admin().await;
        assert_eq!(contents(&store).await, before);

        // Who held one holds it; her key gives the same; and nothing is on offer until admin has looked.
        let mut again = apply("Ann O'Neil", &["a"], Holding::GiveSame);
        again.key = key("her-key");
        assert!(matches!(store.apply(again).await.unwrap(), Applied::Held(_)));
        let someone = store.apply(apply("dee", &["a"], Holding::GiveSame)).await.unwrap();
        assert_eq!(someone, Applied::NoneFree);
        // Life goes on: numbers of events, and the lock's term.
        store.append_events(&[event("after")]).await.unwrap();
        let told = contents(&store).await;
        assert!(told.iter().any(|line| line.contains("after")), "{told:?}");
        let lock = store.take_lock("admin 2", "http://a", MINUTE, clock::now()).await.unwrap().unwrap();
        assert!(lock.term >= 2, "{lock:?}");
        store.close().await;
        // And from there to the next.
        let (again, _) = back_up(&other).await;
        let third = Home::sqlite();
        put_back(&third, &again, Over::Nothing).await.unwrap();
        let store = third.app().await;
        assert_eq!(contents(&store).await, told);
        store.close().await;
    }
}

pub async fn a_backup_is_a_snapshot(home: &Home) {
    let (app, admin) = (home.app().await, home.admin().await);
    pool(&app, 30, "a").await;
    let (ended, mut took) = (Arc::new(Mutex::new(false)), Vec::new());
    let writing = tokio::spawn({
        let (app, ended) = (app.clone(), ended.clone());
        async move {
            // One event for each cluster that goes, right with it on SQLite and right after it on MongoDB.
            while !*ended.lock().unwrap() {
                let Applied::New(held) = app.apply(apply("ann", &["a"], Holding::GiveAnother)).await.unwrap() else {
                    break;
                };
                let released = release(&app, &held).await;
                app.vanish(&released, event("gone")).await.unwrap();
            }
        }
    });
    for _ in 0..4 {
        let (bytes, counts) = back_up(home).await;
        took.push((bytes, counts));
    }
    *ended.lock().unwrap() = true;
    writing.await.unwrap();
    for (bytes, counts) in took {
        assert_eq!(counts[&Kind::Cluster] + counts[&Kind::Lease], 30 + doubles(&bytes), "{counts:?}");
    }
    app.close().await;
    admin.close().await;
}

/// Leases that a backup holds as ended and whose clusters are still there: for a moment that is so on MongoDB.
fn doubles(bytes: &[u8]) -> u64 {
    let lines = lines(bytes);
    let ids = |kind: &str, path: &[&str]| -> BTreeSet<String> {
        let of_kind = lines.iter().filter_map(|line| line.get(kind));
        let at =
            |value: &serde_json::Value| path.iter().try_fold(value.clone(), |value, part| value.get(part).cloned());
        of_kind.filter_map(|record| Some(at(record)?.as_str()?.to_owned())).collect()
    };
    let (there, ended) = (ids("cluster", &["id"]), ids("lease", &["cluster"]));
    there.intersection(&ended).count() as u64
}

pub async fn what_is_cut_off_altered_or_not_ours_is_refused_and_changes_nothing(home: &Home) {
    let store = home.app().await;
    a_pool_with_leases(&store).await;
    let (bytes, _) = back_up(home).await;
    store.close().await;
    let other = &others(home).await[0];
    let store = other.app().await;
    store.insert_operator(&operator("who was there")).await.unwrap();
    let before = contents(&store).await;
    store.close().await;

    let plain = text(&bytes);
    let half = plain[..plain.len() / 2].to_owned();
    let without = |part: &str| {
        plain.lines().filter(|line| !line.contains(part)).map(|line| format!("{line}\n")).collect::<String>()
    };
    let mut flipped = bytes.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x10;
    let longer = |more: &[u8]| [bytes.as_slice(), more].concat();
    let doubled = {
        let host = plain.lines().find(|line| line.starts_with("{\"host\"")).unwrap();
        let count = plain.matches("{\"host\":{").count();
        let more = plain.replacen(host, &format!("{host}\n{host}"), 1);
        signed(&more.replace(&format!("\"host\":{count}"), &format!("\"host\":{}", count + 1)))
    };
    let broken: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("a text", b"poolmanager".to_vec()),
        ("another gzip", packed("hello\n")),
        ("another JSON", packed("{\"a\":1}\n")),
        ("cut in the middle", bytes[..bytes.len() / 2].to_vec()),
        ("cut by a byte", bytes[..bytes.len() - 1].to_vec()),
        ("a bit is another", flipped),
        ("half of the lines, packed anew", packed(&half)),
        ("without its end", packed(&without("{\"end\""))),
        ("a record is missing", packed(&without("{\"operator\""))),
        ("a user is another", packed(&plain.replace("O'Neil", "O'Niel"))),
        ("something after it", longer(b"more")),
        ("another one after it", longer(&bytes)),
        ("a line after its end", packed(&format!("{plain}{{}}\n"))),
        ("a record that is none", signed(&plain.replacen("\"phase\":\"free\"", "\"phase\":\"flea\"", 1))),
        ("one host twice", doubled),
        ("a newer format", packed(&plain.replacen("\"poolmanager_backup\":1", "\"poolmanager_backup\":2", 1))),
        ("a newer schema", packed(&newer_schema(&plain))),
    ];
    for (what, bytes) in broken {
        let refused = put_back(other, &bytes, Over::Everything).await;
        match (what, &refused) {
            ("nothing" | "a text" | "another gzip" | "another JSON", Err(BackupError::Foreign(_))) => {}
            ("a newer format" | "a newer schema", Err(BackupError::Newer { .. })) => {}
            (_, Err(BackupError::Damaged(_))) => {}
            _ => panic!("{what}: {refused:?}"),
        }
        let store = other.app().await;
        assert_eq!(contents(&store).await, before, "{what}");
        store.close().await;
    }
    put_back(other, &bytes, Over::Nothing).await.unwrap();
}

pub async fn a_pool_is_replaced_only_when_that_is_said(home: &Home) {
    let store = home.app().await;
    a_pool_with_leases(&store).await;
    let (bytes, _) = back_up(home).await;
    let before = contents(&store).await;
    store.close().await;
    let other = &others(home).await[0];
    let store = other.app().await;
    pool(&store, 3, "b").await;
    store.insert_operator(&operator("new")).await.unwrap();
    let had = contents(&store).await;
    store.close().await;
    match put_back(other, &bytes, Over::Nothing).await {
        Err(BackupError::NotEmpty { hosts: 0, clusters: 3, leases: 0 }) => {}
        refused => panic!("{refused:?}"),
    }
    let store = other.app().await;
    assert_eq!(contents(&store).await, had);
    store.put_session(&session(&OperatorId::random())).await.unwrap();
    store.close().await;
    put_back(other, &bytes, Over::Everything).await.unwrap();
    let store = other.app().await;
    assert_eq!(contents(&store).await, before);
    store.close().await;
}

pub async fn nothing_is_restored_while_somebody_leads(home: &Home) {
    let store = home.admin().await;
    let (bytes, _) = back_up(home).await;
    store.take_lock("admin", "http://a:1", MINUTE, clock::now()).await.unwrap().unwrap();
    let refused = put_back(home, &bytes, Over::Everything).await.unwrap_err();
    assert!(refused.is_refusal(), "{refused}");
    let said = refused.to_string();
    assert!(said.contains(if home.is_file() { "another admin" } else { "http://a:1" }), "{said}");
    store.drop_lock("admin").await.unwrap();
    store.close().await;
    put_back(home, &bytes, Over::Everything).await.unwrap();
    // It leaves nobody in the lead.
    let store = home.admin().await;
    assert_eq!(store.lock().await.unwrap(), None);
    store.close().await;
}

pub async fn every_table_is_in_a_backup_or_left_out_on_purpose(home: &Home) {
    let store = home.app().await;
    a_pool_with_leases(&store).await;
    let found: BTreeSet<String> = match home.target() {
        StoreTarget::Sqlite { path } => {
            let conn = rusqlite::Connection::open(path).unwrap();
            let mut list = conn.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
            list.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
        }
        StoreTarget::Mongo { url, database } => {
            let client = Client::with_uri_str(url).await.unwrap();
            let names = client.database(database).list_collection_names().await.unwrap();
            names.into_iter().filter(|name| !name.starts_with("system.")).collect()
        }
    };
    let known: BTreeSet<&str> = Kind::ALL
        .into_iter()
        .map(|kind| if home.is_file() { kind.table() } else { kind.collection() })
        .chain(LEFT_OUT.iter().map(|(name, _)| *name))
        .collect();
    let unknown: Vec<&String> = found.iter().filter(|name| !known.contains(name.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}: say in common/src/store/backup/record.rs what a backup does with it");
    for kind in Kind::ALL {
        let name = if home.is_file() { kind.table() } else { kind.collection() };
        assert!(found.contains(name), "{name} is not in the store");
    }
    store.close().await;
}

/// What a killed restore may leave: staging, and at the worst the mark.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_was_killed_in_the_exchange_keeps_everybody_out_until_it_is_done_again() {
    let home = Home::mongo().await;
    let store = home.app().await;
    a_pool_with_leases(&store).await;
    let before = contents(&store).await;
    let (bytes, _) = back_up(&home).await;
    store.close().await;
    let StoreTarget::Mongo { url, database } = home.target() else { panic!("not MongoDB") };
    let client = Client::with_uri_str(url).await.unwrap();
    let db = client.database(database);
    db.collection::<Document>("restoring_hosts").insert_one(doc! { "_id": "half" }).await.unwrap();
    db.collection::<Document>("clusters").drop().await.unwrap();
    let mark = doc! { "$set": { "restoring": 1_i64 } };
    db.collection::<Document>("meta").update_one(doc! { "_id": "pool" }, mark).await.unwrap();

    let refused = common::store::open(home.target(), common::store::StoreUser::App).await.err().unwrap().to_string();
    assert!(refused.contains("interrupted in the middle"), "{refused}");
    let nothing = backup(home.target(), std::io::sink(), clock::now(), Progress::default()).await;
    assert!(nothing.unwrap_err().to_string().contains("interrupted in the middle"));
    put_back(&home, &bytes, Over::Nothing).await.unwrap();
    let store = home.app().await;
    assert_eq!(contents(&store).await, before);
    store.close().await;
    let names = db.list_collection_names().await.unwrap();
    assert!(!names.iter().any(|name| name.starts_with("restoring_")), "{names:?}");
}

/// Its journal would be replayed into the new file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_another_program_reads_is_left_alone() {
    let home = Home::sqlite();
    let store = home.app().await;
    a_pool_with_leases(&store).await;
    let (bytes, _) = back_up(&home).await;
    let before = contents(&store).await;
    store.append_events(&[event("since")]).await.unwrap();
    store.close().await;
    let StoreTarget::Sqlite { path } = home.target() else { panic!("not SQLite") };
    let shell = rusqlite::Connection::open(path).unwrap();
    let hosts = || shell.query_row("SELECT count(*) FROM host", [], |row| row.get::<_, u64>(0)).unwrap();
    assert_eq!(hosts(), 2);
    let reading = shell.unchecked_transaction().unwrap();
    assert_eq!(hosts(), 2);
    let refused = put_back(&home, &bytes, Over::Everything).await.unwrap_err().to_string();
    assert!(refused.contains("another program has"), "{refused}");
    drop(reading);
    put_back(&home, &bytes, Over::Everything).await.unwrap();
    let store = home.app().await;
    assert_eq!(contents(&store).await, before);
    // What it still has open is the old one, and does not touch the new one any more.
    shell.execute("DELETE FROM host", []).unwrap();
    assert_eq!(contents(&store).await, before);
    store.close().await;
    let store = home.app().await;
    assert_eq!(contents(&store).await, before);
    store.close().await;
    let folder = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let left: Vec<String> = folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.contains("restoring")), "{left:?}");
}

/// Events from before they had numbers stay in front of those that have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_without_numbers_stay_in_their_place() {
    let home = Home::mongo().await;
    let store = home.app().await;
    let all: Vec<_> = (0..6).map(|n| event(&format!("event {n}"))).collect();
    store.append_events(&all).await.unwrap();
    let StoreTarget::Mongo { url, database } = home.target() else { panic!("not MongoDB") };
    let db = Client::with_uri_str(url).await.unwrap().database(database);
    let events = db.collection::<Document>("events");
    let place = events.find_one(doc! { "seq": 3_i64 }).await.unwrap().unwrap();
    let from = doc! { "$set": { "numbered_from": place.get("order") } };
    db.collection::<Document>("meta").update_one(doc! { "_id": "pool" }, from).await.unwrap();
    let old = doc! { "seq": { "$lte": 3_i64 } };
    events.update_many(old, doc! { "$unset": { "seq": "" } }).await.unwrap();
    store.close().await;
    let store = home.app().await;
    let before = contents(&store).await;
    store.close().await;
    let (bytes, _) = back_up(&home).await;
    let file = Home::sqlite();
    put_back(&file, &bytes, Over::Nothing).await.unwrap();
    let (again, _) = back_up(&file).await;
    for (home, bytes) in [(Home::mongo().await, &bytes), (Home::mongo().await, &again), (file, &again)] {
        put_back(&home, bytes, Over::Everything).await.unwrap();
        let store = home.app().await;
        assert_eq!(contents(&store).await, before);
        store.close().await;
    }
}

/// The mongod of this binary is shared, so this looks only that the names are right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_cannot_be_backed_up() {
    let gone = StoreTarget::Sqlite { path: "/nonexistent/pool.db".into() };
    let refused = backup(&gone, std::io::sink(), clock::now(), Progress::default()).await.unwrap_err();
    assert!(refused.to_string().contains("there is no store at /nonexistent/pool.db"), "{refused}");
    let empty = StoreTarget::Mongo { url: mongod().await.url(), database: crate::home::database() };
    let refused = backup(&empty, std::io::sink(), clock::now(), Progress::default()).await.unwrap_err();
    assert!(refused.to_string().contains("there is no store at MongoDB, database t"), "{refused}");
}

/// Wide enough that it is no test of speed, and small enough that it can run with every other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_records_pass_in_a_stream() {
    let home = Home::sqlite();
    let store = home.app().await;
    let host = HostId::random();
    for batch in 0..10 {
        let events: Vec<_> = (0..500).map(|n| event(&format!("event {batch} {n}"))).collect();
        store.append_events(&events).await.unwrap();
    }
    store.insert_cluster(&creating(&host, 0, "a"), event("made")).await.unwrap();
    let before = contents(&store).await;
    store.close().await;
    let (bytes, counts) = back_up(&home).await;
    assert_eq!(counts[&Kind::Event], 5_001);
    let server = Home::mongo().await;
    tokio::time::timeout(Duration::from_secs(60), put_back(&server, &bytes, Over::Nothing)).await.unwrap().unwrap();
    let store = server.app().await;
    assert_eq!(contents(&store).await, before);
    let creating: Vec<_> = store.list_clusters(&ClusterFilter::default(), &Page::first(9)).await.unwrap();
    assert!(creating.iter().all(|cluster| cluster.phase.kind() == PhaseKind::Creating));
    store.close().await;
}
