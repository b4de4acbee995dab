//! A relay in front of a server, which can hold back one request until it is told to let it go: what a slow network does to
//! a write that its sender has long forgotten.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// For what must come.
const LIMIT: Duration = Duration::from_secs(90);

/// How far the request that is to be held has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// None is to be held, or it has not come yet.
    Open,
    /// It is here.
    Held,
    /// It may go on.
    LetGo,
    /// The server has answered it.
    Answered,
}

/// The relay. Ends with this value.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    marks: Marks,
    stage: Arc<watch::Sender<Stage>>,
    task: tokio::task::JoinHandle<()>,
}

type Marks = Arc<Mutex<Option<Vec<&'static str>>>>;

impl Relay {
    /// Listens on a free port of the loopback for a server on another.
    pub async fn before(server: u16) -> anyhow::Result<Relay> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (marks, stage) = (Marks::default(), Arc::new(watch::Sender::new(Stage::Open)));
        let (looks_for, tells) = (marks.clone(), stage.clone());
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (marks, stage) = (looks_for.clone(), tells.clone());
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await {
                        let _ = carry(client, server, &marks, &stage).await;
                    }
                });
            }
        });
        Ok(Relay { port, marks, stage, task })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Holds back the next request that has all these texts in it.
    pub fn hold(&self, marks: &[&'static str]) {
        self.stage.send_replace(Stage::Open);
        *self.marks.lock().unwrap_or_else(PoisonError::into_inner) = Some(marks.to_vec());
    }

    /// Waits until it is here.
    pub async fn held(&self) -> anyhow::Result<()> {
        self.reached(Stage::Held).await
    }

    /// Lets it go on, whether or not its sender still waits, and waits until the server has answered it.
    pub async fn let_go(&self) -> anyhow::Result<()> {
        self.stage.send_replace(Stage::LetGo);
        self.reached(Stage::Answered).await
    }

    async fn reached(&self, stage: Stage) -> anyhow::Result<()> {
        let mut now = self.stage.subscribe();
        let waited = tokio::time::timeout(LIMIT, now.wait_for(|now| *now >= stage)).await;
        waited.with_context(|| format!("not {stage:?} within {LIMIT:?}"))??;
        Ok(())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Carries one connection until either side ends it.
async fn carry(
    mut client: TcpStream,
    mut server: TcpStream,
    marks: &Mutex<Option<Vec<&'static str>>>,
    stage: &watch::Sender<Stage>,
) -> std::io::Result<()> {
    let (mut question, mut answer) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let mut held_here = false;
    loop {
        tokio::select! {
            read = client.read(&mut question) => {
                let request = &question[..read?];
                if request.is_empty() {
                    return Ok(());
                }
                if is_marked(request, marks) {
                    stage.send_replace(Stage::Held);
                    let mut now = stage.subscribe();
                    let _ = now.wait_for(|now| *now == Stage::LetGo).await;
                    held_here = true;
                }
                server.write_all(request).await?;
            }
            read = server.read(&mut answer) => {
                let reply = &answer[..read?];
                if reply.is_empty() {
                    return Ok(());
                }
                if std::mem::take(&mut held_here) {
                    stage.send_replace(Stage::Answered);
                }
                client.write_all(reply).await?;
            }
        }
    }
}

/// Whether this is the one; there is none after it.
fn is_marked(request: &[u8], marks: &Mutex<Option<Vec<&'static str>>>) -> bool {
    let has = |mark: &&str| request.windows(mark.len()).any(|window| window == mark.as_bytes());
    let mut marks = marks.lock().unwrap_or_else(PoisonError::into_inner);
    let all = marks.as_ref().is_some_and(|marks| marks.iter().all(has));
    if all {
        *marks = None;
    }
    all
}
