//! One port that is listened on, for as long as a value lives.

use std::fmt;
use std::io;
use std::net::{Shutdown, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

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
pub(crate) struct Closed(watch::Receiver<()>);

impl Closed {
    /// Waits until the port is closed.
    pub(crate) async fn wait(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

/// A port that is listened on. Dropping it closes the port, and the connections that came by it.
#[derive(Debug)]
pub(crate) struct Listening {
    at: SocketAddr,
    /// Dropped with this value, which is what [`Closed`] waits for.
    _open: watch::Sender<()>,
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
                    Err(_) if closed.0.has_changed().is_err() => return,
                    Err(_) => tokio::time::sleep(AFTER_FAILURE).await,
                }
            }
        });
        Ok(Self { at, _open: open, how: How::Exact(listener, task.abort_handle()) })
    }

    pub(super) fn shared(at: SocketAddrV4, open: watch::Sender<()>, port: SharedPort) -> Self {
        Self { at: at.into(), _open: open, how: How::Shared(port) }
    }

    /// Where it is, its port chosen.
    pub(crate) fn address(&self) -> SocketAddr {
        self.at
    }
}

/// The two ends that tell connections when their port closes.
pub(crate) fn closing() -> (watch::Sender<()>, Closed) {
    let (open, closed) = watch::channel(());
    (open, Closed(closed))
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
