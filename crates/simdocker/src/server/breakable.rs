//! A connection that can be reset rather than closed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// Says that a connection is to be reset when it ends.
#[derive(Clone, Debug, Default)]
pub(super) struct ResetSwitch(Arc<AtomicBool>);

impl ResetSwitch {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What can be reset.
pub(super) trait ResetOnClose {
    /// Makes the coming close a reset.
    fn reset_on_close(&self);
}

impl ResetOnClose for TcpStream {
    fn reset_on_close(&self) {
        // If it fails the connection is closed instead, which is a fault as well.
        let _ = socket2::SockRef::from(self).set_linger(Some(Duration::ZERO));
    }
}

impl ResetOnClose for UnixStream {
    /// A Unix socket knows no reset: it is closed.
    fn reset_on_close(&self) {}
}

/// A connection and its switch.
pub(super) struct Breakable<S: ResetOnClose> {
    inner: S,
    reset: ResetSwitch,
}

impl<S: ResetOnClose> Breakable<S> {
    pub(super) fn new(inner: S) -> (Self, ResetSwitch) {
        let reset = ResetSwitch::default();
        (Self { inner, reset: reset.clone() }, reset)
    }
}

impl<S: ResetOnClose> Drop for Breakable<S> {
    fn drop(&mut self) {
        if self.reset.0.load(Ordering::Relaxed) {
            self.inner.reset_on_close();
        }
    }
}

impl<S: AsyncRead + ResetOnClose + Unpin> AsyncRead for Breakable<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + ResetOnClose + Unpin> AsyncWrite for Breakable<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reset.0.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
