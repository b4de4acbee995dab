//! `simdocker`: simulated Docker engines for whoever has none, or wants a thousand.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use simdocker::{Behaviour, Latency, Listen, PortMode, SharedPorts, SimHost, SimImage, SimOptions, SimSwarm, Timing};
use tokio::signal::unix::{SignalKind, signal};

/// Simulated Docker engines: the real API, no containers behind it, Fabric peers that answer on their published ports.
///
/// Prints the URL of each host on a line of its own once it answers, and runs until SIGTERM or SIGINT.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// Where the first host's API is; only loopback addresses. Port 0 takes a free one.
    #[arg(long, default_value = "tcp://127.0.0.1:2385", value_parser = tcp)]
    listen: SocketAddr,
    /// A Unix socket for the API instead of TCP; only with one host.
    #[arg(long, value_name = "PATH")]
    unix: Option<PathBuf>,
    /// How many hosts; each further one has the next address and the same port.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    hosts: u32,
    /// Where the first host's containers answer; by default the address of its API, or 127.0.0.1.
    #[arg(long, value_name = "127.x.y.z")]
    address: Option<Ipv4Addr>,
    /// One listener for each port number instead of one for each host and port: for many hosts.
    #[arg(long)]
    shared: bool,
    /// How slow every call is: 5ms, 1s.
    #[arg(long, default_value = "0ms", value_parser = time)]
    latency: Duration,
    /// Up to this much slower still, drawn anew for each call.
    #[arg(long, default_value = "0ms", value_parser = time)]
    jitter: Duration,
    /// How long a container takes to start.
    #[arg(long, default_value = "0ms", value_parser = time)]
    start_time: Duration,
    /// A further name for the image of Fabric peers, such as that of the real one. May be given several times.
    #[arg(long = "image", value_name = "NAME:TAG")]
    images: Vec<String>,
    /// The same, but not there until it is pulled. May be given several times.
    #[arg(long = "pullable", value_name = "NAME:TAG")]
    pullable: Vec<String>,
    /// An image whose containers do nothing. May be given several times.
    #[arg(long = "idle-image", value_name = "NAME:TAG")]
    idle_images: Vec<String>,
    /// An image whose containers end at once, with code 1. May be given several times.
    #[arg(long = "failing-image", value_name = "NAME:TAG")]
    failing_images: Vec<String>,
    /// Let `info` say that the engine manages a swarm (whose own objects are not simulated).
    #[arg(long)]
    swarm: bool,
}

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    tokio::runtime::Runtime::new().context("starting the runtime")?.block_on(run(arguments))
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut ends = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
    let mut hosts = Vec::new();
    let shared = SharedPorts::default();
    for number in 0..arguments.hosts {
        let host = SimHost::start(options(&arguments, number, &shared)?).await?;
        // Not println: a reader that went away is no reason to panic.
        writeln!(std::io::stdout(), "{}", host.url()).context("printing the URL")?;
        hosts.push(host);
    }
    tracing::info!(hosts = hosts.len(), "{} simulated engine(s) answer", hosts.len());
    let [term, int] = &mut ends;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    tracing::info!("ending");
    for host in hosts {
        host.shutdown().await;
    }
    Ok(())
}

/// How the host of this number is set up.
fn options(arguments: &Arguments, number: u32, shared: &SharedPorts) -> anyhow::Result<SimOptions> {
    let IpAddr::V4(listen) = arguments.listen.ip() else { bail!("only 127.x.y.z can be listened on") };
    let first = match (arguments.address, &arguments.unix) {
        (Some(address), _) => address,
        (None, None) => listen,
        (None, Some(_)) => Ipv4Addr::LOCALHOST,
    };
    let address = Ipv4Addr::from(u32::from(first).checked_add(number).context("no address is left")?);
    let port = arguments.listen.port();
    let listen = match (&arguments.unix, arguments.shared) {
        (Some(_), _) if arguments.hosts > 1 => bail!("a Unix socket is for one host"),
        (Some(path), _) => Listen::Unix(path.clone()),
        (None, true) if arguments.hosts > 1 => Listen::Shared(port),
        (None, _) if arguments.hosts > 1 => Listen::Tcp(SocketAddr::new(address.into(), port)),
        (None, _) => Listen::Tcp(arguments.listen),
    };
    let mut images = SimImage::defaults();
    images.extend(arguments.images.iter().map(SimImage::peer));
    images.extend(arguments.pullable.iter().map(|name| SimImage::peer(name).pullable()));
    images.extend(arguments.idle_images.iter().map(|name| SimImage::other(name, Behaviour::Idle)));
    let fails = Behaviour::Exits { after: Duration::ZERO, code: 1 };
    images.extend(arguments.failing_images.iter().map(|name| SimImage::other(name, fails)));
    Ok(SimOptions {
        listen,
        images,
        latency: Latency { least: arguments.latency, jitter: arguments.jitter },
        timing: Timing { start: arguments.start_time, ..Timing::default() },
        ports: if arguments.shared { PortMode::Shared(shared.clone()) } else { PortMode::Exact },
        swarm: if arguments.swarm { SimSwarm::Manager } else { SimSwarm::Inactive },
        ..SimOptions::at(address)
    })
}

/// `tcp://127.0.0.1:2385` or `127.0.0.1:2385`.
fn tcp(text: &str) -> Result<SocketAddr, String> {
    let address = text.strip_prefix("tcp://").unwrap_or(text);
    address.parse().map_err(|_| format!("{text} is not tcp://ADDRESS:PORT"))
}

/// `5ms`, `1s`.
fn time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text} is not a time such as 5ms or 1s");
    let (digits, unit) = match text.strip_suffix("ms") {
        Some(digits) => (digits, 1),
        None => (text.strip_suffix('s').ok_or_else(wrong)?, 1000),
    };
    digits.parse::<u64>().map(|number| Duration::from_millis(number * unit)).map_err(|_| wrong())
}
