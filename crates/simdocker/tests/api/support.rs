//! What the tests share: a host, plain HTTP to it and to what it publishes, a project of four peers by bollard.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use bollard::Docker;
use hyper::Request;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use simdocker::{SimHost, SimOptions};
use tokio::net::TcpStream;

/// Longer than anything here takes on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A host of its own for a test.
pub async fn host() -> SimHost {
    SimHost::start(SimOptions::fresh()).await.unwrap()
}

/// bollard, as the product uses it.
pub fn docker(host: &SimHost) -> Docker {
    Docker::connect_with_http(&host.url(), 10, bollard::API_DEFAULT_VERSION).unwrap()
}

/// Waits for something, and says what if it does not come.
pub async fn wait_until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(last) if start.elapsed() > DEADLINE => panic!("{what}: not in {DEADLINE:?}; last seen: {last}"),
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

/// Waits until a container is in a state.
pub async fn wait_state(host: &SimHost, name: &str, state: &str) {
    wait_until(&format!("{name} {state}"), async || match host.container(name) {
        Some(container) if container.state == state => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

/// An answer to plain HTTP: status and body, `Null` if it is empty, a string if it is no JSON.
pub type Answer = (u16, Value);

/// Asks the host's API; the path without version.
pub async fn ask(host: &SimHost, method: &str, path: &str, body: Option<Value>) -> Answer {
    let address = host.url().strip_prefix("tcp://").unwrap().parse().unwrap();
    request(address, method, path, body).await.unwrap()
}

/// GET.
pub async fn get(host: &SimHost, path: &str) -> Answer {
    ask(host, "GET", path, None).await
}

/// POST with a body.
pub async fn post(host: &SimHost, path: &str, body: Value) -> Answer {
    ask(host, "POST", path, Some(body)).await
}

/// POST without a body.
pub async fn act(host: &SimHost, path: &str) -> Answer {
    ask(host, "POST", path, None).await
}

/// DELETE.
pub async fn delete(host: &SimHost, path: &str) -> Answer {
    ask(host, "DELETE", path, None).await
}

/// Asks a published port of a host.
pub async fn port(host: &SimHost, port: u16, path: &str) -> Result<Answer, String> {
    request(SocketAddr::from((host.address(), port)), "GET", path, None).await
}

/// One request on a connection of its own.
pub async fn request(at: SocketAddr, method: &str, path: &str, body: Option<Value>) -> Result<Answer, String> {
    let stream = TcpStream::connect(at).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let builder = Request::builder().method(method).uri(path).header("host", "sim");
    let request = builder.body(Body::from(body.map_or_else(String::new, |body| body.to_string()))).unwrap();
    let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    let bytes = to_bytes(Body::new(answer.into_body()), 64 << 20).await.map_err(|error| error.to_string())?;
    drop(sender);
    connection.abort();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let value = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::String(text)) };
    Ok((status, value))
}

/// What an error answer says.
pub fn message(answer: &Answer) -> &str {
    answer.1["message"].as_str().unwrap_or_default()
}

/// The filters of a query, encoded.
pub fn filters(filters: Value) -> String {
    filters.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The body of a peer's create call: peer `number` of `of` of a network, REST published on `port`.
pub fn peer_body(network: &str, number: u16, of: u16, port: u16) -> Value {
    let mut env = vec![
        format!("CORE_PEER_ID=vp{number}"),
        format!("CORE_PEER_NETWORKID={network}"),
        "CORE_PEER_ADDRESSAUTODETECT=true".to_owned(),
        "CORE_PEER_VALIDATOR_CONSENSUS_PLUGIN=pbft".to_owned(),
        format!("CORE_PBFT_GENERAL_N={of}"),
        "CORE_PBFT_GENERAL_MODE=batch".to_owned(),
        "CORE_PBFT_GENERAL_TIMEOUT_BATCH=1ms".to_owned(),
    ];
    if number > 0 {
        env.push("CORE_PEER_DISCOVERY_ROOTNODE=vp0:7051".to_owned());
    }
    json!({
        "Image": "poolmanager/fabricsim:0.6",
        "Cmd": ["peer", "node", "start"],
        "Env": env,
        "Labels": {"com.docker.compose.project": network, "com.docker.compose.service": format!("vp{number}")},
        "ExposedPorts": {"7050/tcp": {}},
        "HostConfig": {
            "NetworkMode": network,
            "PortBindings": {"7050/tcp": [{"HostIp": "0.0.0.0", "HostPort": port.to_string()}]},
            "RestartPolicy": {"Name": "unless-stopped"},
            "Memory": 512 << 20,
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
        },
        "NetworkingConfig": {"EndpointsConfig": {network: {"Aliases": [format!("vp{number}")]}}},
    })
}

/// A network and its peers `NETWORK_vp0`, ..., started; REST on `first_port`, `first_port + 1`, ...
pub async fn bring_up(host: &SimHost, network: &str, subnet: &str, peers: u16, first_port: u16) {
    let body = json!({"Name": network, "IPAM": {"Config": [{"Subnet": subnet}]}, "Labels": {"net": network}});
    assert_eq!(post(host, "/networks/create", body).await.0, 201);
    for number in 0..peers {
        let body = peer_body(network, number, peers, first_port + number);
        let made = post(host, &format!("/containers/create?name={network}_vp{number}"), body).await;
        assert_eq!(made.0, 201, "{made:?}");
        assert_eq!(act(host, &format!("/containers/{network}_vp{number}/start")).await, (204, Value::Null));
    }
}

/// Names that a peer lists.
pub async fn listed(host: &SimHost, rest: u16) -> Vec<String> {
    let (_, value) = port(host, rest, "/network/peers").await.unwrap();
    let peers = value["peers"].as_array().cloned().unwrap_or_default();
    let mut names: Vec<String> = peers.iter().map(|peer| peer["ID"]["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}
