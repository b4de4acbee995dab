//! The command line: next to nothing, because settings come from the environment.

/// What is asked on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Serve until told to stop.
    Serve,
    /// Ask the service on this machine whether it lives.
    Healthcheck,
    /// Print this and end.
    Say(String),
}

const HELP: &str = "\
poolmanager-admin: the operators' pages and API, and the reconciler

Usage: poolmanager-admin [healthcheck | --help | --version]

Without an argument it serves until SIGTERM or SIGINT. Settings come from the
environment, or from the TOML file named by POOLMANAGER_CONFIG_FILE; the ones
needed most often:

  ADMIN_BIND, ADMIN_PORT           where to listen (127.0.0.1, 8080)
  ADMIN_USERNAME, ADMIN_PASSWORD   the first operator (admin; a password is
                                   made and shown once at the first start)
  DATA_DIR                         where SQLite keeps the pool (./data)
  MONGO_URL                        MongoDB instead

  healthcheck   exit code 0 if the service on this machine answers";

impl Command {
    /// Reads the arguments after the program's name, or says how it is done.
    pub fn parse(args: impl Iterator<Item = String>) -> Result<Command, String> {
        let args: Vec<String> = args.collect();
        match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [] => Ok(Command::Serve),
            ["healthcheck"] => Ok(Command::Healthcheck),
            ["--help" | "-h" | "help"] => Ok(Command::Say(HELP.into())),
            ["--version" | "-V"] => Ok(Command::Say(format!("poolmanager-admin {}", env!("CARGO_PKG_VERSION")))),
            other => Err(format!("unknown arguments: {}\n\n{HELP}", other.join(" "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Command, String> {
        Command::parse(args.iter().map(ToString::to_string))
    }

    #[test]
    fn what_is_not_understood_is_refused_with_the_usage() {
        assert_eq!(parse(&[]), Ok(Command::Serve));
        assert_eq!(parse(&["healthcheck"]), Ok(Command::Healthcheck));
        assert!(matches!(parse(&["--version"]), Ok(Command::Say(_))));
        for wrong in [&["serve"][..], &["--port", "1"], &["healthcheck", "now"], &[""]] {
            assert!(parse(wrong).unwrap_err().contains("Usage"), "{wrong:?}");
        }
    }
}
