//! A private, real MongoDB of three: one replica set on free ports of the loopback, with elections that are quick.
//!
//! Its members end with this value, and with this process, however that ends.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use mongodb::Client;
use mongodb::bson::{Document, doc};

use crate::mongod::Mongod;

/// How many; the fewest that go on without one.
pub const MEMBERS: usize = 3;

/// Without a primary for so long, they elect another. MongoDB's own ten seconds would only make tests longer.
const ELECTION_TIMEOUT_MS: i32 = 2000;

/// One that was stepped down keeps from being elected so long.
const STAND_BACK_SECONDS: i32 = 5;

/// From the wish to a primary that takes writes; some two seconds on an idle machine.
const ELECTION_LIMIT: Duration = Duration::from_secs(60);

/// For one question to one member.
const ASK_LIMIT: Duration = Duration::from_secs(2);

/// A running set.
#[derive(Debug)]
pub struct ReplicaSet {
    members: Vec<Mongod>,
}

impl ReplicaSet {
    /// Starts three and waits until one of them takes writes.
    pub async fn start() -> anyhow::Result<ReplicaSet> {
        let (a, b, c) = tokio::join!(Mongod::start_member(), Mongod::start_member(), Mongod::start_member());
        let set = ReplicaSet { members: vec![a?, b?, c?] };
        let members: Vec<Document> = (0i32..)
            .zip(&set.members)
            .map(|(id, member)| doc! { "_id": id, "host": format!("127.0.0.1:{}", member.port()) })
            .collect();
        let settings = doc! { "electionTimeoutMillis": ELECTION_TIMEOUT_MS };
        let config = doc! { "_id": "rs", "members": members, "settings": settings };
        ask(set.members[0].port(), doc! { "replSetInitiate": config }, ELECTION_LIMIT).await.context("initiating")?;
        set.primary().await?;
        Ok(set)
    }

    /// How clients reach it.
    pub fn url(&self) -> String {
        let hosts: Vec<String> = self.members.iter().map(|member| format!("127.0.0.1:{}", member.port())).collect();
        format!("mongodb://{}/?replicaSet=rs", hosts.join(","))
    }

    /// Waits until a member takes writes; which.
    pub async fn primary(&self) -> anyhow::Result<usize> {
        let ends = Instant::now() + ELECTION_LIMIT;
        loop {
            let hellos = self.members.iter().map(|member| ask(member.port(), doc! { "hello": 1 }, ASK_LIMIT));
            let hellos = futures_util::future::join_all(hellos).await;
            let writable = |hello: &anyhow::Result<Document>| {
                hello.as_ref().is_ok_and(|hello| hello.get_bool("isWritablePrimary").unwrap_or(false))
            };
            match hellos.iter().position(writable) {
                Some(primary) => return Ok(primary),
                None if Instant::now() > ends => {
                    bail!("no primary after {ELECTION_LIMIT:?}; the last look: {hellos:?}")
                }
                None => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Makes the primary step down and waits until there is one again, which is another as a rule. Who it was before.
    pub async fn step_down(&self) -> anyhow::Result<usize> {
        let ends = Instant::now() + ELECTION_LIMIT;
        let command = doc! {
            "replSetStepDown": STAND_BACK_SECONDS, "secondaryCatchUpPeriodSecs": STAND_BACK_SECONDS - 1, "force": true,
        };
        loop {
            let primary = self.primary().await?;
            // Refused by one that is about to lose its place anyway; then there is soon another to ask.
            match ask(self.members[primary].port(), command.clone(), ELECTION_LIMIT).await {
                Ok(_) => {
                    self.primary().await?;
                    return Ok(primary);
                }
                Err(error) if Instant::now() > ends => return Err(error.context("stepping down")),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Ends a member as a power cut would.
    pub fn kill(&mut self, member: usize) {
        self.members[member].kill();
    }

    /// Starts it again on its files.
    pub async fn restart(&mut self, member: usize) -> anyhow::Result<()> {
        self.members[member].restart().await
    }

    /// Stops a member where it is (SIGSTOP): its connections stay, and it answers nothing.
    pub fn freeze(&self, member: usize) -> anyhow::Result<()> {
        self.members[member].freeze()
    }

    /// Lets it go on.
    pub fn thaw(&self, member: usize) -> anyhow::Result<()> {
        self.members[member].thaw()
    }
}

/// Asks one member, whatever it is in the set.
async fn ask(port: u16, command: Document, limit: Duration) -> anyhow::Result<Document> {
    let url = format!("{}&serverSelectionTimeoutMS=1000&connectTimeoutMS=1000", Mongod::direct_url(port));
    let client = Client::with_uri_str(url).await?;
    let answer = tokio::time::timeout(limit, client.database("admin").run_command(command)).await;
    client.shutdown().immediate(true).await;
    Ok(answer.with_context(|| format!("no answer from port {port} within {limit:?}"))??)
}
