//! The fields of a host between the form and the operation.

use std::collections::BTreeMap;

use common::model::{Host, LogLevel, SlotLayout};
use serde::Serialize;

use super::host_tls::TlsTyped;
use crate::input::Form;
use crate::operations::{Fault, HostInput, TlsInput};

/// A form for a host, with what was typed and what is wrong with it.
#[derive(Serialize)]
pub struct FormView {
    values: Values,
    tls: TlsTyped,
    errors: BTreeMap<String, String>,
    /// What is wrong with no field of its own.
    error: Option<String>,
    log_levels: Vec<&'static str>,
    most: u16,
    /// Of a host that is there: its id, its name, and the version that was shown.
    id: Option<String>,
    name: Option<String>,
    version: Option<u64>,
}

#[derive(Serialize)]
struct Values {
    name: String,
    daemon_url: String,
    address: String,
    bind_address: String,
    capacity: String,
    log_level: String,
    log_type: String,
    log_server: String,
    schedulable: bool,
    autofill: bool,
    mix: String,
    chaincode_endpoint: String,
}

impl FormView {
    /// The form for a new host.
    pub fn new(input: &HostInput, faults: &[Fault], error: Option<String>, layout: &SlotLayout) -> FormView {
        let input = input.clone();
        let mut errors = BTreeMap::new();
        for fault in faults {
            errors.entry(fault.field.clone()).or_insert_with(|| fault.reason.clone());
        }
        FormView {
            values: Values {
                name: input.name,
                daemon_url: input.daemon_url,
                address: input.address,
                bind_address: input.bind_address,
                capacity: input.capacity,
                log_level: input.log_level,
                log_type: input.log_type,
                log_server: input.log_server,
                schedulable: input.schedulable,
                autofill: input.autofill,
                mix: input.mix,
                chaincode_endpoint: input.chaincode_endpoint,
            },
            tls: TlsTyped::default(),
            errors,
            error,
            log_levels: LogLevel::ALL.into_iter().map(LogLevel::as_str).collect(),
            most: layout.slots().min(common::model::MAX_CAPACITY),
            id: None,
            name: None,
            version: None,
        }
    }

    /// The same with what was typed of credentials, if the form was refused.
    pub fn with_tls(mut self, input: &TlsInput) -> FormView {
        self.tls = TlsTyped::of(input, &mut self.errors);
        self
    }

    /// The same for a host that is there; `seen` is the version that the form is for.
    pub fn of_host(self, host: &Host, seen: u64) -> FormView {
        let name = host.settings.name.to_string();
        FormView { id: Some(host.id.to_string()), name: Some(name), version: Some(seen), ..self }
    }
}

/// What was typed.
pub fn input(fields: &Form) -> HostInput {
    let text = |name: &str| fields.text(name).to_owned();
    // The field of the server stays in the form when the log goes to files: no scripts hide it. What is in it then
    // is not meant.
    let log_server = if fields.text("log_type") == "local" { String::new() } else { text("log_server") };
    HostInput {
        name: text("name"),
        daemon_url: text("daemon_url"),
        address: text("address"),
        bind_address: text("bind_address"),
        capacity: text("capacity"),
        log_level: text("log_level"),
        log_type: text("log_type"),
        log_server,
        schedulable: fields.ticked("schedulable"),
        autofill: fields.ticked("autofill"),
        mix: text("mix"),
        chaincode_endpoint: text("chaincode_endpoint"),
    }
}
