//! What happened, in Docker's words: the last of it kept, the rest sent to who listens.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::container::Container;
use super::labels::Labels;
use super::network::Network;
use crate::clock::{self, Moment};
use crate::ids::Id;
use crate::intern::intern;

/// A real engine keeps as many.
const KEPT: usize = 256;

/// One event. Labels are shared with their container, so that a thousand hosts' histories stay small.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) kind: &'static str,
    pub(crate) action: Arc<str>,
    pub(crate) id: Id,
    /// For containers and images: the legacy fields `status`, `id` and `from` are there.
    pub(crate) from: Option<Arc<str>>,
    pub(crate) labels: Option<Labels>,
    pub(crate) attributes: Box<[(&'static str, Arc<str>)]>,
    pub(crate) at: Moment,
}

/// The events of one engine.
#[derive(Debug, Default)]
pub(crate) struct Events(Mutex<Feed>);

#[derive(Debug, Default)]
struct Feed {
    last: VecDeque<Event>,
    listeners: Vec<mpsc::UnboundedSender<Event>>,
}

impl Events {
    /// The kept events since a moment (none without one), and a stream of what comes.
    pub(crate) fn listen(&self, since: Option<Moment>) -> (Vec<Event>, mpsc::UnboundedReceiver<Event>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut feed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        feed.listeners.retain(|listener| !listener.is_closed());
        feed.listeners.push(sender);
        let past = since.map(|since| feed.last.iter().filter(|event| event.at >= since).cloned().collect());
        (past.unwrap_or_default(), receiver)
    }

    /// Ends all streams, as when the engine goes.
    pub(crate) fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).listeners.clear();
    }

    /// How many listen.
    pub(crate) fn listeners(&self) -> usize {
        let mut feed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        feed.listeners.retain(|listener| !listener.is_closed());
        feed.listeners.len()
    }

    fn emit(&self, event: Event) {
        let mut feed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if feed.last.len() == KEPT {
            feed.last.pop_front();
        }
        feed.listeners.retain(|listener| listener.send(event.clone()).is_ok());
        feed.last.push_back(event);
    }

    /// Something about a container; `more` are attributes beyond image, name and labels.
    pub(crate) fn container(&self, container: &Container, action: &str, more: Vec<(&'static str, String)>) {
        let own = [("image", container.image.clone()), ("name", container.name.clone())];
        let attributes = own.into_iter().chain(more.into_iter().map(|(key, value)| (key, value.into()))).collect();
        self.emit(Event {
            kind: "container",
            action: intern(action),
            id: container.id.clone(),
            from: Some(container.image.clone()),
            labels: Some(container.spec.body.labels.clone()),
            attributes,
            at: clock::now(),
        });
    }

    /// Something about a network; `container` if it joined or left. A real engine sends no labels here.
    pub(crate) fn network(&self, network: &Network, action: &str, container: Option<&Id>) {
        let mut attributes = Vec::new();
        if let Some(id) = container {
            attributes.push(("container", id.to_string()));
        }
        attributes.push(("name", network.name.clone()));
        attributes.push(("type", network.driver.clone()));
        self.plain("network", action, network.id.clone(), attributes);
    }

    /// Something about a volume. A real engine sends no labels here either.
    pub(crate) fn volume(&self, name: &str, action: &str, more: Vec<(&'static str, String)>) {
        let mut attributes = more;
        attributes.push(("driver", "local".to_owned()));
        self.plain("volume", action, name.into(), attributes);
    }

    /// Something about an image.
    pub(crate) fn image(&self, id: &str, action: &str, name: &str) {
        self.plain("image", action, id.into(), vec![("name", name.to_owned())]);
    }

    fn plain(&self, kind: &'static str, action: &str, id: Id, attributes: Vec<(&'static str, String)>) {
        let at = clock::now();
        let attributes = attributes.into_iter().map(|(key, value)| (key, intern(&value))).collect();
        self.emit(Event { kind, action: intern(action), id, from: None, labels: None, attributes, at });
    }
}

impl Event {
    /// An attribute, labels included.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let own = self.attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| &**value);
        own.or_else(|| self.labels.as_ref()?.get(name))
    }

    /// As the stream carries it, one line.
    pub(crate) fn line(&self) -> String {
        let mut names: Vec<(&str, &str)> = Vec::new();
        if let Some(labels) = &self.labels {
            names.extend(labels.iter());
        }
        names.extend(self.attributes.iter().map(|(key, value)| (*key, &**value)));
        names.sort_unstable();
        let attributes: Map<String, Value> =
            names.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        let mut event = Map::new();
        if self.from.is_some() || self.kind == "image" {
            event.insert("status".to_owned(), (*self.action).into());
            event.insert("id".to_owned(), (*self.id).into());
        }
        if let Some(from) = &self.from {
            event.insert("from".to_owned(), (**from).into());
        }
        event.insert("Type".to_owned(), self.kind.into());
        event.insert("Action".to_owned(), (*self.action).into());
        event.insert("Actor".to_owned(), json!({"ID": &*self.id, "Attributes": attributes}));
        event.insert("scope".to_owned(), "local".into());
        event.insert("time".to_owned(), self.at.seconds().into());
        event.insert("timeNano".to_owned(), self.at.0.into());
        let mut line = Value::Object(event).to_string();
        line.push('\n');
        line
    }
}
