//! What a host's loop does with its engine when it looks: the link, pings, surveys, and the record of the contact.

use common::clock;
use common::model::{Actor, Contact, Event, EventKind, Host, Timestamp};
use engine::EngineError;
use tokio::time::Instant;
use tracing::{info, warn};

use super::answer::{ping, while_it_lives};
use super::contact::contact;
use super::link::Link;
use super::{HostLoop, Looked, PING_EVERY, SURVEY_EVERY};
use crate::reconciler::meters::Dropped;
use crate::reconciler::view::observe;
use crate::reconciler::wake::dirty;

impl HostLoop {
    /// A full look if something may have changed, else a ping when it is time, else what was seen last.
    pub(super) async fn look_at_engine(&mut self, host: &Host, heard: &dirty::State) -> Result<Looked, EngineError> {
        // Whatever woke the loop, tries are apart: one moment's trouble is one try.
        if let Some((_, error)) = self.away.as_ref().filter(|(next, _)| Instant::now() < *next) {
            self.dirty.put_back(heard.clone());
            return Err(error.clone());
        }
        let result = self.look_or_ping(host, heard).await;
        self.away = None;
        if let Err(error) = &result {
            // The next answer after a failure is a full look, over a new connection.
            self.tries.bad();
            (self.link, self.seen) = (None, None);
            self.away = Some((Instant::now() + self.tries.pause(self.tools.pace), error.clone()));
        }
        result
    }

    async fn look_or_ping(&mut self, host: &Host, heard: &dirty::State) -> Result<Looked, EngineError> {
        let pace = self.tools.pace;
        let now = clock::now();
        for (cluster, how) in &heard.died {
            self.memory.suspect(cluster.clone(), how.clone(), now);
        }
        if heard.broken || self.link.as_ref().is_some_and(|link| !link.is_to(host)) {
            (self.link, self.seen) = (None, None);
        }
        let engine = match &self.link {
            Some(link) => link.engine.clone(),
            None => {
                let link = Link::connect(host, &self.tools, &self.dirty);
                let link = self.tools.surveys.through(link).await?;
                self.memory.heard_since = Some(clock::now());
                self.link.insert(link).engine.clone()
            }
        };
        if let Some((at, _)) = self.seen.as_ref().filter(|(at, _)| !heard.look && at.elapsed() < pace.of(SURVEY_EVERY))
        {
            let ping_every = pace.of(PING_EVERY);
            let answered = self.tries.answered.map_or(ping_every, |answered| clock::now().since(answered));
            if answered >= ping_every && at.elapsed() >= ping_every {
                ping(&engine, pace).await?;
                self.tries.good(clock::now());
            }
            return Ok(Looked::No);
        }
        let pool = self.tools.store.pool_id();
        let survey = while_it_lives(&engine, pace, engine.survey(pool, &self.tools.layout));
        let survey = self.tools.surveys.through(survey).await?;
        self.tries.good(clock::now());
        let mut seen = observe::seen(survey);
        self.ends.tell(&engine, pool, pace, &mut seen).await;
        self.seen = Some((Instant::now(), seen));
        Ok(Looked::InFull)
    }

    pub(super) async fn note_contact(&mut self, mut host: Host, error: Option<&String>, now: Timestamp) -> Host {
        // Who leads no more has nothing to say.
        if self.tools.term.check().is_err() {
            return host;
        }
        self.tries.made_at = self.memory.made_at;
        let before = Contact { last_answer: self.noted.unwrap_or(host.contact.last_answer), ..host.contact.clone() };
        if let Some(contact) = contact(&before, &self.tries, error.map(String::as_str), now, self.tools.pace) {
            if contact.state.is_active() != host.contact.state.is_active() {
                let reason = error.map_or_else(|| "it answers again".to_owned(), |why| format!("it is away: {why}"));
                info!(host.id = %host.id, "host {}: {reason}", host.settings.name);
                let event = Event::new(now, EventKind::HostContact, Actor::Reconciler, reason).about_host(&host.id);
                if let Err(error) = self.tools.store.append_events(&[event]).await {
                    self.tools.meters.dropped(Dropped::Records);
                    warn!(host.id = %host.id, "the event could not be written: {error}");
                }
            }
            if let Err(error) = self.tools.store.note_contact(&host.id, &contact).await {
                warn!(host.id = %host.id, "could not record the contact with host {}: {error}", host.settings.name);
            } else {
                self.noted = Some(contact.last_answer);
                host.contact = contact;
            }
        }
        // Known here at once, written down now and then.
        host.contact.last_answer =
            self.tries.answered.map_or(host.contact.last_answer, |at| at.max(host.contact.last_answer));
        host
    }
}
