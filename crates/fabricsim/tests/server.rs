//! Peers over real sockets on loopback, in threads and as the binary.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fabricsim::PeerConfig;
use fabricsim::server::{Addresses, Level, Log, Server};
use serde_json::{Value, json};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn start(n: usize, root: &str, folder: Option<&Path>) -> Server {
    let config = PeerConfig::from_env([
        ("CORE_PEER_ADDRESSAUTODETECT", "true"),
        ("CORE_PEER_ID", &format!("vp{n}")),
        ("CORE_PEER_NETWORKID", "loopback"),
        ("CORE_PEER_DISCOVERY_ROOTNODE", root),
        ("CORE_PEER_VALIDATOR_CONSENSUS_PLUGIN", "pbft"),
        ("CORE_PBFT_GENERAL_N", "4"),
        ("CORE_PBFT_GENERAL_BATCHSIZE", "2"),
    ])
    .unwrap();
    let addresses = Addresses { rest: ANY, peer: ANY, cli: ANY, events: ANY };
    Server::start(config, addresses, folder.map(Into::into), Log(Level::Warning)).unwrap()
}

/// Everything that comes back for these bytes.
fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // It may answer and close before all is written.
    let _early = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _reset = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let answer = raw(
        address,
        format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}").as_bytes(),
    );
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Content-Type: application/json"), "{head}");
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn get(address: SocketAddr, path: &str) -> Value {
    serde_json::from_str(&ask(address, "GET", path, "").1).unwrap()
}

fn height(address: SocketAddr) -> u64 {
    get(address, "/chain")["height"].as_u64().unwrap()
}

fn listed(address: SocketAddr) -> usize {
    get(address, "/network/peers")["peers"].as_array().unwrap().len()
}

fn invoke(address: SocketAddr) {
    let body = json!({"jsonrpc": "2.0", "method": "invoke", "id": 1,
        "params": {"chaincodeID": {"name": "none"}, "ctorMsg": {"args": ["f"]}}});
    let (status, answer) = ask(address, "POST", "/chaincode", &body.to_string());
    assert!(status == 200 && answer.contains("\"status\":\"OK\""), "{answer}");
}

fn wait_until<T: PartialEq + std::fmt::Debug>(what: &str, wanted: &T, mut see: impl FnMut() -> T) -> Duration {
    let begun = Instant::now();
    loop {
        let seen = see();
        if seen == *wanted {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}: wanted {wanted:?}, last saw {seen:?}");
        std::thread::yield_now();
    }
}

#[test]
fn four_peers_find_each_other_agree_and_go_on_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(0, "", None);
    let root = first.address();
    let mut others: Vec<_> = (1..3).map(|n| start(n, &root, None)).collect();
    others.push(start(3, &root, Some(folder.path())));
    let all: Vec<SocketAddr> = std::iter::once(&first).chain(&others).map(Server::rest).collect();
    wait_until("all are listed by all", &vec![4; 4], || all.iter().map(|at| listed(*at)).collect());

    invoke(all[2]);
    wait_until("a block on every peer", &vec![2; 4], || all.iter().map(|at| height(*at)).collect());

    let gone = others.pop().unwrap();
    drop(gone);
    wait_until("the killed one is not listed", &3, || listed(all[0]));
    invoke(all[1]);
    wait_until("three of four commit", &vec![3; 3], || all[..3].iter().map(|at| height(*at)).collect());

    drop(others.pop());
    wait_until("the second one is not listed", &2, || listed(all[0]));
    invoke(all[0]);
    assert_eq!(height(all[0]), 3, "without quorum nothing moves");

    // Alone, so that nobody tells it what it missed.
    let alone = start(3, "", Some(folder.path()));
    assert_eq!(height(alone.rest()), 2, "its ledger was kept");
    drop(alone);
    others.push(start(3, &root, Some(folder.path())));
    let back = others[1].rest();
    wait_until("all catch up and commit what waited", &vec![4; 3], || [all[0], all[1], back].map(height).to_vec());
    let chains: Vec<_> = [all[0], all[1], back].iter().map(|at| get(*at, "/chain").to_string()).collect();
    assert!(chains.iter().all(|chain| *chain == chains[0]), "{chains:?}");
}

#[test]
fn what_is_no_request_gets_an_error_and_harms_nobody() {
    let peer = start(0, "", None);
    let at = peer.rest();
    let status = |bytes: &[u8]| raw(at, bytes).split(' ').nth(1).map(str::to_owned);
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(9000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(100));
    for (bytes, wanted) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00"[..], "400"),
        (b"\r\n\r\nnonsense\r\n\r\n", "400"),
        (long.as_bytes(), "431"),
        (many.as_bytes(), "431"),
        (b"POST /chaincode HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", "413"),
        (b"POST /chaincode HTTP/1.1\r\nContent-Length: 70000\r\n\r\n", "413"),
        (b"POST /chaincode HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400"),
        (b"POST /chaincode HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"),
        (b"POST /chaincode HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "411"),
        (b"BREW /chain HTTP/1.1\r\n\r\n", "404"),
        (b"GET /chain HTTP/1.0\r\n\r\n", "200"),
    ] {
        assert_eq!(
            status(bytes).as_deref(),
            Some(wanted),
            "{:?}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(60)])
        );
    }
    let deep = "[".repeat(60_000);
    assert_eq!(ask(at, "POST", "/chaincode", &deep).0, 400);
    // The other peers' port: nonsense, a length without a message, a message before any hello.
    let talk: SocketAddr = peer.address().parse().unwrap();
    for bytes in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x00\x00\x00\x02{}", b"\x00\x00\x00\x16[1,{\"Fetch\":{\"from\":0}}]"]
    {
        assert_eq!(raw(talk, bytes), "");
    }
    assert_eq!(height(at), 1);
}

#[test]
fn no_more_connections_at_once_than_it_may_have() {
    let peer = start(0, "", None);
    let idle: Vec<_> = (0..64).map(|_| TcpStream::connect(peer.rest()).unwrap()).collect();
    let answer = raw(peer.rest(), b"GET /chain HTTP/1.1\r\n\r\n");
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 503 "), "{answer}");
    drop(idle);
    wait_until("room again", &true, || raw(peer.rest(), b"GET /chain HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

/// The binary, ended with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn fabricsim() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fabricsim"));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn the_binary_runs_a_peer_until_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = fabricsim();
    for name in
        ["CORE_REST_ADDRESS", "CORE_PEER_LISTENADDRESS", "core_cli_address", "CORE_PEER_VALIDATOR_EVENTS_ADDRESS"]
    {
        command.env(name, "127.0.0.1:0");
    }
    let child = command.args(["peer", "node", "start"]).env("CORE_PEER_FILESYSTEMPATH", folder.path()).spawn().unwrap();
    let mut process = Process(child);
    let mut line = String::new();
    BufReader::new(process.0.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let at = line.split("REST on ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_else(|| panic!("{line}"));
    assert_eq!(height(at.parse().unwrap()), 1);
    let healthy = fabricsim().arg("healthcheck").env("CORE_REST_ADDRESS", at).status().unwrap();
    assert!(healthy.success());
    let pid = nix::unistd::Pid::from_raw(process.0.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert!(process.0.wait().unwrap().success());
    let ill = fabricsim().arg("healthcheck").env("CORE_REST_ADDRESS", at).output().unwrap();
    assert_eq!(
        (ill.status.code(), String::from_utf8(ill.stderr).unwrap().contains("does not answer")),
        (Some(1), true)
    );
}

#[test]
fn the_binary_refuses_what_it_does_not_know() {
    let wrong =
        fabricsim().env("CORE_PBFT_GENERAL_N", "many").env("CORE_PEER_VALIDATOR_CONSENSUS_PLUGIN", "pbft").output();
    let wrong = wrong.unwrap();
    let text = String::from_utf8(wrong.stderr).unwrap();
    assert!(wrong.status.code() == Some(1) && text.contains("CORE_PBFT_GENERAL_N is \"many\""), "{text}");
    let unknown = fabricsim().args(["peer", "stop"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    let help = fabricsim().arg("--help").output().unwrap();
    assert!(help.status.success() && String::from_utf8(help.stdout).unwrap().contains("CORE_PEER_DISCOVERY_ROOTNODE"));
}
