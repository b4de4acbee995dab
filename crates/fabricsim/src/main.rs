//! The command line: one peer, as process 1 of a container.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use fabricsim::server::Server;
use fabricsim::{PeerConfig, ServerConfig, environment};
use nix::sys::signal::{SigSet, Signal};

const HELP: &str = "\
A small stand-in for a Hyperledger Fabric 0.6 peer.

Usage: fabricsim [peer node start]   run a peer until SIGTERM
       fabricsim healthcheck         ask the peer of this container for its chain; exit 0 if it answers
       fabricsim --help | --version

Settings are Fabric's own environment variables, in upper or lower case:
  CORE_PEER_ID, CORE_PEER_NETWORKID            name, and network (others' peers are not listened to)
  CORE_PEER_DISCOVERY_ROOTNODE                 a peer to begin with (vp0:7051); empty on the root itself
  CORE_PEER_ADDRESSAUTODETECT                  true: find the own address; false: CORE_PEER_ADDRESS has it
  CORE_PEER_VALIDATOR_CONSENSUS_PLUGIN         noops (default) or pbft
  CORE_PBFT_GENERAL_N, _F, _MODE, _BATCHSIZE, _TIMEOUT_BATCH
  CORE_NOOPS_BLOCK_SIZE, _TIMEOUT, _WAIT
  CORE_REST_ADDRESS (0.0.0.0:7050), CORE_PEER_LISTENADDRESS (0.0.0.0:7051), CORE_CLI_ADDRESS (0.0.0.0:7052),
  CORE_PEER_VALIDATOR_EVENTS_ADDRESS (0.0.0.0:7053)
  CORE_PEER_FILESYSTEMPATH                     where the ledger is kept (/var/hyperledger/production)
  CORE_LOGGING_LEVEL                           error, warning, info (default) or debug
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] | ["peer", "node", "start"] => run(),
        ["healthcheck"] => check_health(),
        ["--help" | "-h" | "help"] => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        ["--version" | "-V"] => {
            println!("fabricsim {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        other => {
            eprint!("fabricsim: unknown command: {}\n\n{HELP}", other.join(" "));
            ExitCode::from(2)
        }
    }
}

fn run() -> ExitCode {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGTERM);
    signals.add(Signal::SIGINT);
    // Before any thread starts, so that all inherit it: process 1 has no default action, a blocked signal waits for us.
    if let Err(error) = signals.thread_block() {
        return fail(&format!("cannot block signals: {error}"));
    }
    let config =
        PeerConfig::from_env(environment()).and_then(|peer| Ok((peer, ServerConfig::from_env(environment())?)));
    let (peer, server) = match config {
        Ok(config) => config,
        Err(bad) => return fail(&bad.to_string()),
    };
    let _server = match Server::start(peer, server.addresses, Some(server.folder), server.log) {
        Ok(server) => server,
        Err(error) => return fail(&error.to_string()),
    };
    match signals.wait() {
        // Ends here and now; the ledger is on disk at every moment.
        Ok(_) => std::process::exit(0),
        Err(error) => fail(&format!("cannot wait for signals: {error}")),
    }
}

fn check_health() -> ExitCode {
    let mut address = match ServerConfig::from_env(environment()) {
        Ok(server) => server.addresses.rest,
        Err(bad) => return fail(&bad.to_string()),
    };
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    match ask(address) {
        Ok(answer) if answer.starts_with("HTTP/1.1 200 ") => ExitCode::SUCCESS,
        Ok(answer) => fail(&format!("{address} answers {:?}", answer.lines().next().unwrap_or_default())),
        Err(error) => fail(&format!("{address} does not answer: {error}")),
    }
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(b"GET /chain HTTP/1.1\r\nHost: peer\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer)?;
    Ok(answer)
}

fn fail(why: &str) -> ExitCode {
    eprintln!("fabricsim: {why}");
    ExitCode::FAILURE
}
