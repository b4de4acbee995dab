//! Numbers over time, a document for each subject and hour.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};

use mongodb::bson::{Bson, Document, doc};
use mongodb::options::FindOptions;

use super::db::Db;
use super::error;
use crate::model::{SAMPLES_TOGETHER, Sample, Subject, Timestamp, beginning};
use crate::store::backup::HourOfSamples;
use crate::store::together::{Numbers, Place, group, take_apart};
use crate::store::{StoreError, StoreResult};

fn id(place: &Place) -> String {
    format!("{} {}", place.subject.key(), place.hour.as_millis())
}

impl Db {
    /// Adds them to what there is, in one command; once an hour those go that are too old, as seen from the newest of
    /// these. An hour has room for so many subjects.
    pub(super) async fn put_samples(&self, samples: &[Sample], room: u32, cut_in: &AtomicI64) -> StoreResult<()> {
        let Some(newest) = samples.iter().map(|sample| sample.minute).max() else {
            return Ok(());
        };
        let mut grouped = group(samples);
        self.keep_to_the_room(&mut grouped, room).await?;
        let updates: Vec<Document> = grouped
            .iter()
            .map(|(place, numbers)| {
                let mut set = Document::new();
                for (name, values) in numbers {
                    for (minute, value) in values {
                        set.insert(format!("v.{name}.{minute}"), i64::try_from(*value).unwrap_or(i64::MAX));
                    }
                }
                let (subject, hour, ends) = (place.subject.key(), place.hour.as_millis(), place.ends().as_millis());
                doc! {
                    "q": { "_id": id(place) },
                    "u": { "$setOnInsert": { "subject": subject, "hour": hour, "ends": ends }, "$set": set },
                    "upsert": true,
                }
            })
            .collect();
        if !updates.is_empty() {
            self.update(&self.samples, updates).await.map_err(error::db).and_then(error::all_done)?;
        }
        let hour = beginning(newest, SAMPLES_TOGETHER).as_millis();
        if cut_in.swap(hour, Ordering::Relaxed) != hour {
            let old = doc! { "ends": { "$lte": newest.as_millis() } };
            self.timed(self.samples.delete_many(old)).await.map_err(error::db)?;
        }
        Ok(())
    }

    /// Leaves out who would be one too many in its hour. Two who write at once may be a few over.
    async fn keep_to_the_room(&self, grouped: &mut BTreeMap<Place, Numbers>, room: u32) -> StoreResult<()> {
        let ids: Vec<String> = grouped.keys().map(id).collect();
        let only_ids = FindOptions::builder().projection(doc! { "_id": 1 }).build();
        let found = self.find(&self.samples, doc! { "_id": { "$in": ids } }, only_ids).await?;
        let there: BTreeSet<&str> = found.iter().filter_map(|document| document.get_str("_id").ok()).collect();
        let new: Vec<Place> = grouped.keys().filter(|place| !there.contains(id(place).as_str())).cloned().collect();
        let mut left: BTreeMap<Timestamp, u64> = BTreeMap::new();
        for hour in new.iter().map(|place| place.hour).collect::<BTreeSet<_>>() {
            let of_hour = doc! { "hour": hour.as_millis() };
            let there = self.timed(self.samples.count_documents(of_hour)).await.map_err(error::db)?;
            left.insert(hour, u64::from(room).saturating_sub(there));
        }
        for place in new {
            match left.get_mut(&place.hour) {
                Some(left) if *left > 0 => *left -= 1,
                _ => {
                    grouped.remove(&place);
                }
            }
        }
        Ok(())
    }

    /// Of the minutes that began then or later, oldest first.
    pub(super) async fn samples(&self, subject: &Subject, since: Timestamp) -> StoreResult<Vec<Sample>> {
        let from = beginning(since, SAMPLES_TOGETHER).as_millis();
        let oldest_first = FindOptions::builder().sort(doc! { "hour": 1 }).build();
        let filter = doc! { "subject": subject.key(), "hour": { "$gte": from } };
        let found = self.find(&self.samples, filter, oldest_first).await?;
        let mut samples = Vec::new();
        for document in found {
            let broken = || StoreError::Broken(format!("the samples {:?} cannot be read", document.get("_id")));
            let hour = document.get_i64("hour").map_err(|_| broken())?;
            let numbers = numbers(&document).ok_or_else(broken)?;
            samples.extend(take_apart(subject, Timestamp::from_millis(hour), numbers, since));
        }
        Ok(samples)
    }
}

/// An hour of a subject, from its document.
pub(super) fn hour(document: &Document) -> Option<HourOfSamples> {
    let list = |minutes: BTreeMap<u8, u64>| {
        let last = minutes.keys().next_back().copied().unwrap_or(0);
        (0..=last).map(|minute| minutes.get(&minute).copied()).collect()
    };
    let at = |field: &str| document.get_i64(field).ok().map(Timestamp::from_millis);
    Some(HourOfSamples {
        subject: document.get_str("subject").ok()?.to_owned(),
        hour: at("hour")?,
        ends: at("ends")?,
        values: numbers(document)?.into_iter().map(|(name, minutes)| (name, list(minutes))).collect(),
    })
}

/// The same as a document.
pub(super) fn document(hour: &HourOfSamples) -> Document {
    let mut values = Document::new();
    for (name, list) in &hour.values {
        let known = list.iter().enumerate().filter_map(|(minute, value)| Some((minute.to_string(), (*value)?)));
        let known = known.map(|(minute, value)| (minute, Bson::Int64(i64::try_from(value).unwrap_or(i64::MAX))));
        values.insert(name, known.collect::<Document>());
    }
    doc! {
        "_id": format!("{} {}", hour.subject, hour.hour.as_millis()),
        "subject": &hour.subject, "hour": hour.hour.as_millis(), "ends": hour.ends.as_millis(), "v": values,
    }
}

fn numbers(document: &Document) -> Option<Numbers> {
    let number = |value: &Bson| value.as_i64().and_then(|value| u64::try_from(value).ok());
    let Ok(all) = document.get_document("v") else { return Some(Numbers::new()) };
    all.iter()
        .map(|(name, values)| {
            let values = values.as_document()?.iter();
            let values = values.map(|(minute, value)| Some((minute.parse().ok()?, number(value)?)));
            Some((name.clone(), values.collect::<Option<_>>()?))
        })
        .collect()
}
