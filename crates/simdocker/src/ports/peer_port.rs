//! What answers on a published port: the peer's REST, silence while it is frozen, or nothing of use.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::listening::{Closed, Target};
use crate::engine::Process;
use crate::image::Behaviour;

/// Where a peer's REST is, in the container.
const REST: u16 = 7050;
/// Where peers speak to each other, in the container; here they need no socket for it.
const GOSSIP: u16 = 7051;
/// No request to a peer is larger, in bytes.
const LARGEST: usize = 1 << 20;

/// The inside of a published port.
#[derive(Debug)]
pub(crate) struct PeerPort {
    pub(crate) process: Arc<Process>,
    pub(crate) container_port: u16,
}

impl Target for PeerPort {
    fn connected(&self, stream: TcpStream, closed: Closed) {
        let (process, port) = (self.process.clone(), self.container_port);
        tokio::spawn(async move {
            tokio::select! {
                () = closed.wait() => {}
                () = serve(stream, process, port) => {}
            }
        });
    }
}

async fn serve(mut stream: TcpStream, process: Arc<Process>, port: u16) {
    match process.behaviour {
        Behaviour::Peer | Behaviour::ChaincodeStarter if port == REST => rest(stream, process).await,
        // Something listens there, and waits for a word that nobody here understands.
        Behaviour::Peer | Behaviour::ChaincodeStarter if port == GOSSIP => {
            let mut heard = [0; 1024];
            while matches!(stream.read(&mut heard).await, Ok(1..)) {}
        }
        // A peer's other ports take a connection and close it; so does the host's proxy where nobody listens behind it.
        Behaviour::Peer | Behaviour::ChaincodeStarter | Behaviour::Idle | Behaviour::Exits { .. } => {
            process.runs().await;
        }
    }
}

async fn rest(stream: TcpStream, process: Arc<Process>) {
    let service = service_fn(move |request: Request<hyper::body::Incoming>| answer(request, process.clone()));
    // A client that breaks off is its own affair.
    let _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<hyper::body::Incoming>,
    process: Arc<Process>,
) -> Result<Response<Body>, Box<dyn std::error::Error + Send + Sync>> {
    let (head, body) = request.into_parts();
    let body: Bytes = to_bytes(Body::new(body), LARGEST).await?;
    if !process.runs().await {
        return Err("the process has ended".into());
    }
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let Some(said) = process.ask(head.method.as_str(), path, &body) else {
        return Err("nobody answers".into());
    };
    let mut response = Response::new(Body::from(said.body));
    *response.status_mut() = StatusCode::from_u16(said.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok::<_, Infallible>(response).map_err(Into::into)
}
