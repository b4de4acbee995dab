//! `poolmanager-admin token ...`: tokens for the users' API, made on the machine itself; beside a running admin.

use admin::operations::{Refusal, TokenInput, make_token, revoke_token, token_state};
use anyhow::{Context, anyhow};
use clap::Subcommand;
use common::clock;
use common::config::AdminConfig;
use common::model::{Timestamp, Token, TokenId, TokenKind, UserId};
use common::store::{Page, Store, StoreUser, TokenFilter};

/// Who is said to have done it.
const BY: &str = "poolmanager-admin token";

/// Read at once.
const PAGE: u32 = 200;

/// What is to be done with tokens.
#[derive(Subcommand)]
pub enum TokenCommand {
    /// Make a token; its text goes to the standard output, this once
    Create {
        /// Whose it is: it acts as this user_id and nobody else
        #[arg(long, conflicts_with = "service", required_unless_present = "service")]
        user: Option<String>,
        /// The name of the service whose it is, which may name any user_id
        #[arg(long, value_name = "NAME")]
        service: Option<String>,
        /// By which a user's token is known again
        #[arg(long, default_value = "", conflicts_with = "service")]
        name: String,
        /// After so many days, hours or minutes: 90d, 12h, 30m; or never
        #[arg(long, default_value = "90d")]
        expires: String,
        /// The most clusters that a user may hold by it
        #[arg(long, value_name = "NUMBER")]
        leases: Option<u32>,
    },
    /// List tokens, latest made first
    List {
        /// Only this user's
        #[arg(long)]
        user: Option<String>,
    },
    /// End a token, for ever
    Revoke {
        /// Its id, as the list has it
        id: String,
    },
}

/// Does it.
pub async fn run(command: TokenCommand, config: &AdminConfig) -> anyhow::Result<()> {
    let store = common::store::open(&config.common.store, StoreUser::Command).await.context("opening the store")?;
    let done = carry_out(command, store.as_ref()).await;
    store.close().await;
    done
}

async fn carry_out(command: TokenCommand, store: &dyn Store) -> anyhow::Result<()> {
    let now = clock::now();
    let refused = |refusal: Refusal| anyhow!("{}", refusal.sentence());
    match command {
        TokenCommand::Create { user, service, name, expires, leases } => {
            let input = TokenInput {
                kind: if service.is_some() { "service" } else { "user" }.into(),
                user: user.unwrap_or_default(),
                name: service.unwrap_or(name),
                expires,
                leases_max: leases.map(|most| most.to_string()).unwrap_or_default(),
                ..TokenInput::default()
            };
            let made = make_token(store, &input, BY, now).await.map_err(refused)?;
            let until =
                made.token.expires_at.map_or_else(|| "it never expires".into(), |at| format!("it expires {at}"));
            crate::complain(&format!(
                "Token {} for {}; {until}. It is shown this once:",
                made.token.id, made.token.kind
            ));
            print(made.text.expose());
        }
        TokenCommand::List { user } => {
            let user = user.map(|user| UserId::parse(&user)).transpose().map_err(|why| anyhow!("--user {why}"))?;
            list(store, &TokenFilter { user }, now).await?;
        }
        TokenCommand::Revoke { id } => {
            let id = TokenId::parse(&id)?;
            crate::complain(&revoke_token(store, &id, BY, now).await.map_err(refused)?.message);
        }
    }
    Ok(())
}

async fn list(store: &dyn Store, filter: &TokenFilter, now: Timestamp) -> anyhow::Result<()> {
    let mut page = Page::first(PAGE);
    loop {
        let part = store.list_tokens(filter, &page).await?;
        part.iter().for_each(|token| print(&line(token, now)));
        let Some(last) = part.last().filter(|_| part.len() >= PAGE as usize) else { return Ok(()) };
        page.after = Some(last.id.to_string());
    }
}

/// Tab-separated: the id, the state, whom it is for, its name, until when, when it was last used.
fn line(token: &Token, now: Timestamp) -> String {
    let whom = match &token.kind {
        TokenKind::User { user } => format!("user {user}"),
        TokenKind::Service => "service".into(),
    };
    let time = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    let state = token_state(token.state(now));
    let (until, used) = (time(token.expires_at), time(token.used_at));
    format!("{}\t{state}\t{whom}\t{}\texpires {until}\tused {used}", token.id, token.name)
}

#[expect(clippy::print_stdout, reason = "the output of a command")]
fn print(text: &str) {
    println!("{text}");
}
