//! `poolmanager-admin operator ...`: for who cannot sign in any more, on the machine itself; beside a running admin.

use admin::access::Passwords;
use admin::operations::{Refusal, reset_lost_password};
use anyhow::{Context, anyhow};
use clap::Subcommand;
use common::clock;
use common::config::AdminConfig;
use common::store::{Store, StoreUser};

/// Who is said to have done it.
const BY: &str = "poolmanager-admin operator";

/// What is to be done with operators.
#[derive(Subcommand)]
pub enum OperatorCommand {
    /// Make a one-time password for an operator who lost hers; it goes to the standard output, this once
    ///
    /// Her present password and all her sessions end. At the sign-in with the new one she has to choose one of her own.
    Reset {
        /// What she signs in with
        name: String,
    },
}

/// Does it.
pub async fn run(command: OperatorCommand, config: &AdminConfig) -> anyhow::Result<()> {
    let store = common::store::open(&config.common.store, StoreUser::Command).await.context("opening the store")?;
    let done = carry_out(command, store.as_ref()).await;
    store.close().await;
    done
}

async fn carry_out(command: OperatorCommand, store: &dyn Store) -> anyhow::Result<()> {
    let OperatorCommand::Reset { name } = command;
    let passwords = Passwords::new()?;
    let made = reset_lost_password(store, &passwords, &name, BY, clock::now()).await;
    let made = made.map_err(|refusal: Refusal| anyhow!("{}", refusal.sentence()))?;
    crate::complain(&format!(
        "{name} has a new password, for one sign-in; her sessions have ended. It is shown this once:"
    ));
    print(made.password.expose());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the output of a command")]
fn print(text: &str) {
    println!("{text}");
}
