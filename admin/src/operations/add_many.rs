//! Adding many hosts at once. Each line is taken or refused by itself; what was taken stays, so that what was refused can be
//! mended and sent again. Sent again as it was, it adds nothing twice.
//!
//! The asker waits for the whole answer, at most [`WITHIN`]: any number of admins may run, and a job in one of them would not
//! be found by the next request, which may come to another. Engines that are well answer in milliseconds; so many are
//! asked at a time that a list of dead ones is done in time as well.

use std::time::Duration;

use common::model::{Host, HostId, HostSettings, Timestamp};
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::add_host::check_against;
use super::host_tls::NewTls;
use super::many_input::{Line, parse_many};
use super::{Fault, HostInput, Operations, Refusal, TlsInput};

/// The whole takes no longer. What was not reached by then is said to be so, and is not added.
pub const WITHIN: Duration = Duration::from_secs(20);

/// One engine is waited for so long.
const EACH_WITHIN: Duration = Duration::from_secs(4);

/// So many engines are asked at a time: 200 dead ones take seven waits of [`EACH_WITHIN`] at worst, most of them less.
const AT_ONCE: usize = 48;

/// What came of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineResult {
    /// The host was added.
    Added(HostId),
    /// The daemon URL is that of this host, which was there before.
    There(HostId),
    /// What is wrong.
    Refused(Vec<Fault>),
}

/// A line, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineDone {
    /// Its number in the text, from 1.
    pub number: usize,
    /// As it was pasted.
    pub text: String,
    /// The host's name, as far as the line has one.
    pub name: String,
    /// What came of it.
    pub result: LineResult,
}

/// What came of all lines, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManyDone(pub Vec<LineDone>);

impl ManyDone {
    /// How many were added, were there, were refused.
    pub fn counts(&self) -> (usize, usize, usize) {
        self.0.iter().fold((0, 0, 0), |(added, there, refused), line| match line.result {
            LineResult::Added(_) => (added + 1, there, refused),
            LineResult::There(_) => (added, there + 1, refused),
            LineResult::Refused(_) => (added, there, refused + 1),
        })
    }

    /// The lines that were refused, as they were pasted.
    pub fn rest(&self) -> String {
        let refused = self.0.iter().filter(|line| matches!(line.result, LineResult::Refused(_)));
        refused.map(|line| format!("{}\n", line.text)).collect()
    }

    /// A sentence for people.
    pub fn message(&self) -> String {
        let (added, there, refused) = self.counts();
        let hosts = |n: usize| if n == 1 { "1 host was".to_owned() } else { format!("{n} hosts were") };
        let mut said = format!("{} added", hosts(added));
        if there > 0 {
            said += &format!(", {} there already", hosts(there));
        }
        if refused > 0 {
            let lines = if refused == 1 { "1 line was".to_owned() } else { format!("{refused} lines were") };
            said += &format!(", {lines} refused");
        }
        said + "."
    }
}

/// A line on its way.
enum Task {
    Ask(Box<HostSettings>),
    Known(LineResult),
}

impl Operations {
    /// Adds the hosts that a text names; `common` has the settings for all. Refused as a whole only for the text's length, or for
    /// what is wrong with the settings for all.
    pub async fn add_many(
        &self,
        text: &str,
        common: &HostInput,
        tls: &TlsInput,
        by: &str,
        now: Timestamp,
    ) -> Result<ManyDone, Refusal> {
        let mut faults = self.common_faults(common);
        let lines = parse_many(text, common).map_err(|fault| faults.insert(0, fault)).unwrap_or_default();
        if !faults.is_empty() {
            return Err(Refusal::Faults(faults));
        }
        let tls = match tls.is_empty() {
            true => None,
            false => Some(self.parse_tls(tls, now)?),
        };
        let known = self.store.list_hosts().await?;
        let tasks = self.tasks(lines, &known);
        let until = Instant::now() + WITHIN;
        let known = &known;
        let mut done: Vec<LineDone> = stream::iter(tasks)
            .map(async |(line, task)| {
                let result = match task {
                    Task::Known(result) => result,
                    Task::Ask(settings) => self.add_one(*settings, tls.as_ref(), known, by, now, until).await,
                };
                let name = line.host.map(|host| host.name).unwrap_or_default();
                LineDone { number: line.number, text: line.text, name, result }
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        done.sort_by_key(|line| line.number);
        Ok(ManyDone(done))
    }

    /// What is wrong with the settings for all, whatever the lines say.
    fn common_faults(&self, common: &HostInput) -> Vec<Fault> {
        let named =
            HostInput { name: "h".into(), daemon_url: "tcp://h:1".into(), address: "h".into(), ..common.clone() };
        named.parse(&self.layout, &self.flavors(), 0).err().unwrap_or_default()
    }

    /// What can be said of each line without asking an engine: its fields, hosts that are there, and other lines.
    fn tasks(&self, lines: Vec<Line>, known: &[Host]) -> Vec<(Line, Task)> {
        let flavors = self.flavors();
        let mut before: Vec<(usize, HostSettings)> = Vec::new();
        let mut tasks = Vec::new();
        for line in lines {
            let parsed = line.host.clone().and_then(|host| host.parse(&self.layout, &flavors, 0));
            let task = match parsed {
                Err(faults) => Task::Known(LineResult::Refused(faults)),
                Ok(settings) => match decide(&settings, known, &before) {
                    Some(result) => Task::Known(result),
                    None => {
                        before.push((line.number, settings.clone()));
                        Task::Ask(Box::new(settings))
                    }
                },
            };
            tasks.push((line, task));
        }
        tasks
    }

    async fn add_one(
        &self,
        settings: HostSettings,
        tls: Option<&NewTls<'_>>,
        known: &[Host],
        by: &str,
        now: Timestamp,
        until: Instant,
    ) -> LineResult {
        if Instant::now() >= until {
            let why = format!("was not asked within the {} s that all have together: send it again", WITHIN.as_secs());
            return LineResult::Refused(vec![Fault::new("daemon_url", why)]);
        }
        let patience = Instant::now() + EACH_WITHIN;
        let asked = match timeout_at(
            patience.min(until),
            self.ask_new(&settings, tls.map(|tls| &tls.credentials), known),
        )
        .await
        {
            Ok(asked) => asked,
            Err(_) => {
                let why = format!("{} does not answer within {} s", settings.daemon_url, EACH_WITHIN.as_secs());
                Err(Refusal::field("daemon_url", why))
            }
        };
        let added = match asked {
            Ok(info) => self.write_new(settings, info, tls, by, now).await,
            Err(refusal) => Err(refusal),
        };
        match added {
            Ok(host) => LineResult::Added(host.id),
            Err(Refusal::Faults(faults)) => LineResult::Refused(faults),
            Err(other) => LineResult::Refused(vec![Fault::new("line", format!("was not added: {}", other.sentence()))]),
        }
    }
}

/// What hosts and lines before say of one; `None`: it is to be asked.
fn decide(settings: &HostSettings, known: &[Host], before: &[(usize, HostSettings)]) -> Option<LineResult> {
    if let Some(there) = known.iter().find(|host| host.settings.daemon_url == settings.daemon_url) {
        return Some(LineResult::There(there.id.clone()));
    }
    if let Err(Refusal::Faults(faults)) = check_against(settings, None, known) {
        return Some(LineResult::Refused(faults));
    }
    let same = |field: &str, same: &dyn Fn(&HostSettings) -> bool| {
        let (number, _) = before.iter().find(|(_, other)| same(other))?;
        Some(LineResult::Refused(vec![Fault::new(field, format!("is that of line {number} as well"))]))
    };
    same("daemon_url", &|other| other.daemon_url == settings.daemon_url)
        .or_else(|| same("name", &|other| other.name == settings.name))
        .or_else(|| same("address", &|other| other.meets(settings)))
}
