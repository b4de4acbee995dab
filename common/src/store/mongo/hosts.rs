//! Hosts.

use mongodb::bson::{Document, doc, serialize_to_document};
use mongodb::options::FindOptions;

use super::db::Db;
use super::{error, setup, shape};
use crate::model::{Contact, Host, HostId};
use crate::store::{StoreError, StoreResult, same};

fn taken(fault: mongodb::error::Error) -> StoreError {
    let field = error::duplicate(&fault).and_then(|message| setup::violated(message, &["name", "engine_id"]));
    match field {
        Some(field) => StoreError::Taken { field },
        None => error::db(fault),
    }
}

impl Db {
    pub(super) async fn list_hosts(&self) -> StoreResult<Vec<Host>> {
        let by_name = FindOptions::builder().sort(doc! { "settings.name": 1 }).build();
        self.find(&self.hosts, doc! {}, by_name).await?.into_iter().map(shape::read).collect()
    }

    pub(super) async fn host(&self, id: &HostId) -> StoreResult<Option<Host>> {
        self.by_id(&self.hosts, id.as_str()).await?.map(shape::read).transpose()
    }

    /// Whether it was added; `false` when the very same is there.
    pub(super) async fn insert_host(&self, host: &Host) -> StoreResult<bool> {
        let Err(fault) = self.timed(self.hosts.insert_one(shape::write(host)?)).await else {
            return Ok(true);
        };
        let Some(message) = error::duplicate(&fault) else {
            return Err(error::db(fault));
        };
        match self.host(&host.id).await? {
            Some(found) if same::host(&found, host) => Ok(false),
            Some(_) => Err(StoreError::Taken { field: "id" }),
            // The very same is there, and the majority has not heard of it.
            None if setup::violated(message, &["_id_"]).is_some() => Err(error::unsettled("host")),
            None => Err(taken(fault)),
        }
    }

    /// Whether it was changed; `false` when it is as wanted already.
    pub(super) async fn change_host(&self, to: &Host) -> StoreResult<bool> {
        let before = i64::try_from(to.version).unwrap_or(i64::MAX) - 1;
        let mut fields = shape::write(to)?;
        fields.remove("_id");
        fields.remove("contact");
        let query = doc! { "_id": to.id.as_str(), "version": before };
        let changed = self.timed(self.hosts.update_one(query, doc! { "$set": fields })).await.map_err(taken)?;
        if changed.matched_count == 1 {
            return Ok(true);
        }
        match self.host(&to.id).await? {
            None => Err(StoreError::NotFound("host")),
            Some(found) if same::host(&found, to) => Ok(false),
            Some(found) if found.version + 1 == to.version => Err(error::unsettled("host")),
            Some(_) => Err(StoreError::Conflict("host")),
        }
    }

    pub(super) async fn note_contact(&self, id: &HostId, contact: &Contact) -> StoreResult<()> {
        let contact = serialize_to_document(contact).map_err(|error| StoreError::Broken(error.to_string()))?;
        // Field by field: what stays as it was is no change then, and the watch is told of those that count.
        let fields: Document = contact.into_iter().map(|(name, value)| (format!("contact.{name}"), value)).collect();
        let change = self.hosts.update_one(doc! { "_id": id.as_str() }, doc! { "$set": fields });
        let changed = self.timed(change).await.map_err(error::db)?;
        if changed.matched_count == 1 { Ok(()) } else { Err(StoreError::NotFound("host")) }
    }

    /// Whether it was there. No cluster comes between the look and the deletion: one is placed on a host at the version at
    /// which it may have more, and this is a later one, at which it may not.
    pub(super) async fn delete_host(&self, id: &HostId, version: u64) -> StoreResult<bool> {
        let occupied = self.timed(self.clusters.find_one(doc! { "host": id.as_str() })).await.map_err(error::db)?;
        let version = i64::try_from(version).unwrap_or(i64::MAX);
        let found = self.host(id).await?;
        match found {
            None => return Ok(false),
            Some(_) if occupied.is_some() => return Err(StoreError::Conflict("host")),
            Some(_) => {}
        }
        let delete = self.hosts.delete_one(doc! { "_id": id.as_str(), "version": version });
        let deleted = self.timed(delete).await.map_err(error::db)?;
        if deleted.deleted_count == 1 {
            return Ok(true);
        }
        match self.host(id).await? {
            None => Ok(false),
            Some(found) if i64::try_from(found.version).ok() == Some(version) => Err(error::unsettled("host")),
            Some(_) => Err(StoreError::Conflict("host")),
        }
    }
}
