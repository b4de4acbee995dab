//! A relay in front of mongod that can do what networks do: lose a request, lose an answer, stand still.

use std::sync::{Arc, Mutex};

use e2e::mongod::Mongod;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What happens to the next command of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The connection breaks before the server sees it.
    RequestLost,
    /// The server carries it out, and the connection breaks before its answer is heard.
    AnswerLost,
    /// It gets no further, and the connection stays.
    Held,
}

/// The commands that write.
const WRITES: [&str; 4] = ["insert", "update", "delete", "findAndModify"];

/// What is to happen, and what has happened.
#[derive(Default)]
struct State {
    /// The names that are meant, how many of them pass before, how many are hit, and what hits them.
    plan: Option<(&'static [&'static str], u32, u32, Fate)>,
    /// Writes that came by.
    writes: u32,
}

type Plan = Arc<Mutex<State>>;

/// The relay.
pub struct Proxy {
    port: u16,
    plan: Plan,
    met: Arc<Notify>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    pub async fn before(mongod: &Mongod) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (plan, met) = (Plan::default(), Arc::new(Notify::new()));
        let (to, planned, tell) = (mongod.port(), plan.clone(), met.clone());
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (plan, met) = (planned.clone(), tell.clone());
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await {
                        relay(client, server, plan, met).await;
                    }
                });
            }
        });
        Proxy { port, plan, met, task }
    }

    pub fn url(&self) -> String {
        Mongod::direct_url(self.port)
    }

    /// Deals so with the next command of this name on a collection.
    pub fn next(&self, command: &'static [&'static str], fate: Fate) {
        self.plan.lock().expect("the plan").plan = Some((command, 0, 1, fate));
    }

    /// Lets so many writes pass, then deals so with the next and its repetition by the driver.
    pub fn spoil_write(&self, after: u32, fate: Fate) {
        self.plan.lock().expect("the plan").plan = Some((&WRITES, after, 2, fate));
    }

    /// Spoils nothing any more; the writes that came by since the last time.
    pub fn rest(&self) -> u32 {
        std::mem::take(&mut *self.plan.lock().expect("the plan")).writes
    }

    /// Waits until that has happened.
    pub async fn happened(&self) {
        let met = tokio::time::timeout(std::time::Duration::from_secs(20), self.met.notified());
        met.await.expect("the command comes in time");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether a message has this command: its document begins with a text field of that name.
fn is_command(message: &[u8], name: &str) -> bool {
    let field = [b"\x02", name.as_bytes(), b"\0"].concat();
    message.windows(field.len()).take(64).any(|window| window == field)
}

impl State {
    /// What happens to this message.
    fn meets(&mut self, message: &[u8]) -> Option<Fate> {
        self.writes += u32::from(WRITES.iter().any(|name| is_command(message, name)));
        let (names, before, hits, fate) = self.plan.as_mut()?;
        if !names.iter().any(|name| is_command(message, name)) {
            return None;
        }
        if *before > 0 {
            *before -= 1;
            return None;
        }
        let fate = *fate;
        *hits -= 1;
        if *hits == 0 {
            self.plan = None;
        }
        Some(fate)
    }
}

async fn relay(mut client: TcpStream, mut server: TcpStream, plan: Plan, met: Arc<Notify>) {
    let (mut question, mut answer) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let mut lose_answer = false;
    loop {
        tokio::select! {
            read = client.read(&mut question) => {
                let Ok(n @ 1..) = read else { return };
                let fate = plan.lock().expect("the plan").meets(&question[..n]);
                match fate {
                    Some(Fate::RequestLost) => return met.notify_one(),
                    Some(Fate::Held) => {
                        met.notify_one();
                        // Until the client goes.
                        while matches!(client.read(&mut question).await, Ok(1..)) {}
                        return;
                    }
                    Some(Fate::AnswerLost) => lose_answer = true,
                    None => {}
                }
                if server.write_all(&question[..n]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answer) => {
                let Ok(n @ 1..) = read else { return };
                if lose_answer {
                    return met.notify_one();
                }
                if client.write_all(&answer[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}
