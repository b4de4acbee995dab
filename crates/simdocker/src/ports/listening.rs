//! One port that is listened on, for as long as a value lives.

use std::fmt;
use std::io;
use std::net::{Shutdown, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::shared::SharedPort;

/// Out of descriptors, or a client gave up meanwhile: so long until the next try, so as not to spin.
pub(crate) const AFTER_FAILURE: Duration = Duration::from_millis(10);

/// What takes connections.
pub(crate) trait Target: Send + Sync + fmt::Debug {
    /// A connection was made. Its task ends when `closed` says so.
    fn connected(&self, stream: TcpStream, closed: Closed);
}

/// Tells a connection's task that the port it came by is closed.
#[derive(Clone, Debug)]
pub(crate) struct Closed(Arc<Gate>);

/// A port is open for as long as this lives.
#[derive(Debug)]
pub(crate) struct Open(Arc<Gate>);

/// Smaller than a channel: there may be half a million of these.
#[derive(Debug, Default)]
struct Gate {
    is_closed: AtomicBool,
    closes: Notify,
}

impl Closed {
    /// Waits until the port is closed.
    pub(crate) async fn wait(self) {
        // Made before the look, so that a close between the two is not missed.
        let closes = self.0.closes.notified();
        if !self.is_closed() {
            closes.await;
        }
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed.load(Ordering::SeqCst)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.is_closed.store(true, Ordering::SeqCst);
        self.0.closes.notify_waiters();
    }
}

/// A port that is listened on. Dropping it closes the port, and the connections that came by it.
#[derive(Debug)]
pub(crate) struct Listening {
    at: SocketAddr,
    /// Dropped with this value, which is what [`Closed`] waits for.
    _open: Open,
    how: How,
}

#[derive(Debug)]
enum How {
    Exact(Arc<TcpListener>, tokio::task::AbortHandle),
    /// Taken off the common listener when dropped.
    Shared(#[expect(dead_code, reason = "held for its drop")] SharedPort),
}

impl Listening {
    /// A listener of its own.
    pub(crate) fn exact(at: SocketAddrV4, target: Arc<dyn Target>) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(at)?;
        listener.set_nonblocking(true)?;
        let listener = Arc::new(TcpListener::from_std(listener)?);
        let at = listener.local_addr()?;
        let (open, closed) = closing();
        let accepting = listener.clone();
        let task = tokio::spawn(async move {
            loop {
                match accepting.accept().await {
                    Ok((stream, _)) => target.connected(stream, closed.clone()),
                    Err(_) if closed.is_closed() => return,
                    Err(_) => tokio::time::sleep(AFTER_FAILURE).await,
                }
            }
        });
        Ok(Self { at, _open: open, how: How::Exact(listener, task.abort_handle()) })
    }

    pub(super) fn shared(at: SocketAddrV4, open: Open, port: SharedPort) -> Self {
        Self { at: at.into(), _open: open, how: How::Shared(port) }
    }

    /// Where it is, its port chosen.
    pub(crate) fn address(&self) -> SocketAddr {
        self.at
    }
}

/// The two ends that tell connections when their port closes.
pub(crate) fn closing() -> (Open, Closed) {
    let gate = Arc::<Gate>::default();
    (Open(gate.clone()), Closed(gate))
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let How::Exact(listener, task) = &self.how {
            // The task may live a little longer than this value, but nobody may connect from now on.
            let _ = socket2::SockRef::from(&**listener).shutdown(Shutdown::Both);
            task.abort();
        }
    }
}
