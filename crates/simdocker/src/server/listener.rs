//! Where the API is listened on.

use std::fmt;
use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use anyhow::{Context, bail};
use tokio::net::{TcpStream, UnixListener};

use super::serve;
use crate::host::Shared;
use crate::ports::{Closed, Listening, Open, Target, closing};
use crate::{Listen, PortMode, SimOptions};

/// Where it is, its port chosen: what a host comes back to after it was down.
#[derive(Clone, Debug)]
pub(crate) enum Bound {
    /// A listener of its own.
    Tcp(SocketAddrV4),
    /// A part of a common one.
    Shared(SocketAddrV4),
    /// A Unix socket.
    Unix(PathBuf),
}

/// The API is listened on for as long as this lives.
#[derive(Debug)]
pub(crate) enum ApiListener {
    /// By TCP.
    Tcp(#[expect(dead_code, reason = "held for its drop")] Listening),
    /// By a Unix socket.
    Unix(#[expect(dead_code, reason = "held for its drop")] UnixApi),
}

/// A Unix socket, whose file goes with it.
#[derive(Debug)]
pub(crate) struct UnixApi {
    path: PathBuf,
    task: tokio::task::AbortHandle,
    _open: Open,
}

/// Takes the API's connections.
struct ApiPort(Weak<Shared>);

impl fmt::Debug for ApiPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiPort")
    }
}

impl Target for ApiPort {
    fn connected(&self, stream: TcpStream, closed: Closed) {
        // Answers are small and many: waiting to fill a packet would cost 40 ms each.
        let _ = stream.set_nodelay(true);
        let host = self.0.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = closed.wait() => {}
                () = serve(stream, host) => {}
            }
        });
    }
}

impl Bound {
    /// Where the options want it; a port of 0 stays 0.
    pub(crate) fn wanted(options: &SimOptions) -> anyhow::Result<Self> {
        match &options.listen {
            Listen::Unix(path) => Ok(Self::Unix(path.clone())),
            Listen::Shared(port) => Ok(Self::Shared(SocketAddrV4::new(options.address, *port))),
            Listen::Tcp(at) => match at.ip() {
                IpAddr::V4(ip) if ip.is_loopback() => Ok(Self::Tcp(SocketAddrV4::new(ip, at.port()))),
                // Whoever reaches it owns it, as with a real engine without TLS.
                other => bail!("a simulated engine listens on loopback addresses only, not on {other}"),
            },
        }
    }

    /// Listens there; gives the place with its port chosen.
    pub(crate) fn listen(&self, options: &SimOptions, host: Weak<Shared>) -> anyhow::Result<(Self, ApiListener)> {
        match self {
            Self::Tcp(at) => {
                let listening = Listening::exact(*at, Arc::new(ApiPort(host)));
                let listening = listening.with_context(|| format!("listening on tcp://{at}"))?;
                let at = match listening.address() {
                    SocketAddr::V4(at) => at,
                    SocketAddr::V6(_) => *at,
                };
                Ok((Self::Tcp(at), ApiListener::Tcp(listening)))
            }
            Self::Shared(at) => {
                let PortMode::Shared(_) = &options.ports else {
                    bail!("Listen::Shared needs PortMode::Shared");
                };
                let listening = options.ports.listen(*at, Arc::new(ApiPort(host)));
                let listening = listening.with_context(|| format!("listening on tcp://{at} with others"))?;
                Ok((self.clone(), ApiListener::Tcp(listening)))
            }
            Self::Unix(path) => Ok((self.clone(), ApiListener::Unix(UnixApi::listen(path, host)?))),
        }
    }

    /// By which it is added as a host.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Tcp(at) | Self::Shared(at) => format!("tcp://{at}"),
            Self::Unix(path) => format!("unix://{}", path.display()),
        }
    }
}

impl UnixApi {
    fn listen(path: &std::path::Path, host: Weak<Shared>) -> anyhow::Result<Self> {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            bail!("somebody answers on unix://{} already", path.display());
        }
        // Nobody answers there: what is left of a former run may go, if it is a socket.
        let is_socket = std::fs::symlink_metadata(path)
            .is_ok_and(|meta| std::os::unix::fs::FileTypeExt::is_socket(&meta.file_type()));
        if is_socket {
            std::fs::remove_file(path).with_context(|| format!("removing the old {}", path.display()))?;
        }
        let listener = UnixListener::bind(path).with_context(|| format!("listening on unix://{}", path.display()))?;
        let (open, closed) = closing();
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    tokio::time::sleep(crate::ports::AFTER_FAILURE).await;
                    continue;
                };
                let (host, closed) = (host.clone(), closed.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = closed.wait() => {}
                        () = serve(stream, host) => {}
                    }
                });
            }
        });
        Ok(Self { path: path.to_owned(), task: task.abort_handle(), _open: open })
    }
}

impl Drop for UnixApi {
    fn drop(&mut self) {
        self.task.abort();
        // With its file gone nobody connects any more, though the listener may live a moment longer.
        let _ = std::fs::remove_file(&self.path);
    }
}
