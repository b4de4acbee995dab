//! Makes a replica set with users out of fresh mongods, so that a deployment needs no tool inside mongo's image.
//!
//! Safe to repeat at any point: what is there stays, passwords become what they are said to be now.

use std::time::{Duration, Instant};

use mongodb::bson::{Bson, Document, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::options::{AuthMechanism, ClientOptions, Credential};
use mongodb::{Client, Database};

use super::error;
use super::rights::{APP_ROLE, app_privileges};
use crate::config::Secret;
use crate::store::open::OpenError;

/// What is to be made.
#[derive(Clone, Debug)]
pub struct FirstMongo {
    /// One mongod, reached as itself: `mongodb://127.0.0.1:27017/`. A mongod without users lets only its own machine make one.
    pub url: String,
    /// `host:port` of every member, as clients and members reach them.
    pub members: Vec<String>,
    /// Of the user `root`, who may do everything; for this command and for emergencies.
    pub root_password: Secret,
    /// Of the user `poolmanager`, as whom admin comes.
    pub password: Secret,
    /// Of the user `poolmanager-app`, as whom app comes.
    pub app_password: Secret,
    /// The database that these two may use: `poolmanager` all of it, `poolmanager-app` what app needs.
    pub database: String,
}

/// From the start of mongod to its first answer, and from the set's making to its primary.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(250);
/// A call to a mongod on this machine.
const CALL: Duration = Duration::from_secs(10);

const ROOT: &str = "root";
const USER: &str = "poolmanager";
const APP_USER: &str = "poolmanager-app";
const SET: &str = "rs0";

/// Server codes: what is asked needs a user; the set is there already; the user or the role is there already.
const UNAUTHORIZED: i32 = 13;
const ALREADY_INITIALIZED: i32 = 23;
const USER_EXISTS: i32 = 51003;
const ROLE_EXISTS: i32 = 51002;

/// Makes the set and its users, as far as they are not there; what was done, in words.
pub async fn first_mongo(first: &FirstMongo) -> Result<Vec<&'static str>, OpenError> {
    let mut done = Vec::new();
    let nobody = client(&first.url, None).await?;
    until_it_answers(&nobody).await?;
    if initiate(&nobody, first).await? {
        done.push("made the replica set");
    }
    until_primary(&nobody).await?;
    match make_user(&nobody.database("admin"), ROOT, &first.root_password, vec![Bson::from("root")]).await {
        Ok(()) => done.push("made the user root"),
        // Somebody is there already: from here on as root only.
        Err(error) if [Some(UNAUTHORIZED), Some(USER_EXISTS)].contains(&code(&error)) => {}
        Err(error) => return Err(broken("making the user root", &error)),
    }
    nobody.shutdown().immediate(true).await;

    let root = client(&first.url, Some(&first.root_password)).await?;
    let admin = root.database("admin");
    // Indexes and a restore's exchange of collections are in this as well.
    let all = Bson::from(doc! { "role": "readWrite", "db": &first.database });
    done.push(match have_user(&admin, USER, &first.password, vec![all]).await? {
        Had::Made => "made the user poolmanager",
        Had::There => "the user poolmanager has the password that was given",
    });
    have_app_role(&admin, &first.database).await?;
    done.push(match have_user(&admin, APP_USER, &first.app_password, vec![Bson::from(APP_ROLE)]).await? {
        Had::Made => "made the user poolmanager-app",
        Had::There => "the user poolmanager-app has the password that was given",
    });
    check_members(&admin, first).await?;
    root.shutdown().immediate(true).await;
    Ok(done)
}

async fn client(url: &str, root: Option<&Secret>) -> Result<Client, OpenError> {
    let mut options = ClientOptions::parse(url).await.map_err(|error| OpenError::BadUrl(error::text(&error)))?;
    options.direct_connection = Some(true);
    options.server_selection_timeout = Some(Duration::from_secs(2));
    options.connect_timeout = Some(Duration::from_secs(2));
    if let Some(password) = root {
        options.credential = Some(
            Credential::builder()
                .username(ROOT.to_owned())
                .password(password.expose().to_owned())
                .source("admin".to_owned())
                .mechanism(AuthMechanism::ScramSha256)
                .build(),
        );
    }
    Client::with_options(options).map_err(|error| OpenError::BadUrl(error::text(&error)))
}

async fn until_it_answers(client: &Client) -> Result<(), OpenError> {
    let ends = Instant::now() + PATIENCE;
    loop {
        match hello(client).await {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > ends => return Err(OpenError::Unreachable(error::text(&error))),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Whether the set was made just now.
async fn initiate(client: &Client, first: &FirstMongo) -> Result<bool, OpenError> {
    if hello(client).await.map_err(|error| broken("saying hello", &error))?.get_str("setName").is_ok() {
        return Ok(false);
    }
    let members: Vec<Bson> = (0_i32..).zip(&first.members).map(|(id, host)| member(id, host)).collect();
    let config = doc! { "_id": SET, "members": members };
    let ends = Instant::now() + PATIENCE;
    loop {
        let made = timed(client.database("admin").run_command(doc! { "replSetInitiate": config.clone() })).await;
        match made {
            Ok(_) => return Ok(true),
            Err(error) if code(&error) == Some(ALREADY_INITIALIZED) => return Ok(false),
            // The set is being read, or users are there: an older set, of which hello will tell in a moment.
            Err(error) if code(&error) == Some(UNAUTHORIZED) => return Ok(false),
            // Other members may not answer yet.
            Err(error) if Instant::now() > ends => return Err(broken("making the replica set", &error)),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// The first one becomes primary again whenever it can, because this command runs beside that one and needs it to be.
fn member(id: i32, host: &str) -> Bson {
    let priority = if id == 0 { 2 } else { 1 };
    doc! { "_id": id, "host": host, "priority": priority }.into()
}

/// Waits until this mongod takes writes. In a set of several another may be primary for some seconds, see [`member`].
async fn until_primary(client: &Client) -> Result<(), OpenError> {
    let ends = Instant::now() + PATIENCE;
    loop {
        let last = match hello(client).await {
            Ok(hello) if hello.get_bool("isWritablePrimary").unwrap_or(false) => return Ok(()),
            Ok(hello) => match hello.get_str("primary") {
                Ok(primary) => format!("another member, {primary}, is its primary; run this beside that one"),
                Err(_) => "it has no primary".to_owned(),
            },
            Err(error) => error::text(&error),
        };
        if Instant::now() > ends {
            return Err(OpenError::Broken(format!("the replica set takes no writes here: {last}")));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A set that was made with other members is not changed behind its operator's back.
async fn check_members(admin: &Database, first: &FirstMongo) -> Result<(), OpenError> {
    let answer = timed(admin.run_command(doc! { "replSetGetConfig": 1 }))
        .await
        .map_err(|error| broken("reading the replica set", &error))?;
    let members = answer.get_document("config").and_then(|config| config.get_array("members"));
    let there: Vec<&str> = members
        .map(|members| members.iter().filter_map(|m| m.as_document()?.get_str("host").ok()).collect())
        .unwrap_or_default();
    let same = there.len() == first.members.len() && first.members.iter().all(|host| there.contains(&host.as_str()));
    if same {
        return Ok(());
    }
    let (there, wanted) = (there.join(", "), first.members.join(", "));
    Err(OpenError::Broken(format!(
        "the replica set has the members {there}, and MONGO_MEMBERS names {wanted}; change the set by replSetReconfig, or MONGO_MEMBERS"
    )))
}

/// Whether something was made just now.
enum Had {
    Made,
    There,
}

/// Makes the user, or gives the one that is there this password and these roles, and no others.
async fn have_user(admin: &Database, name: &str, password: &Secret, roles: Vec<Bson>) -> Result<Had, OpenError> {
    match make_user(admin, name, password, roles.clone()).await {
        Ok(()) => Ok(Had::Made),
        Err(error) if code(&error) == Some(USER_EXISTS) => {
            let same = doc! { "updateUser": name, "pwd": password.expose(), "roles": roles };
            let updated = timed(admin.run_command(same)).await;
            updated.map(|_| Had::There).map_err(|error| broken(&format!("updating the user {name}"), &error))
        }
        Err(error) if error::is_refusal(&error) => Err(OpenError::Refused(error::text(&error))),
        Err(error) => Err(broken(&format!("making the user {name}"), &error)),
    }
}

/// Makes the role of app's user, or gives the one that is there what this version needs.
async fn have_app_role(admin: &Database, database: &str) -> Result<(), OpenError> {
    let role = |verb: &str| {
        let none: Vec<Bson> = Vec::new();
        doc! { verb: APP_ROLE, "privileges": app_privileges(database), "roles": none }
    };
    let made = match timed(admin.run_command(role("createRole"))).await {
        Err(error) if code(&error) == Some(ROLE_EXISTS) => timed(admin.run_command(role("updateRole"))).await,
        made => made,
    };
    made.map(|_| ()).map_err(|error| broken("making the role of app's user", &error))
}

async fn make_user(admin: &Database, name: &str, password: &Secret, roles: Vec<Bson>) -> Result<(), Error> {
    timed(admin.run_command(doc! { "createUser": name, "pwd": password.expose(), "roles": roles })).await.map(|_| ())
}

async fn hello(client: &Client) -> Result<Document, Error> {
    timed(client.database("admin").run_command(doc! { "hello": 1 })).await
}

async fn timed(call: impl IntoFuture<Output = Result<Document, Error>>) -> Result<Document, Error> {
    match tokio::time::timeout(CALL, call.into_future()).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::custom(format!("no answer within {} s", CALL.as_secs()))),
    }
}

fn code(error: &Error) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(command) => Some(command.code),
        _ => None,
    }
}

fn broken(what: &str, error: &Error) -> OpenError {
    OpenError::Broken(format!("{what}: {}", error::text(error)))
}
