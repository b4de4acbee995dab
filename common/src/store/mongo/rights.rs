//! What the database lets us do: admin everything in it, app what its own calls need.
//!
//! An app that was taken over then makes no operator, session, token or host, reads no hash of a password, and neither changes nor
//! deletes an event. [`super::first`] makes the role; `docs/db.md` says why each right is there.

use mongodb::Database;
use mongodb::bson::{Bson, Document, doc};

use super::setup::open_error;
use crate::store::open::OpenError;

/// The role of app's user. It is in the database `admin`, as the users are.
pub(super) const APP_ROLE: &str = "poolmanager-app";

/// By collection; everything else is closed. The watch is of one collection, because that of a database needs the right to read
/// all of it, operators included.
const APP_MAY: [(&str, &[&str]); 9] = [
    ("applies", &["find", "insert", "update", "remove"]),
    ("clusters", &["find", "update", "changeStream"]),
    ("events", &["find", "insert"]),
    ("hosts", &["find"]),
    ("leases", &["find"]),
    ("locks", &["find"]),
    ("meta", &["find"]),
    ("token_uses", &["find", "insert", "update"]),
    ("tokens", &["find"]),
];

/// The privileges of the role in a database, as `createRole` takes them.
pub(super) fn app_privileges(database: &str) -> Vec<Bson> {
    let privilege = |(collection, actions): &(&str, &[&str])| {
        doc! { "resource": { "db": database, "collection": collection }, "actions": actions.to_vec() }.into()
    };
    APP_MAY.iter().map(privilege).collect()
}

/// As whom we are let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    /// To make and change whatever there is.
    All,
    /// Those of [`APP_ROLE`].
    App,
}

impl Rights {
    /// Asks the server; without users it lets everybody do everything.
    pub(super) async fn of(database: &Database) -> Result<Rights, OpenError> {
        let status = database.run_command(doc! { "connectionStatus": 1 }).await.map_err(open_error)?;
        Ok(rights_in(&status))
    }
}

fn rights_in(status: &Document) -> Rights {
    let roles = status.get_document("authInfo").and_then(|info| info.get_array("authenticatedUserRoles"));
    let names: Vec<&str> = roles
        .map(|roles| roles.iter().filter_map(|role| role.as_document()?.get_str("role").ok()).collect())
        .unwrap_or_default();
    // Who has other roles besides was given more on purpose.
    if names == [APP_ROLE] { Rights::App } else { Rights::All }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_the_role_of_app_alone_has_its_rights() {
        let status = |roles: &[&str]| {
            let roles: Vec<Bson> = roles.iter().map(|role| doc! { "role": role, "db": "admin" }.into()).collect();
            rights_in(&doc! { "authInfo": { "authenticatedUsers": [], "authenticatedUserRoles": roles }, "ok": 1 })
        };
        assert_eq!(status(&[APP_ROLE]), Rights::App);
        assert_eq!(status(&[]), Rights::All);
        assert_eq!(status(&["readWrite", "dbAdmin"]), Rights::All);
        assert_eq!(status(&["readWrite", APP_ROLE]), Rights::All);
    }

    #[test]
    fn the_documents_say_what_app_may() {
        let text = include_str!("../../../../docs/db.md");
        let section = text.split("\n## ").find(|part| part.starts_with("What app may")).expect("the section");
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        let told: Vec<(String, String)> = rows
            .map(|row| {
                let cells: Vec<&str> = row.split('|').map(str::trim).collect();
                (cells[1].replace('`', ""), cells[2].replace('`', ""))
            })
            .collect();
        let is: Vec<(String, String)> =
            APP_MAY.iter().map(|(name, actions)| ((*name).to_owned(), actions.join(", "))).collect();
        assert_eq!(told, is);
    }
}
