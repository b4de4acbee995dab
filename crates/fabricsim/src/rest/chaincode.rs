//! `POST /chaincode`: deploy, invoke and query in JSON-RPC 2.0.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::{Response, random};
use crate::block::{Hash, Kind, Transaction};
use crate::{Peer, UnixNanos};

#[derive(Serialize)]
struct Answer<'a> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Good>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Bad>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Value>,
}

#[derive(Serialize)]
struct Good {
    status: &'static str,
    message: String,
}

#[derive(Debug, Serialize)]
struct Bad {
    code: i32,
    message: &'static str,
    data: String,
    #[serde(skip)]
    status: u16,
}

impl Bad {
    /// What cannot be read as a request of this protocol: status 400.
    fn request(code: i32, message: &'static str, data: impl Into<String>) -> Self {
        Self { code, message, data: data.into(), status: 400 }
    }

    fn params(data: &str) -> Self {
        Self { code: -32602, message: "Invalid params", data: data.to_owned(), status: 200 }
    }

    /// What was understood and cannot be done: status 200, as the protocol has its own error.
    fn done(code: i32, message: &'static str, data: String) -> Self {
        Self { code, message, data, status: 200 }
    }
}

enum Method {
    Deploy,
    Invoke,
    Query,
}

struct Spec {
    path: Box<str>,
    name: Box<str>,
    args: Vec<Box<str>>,
}

impl Peer {
    pub(super) fn chaincode(&self, body: &[u8], now: UnixNanos) -> Response {
        let request: Value = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(_) if body.is_empty() => {
                return answer(None, Err(invalid("Client must supply a payload for chaincode requests.")));
            }
            Err(error) => {
                let why = format!("Error unmarshalling chaincode request payload: {error}");
                return answer(None, Err(Bad::request(-32700, "Parse error", why)));
            }
        };
        let id = request.get("id").filter(|id| id.is_string() || id.is_number());
        let outcome = self.carry_out(&request, now);
        // Without an id it is a notification: done, and not spoken of.
        if request.is_object() && request.get("id").is_none() {
            return Response { status: outcome.map_or_else(|bad| bad.status, |_| 200), body: String::new() };
        }
        answer(id, outcome)
    }

    fn carry_out(&self, request: &Value, now: UnixNanos) -> Result<String, Bad> {
        if request.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(invalid("Client must supply JSON RPC version 2.0."));
        }
        let method = match request.get("method").and_then(Value::as_str) {
            Some("deploy") => Method::Deploy,
            Some("invoke") => Method::Invoke,
            Some("query") => Method::Query,
            Some(_) => {
                let why = "The specified method does not exist or is not available.";
                return Err(Bad::request(-32601, "Method not found", why));
            }
            None => return Err(invalid("Client must supply a method.")),
        };
        let params = request.get("params").filter(|params| params.is_object());
        let Some(params) = params else {
            return Err(Bad::request(
                -32602,
                "Invalid params",
                "Client must supply ChaincodeSpec for chaincode request.",
            ));
        };
        let spec = spec(params)?;
        match method {
            Method::Deploy => self.deploy(spec, now),
            Method::Invoke if spec.name.is_empty() => Err(Bad::params("Chaincode name may not be blank.")),
            Method::Invoke => {
                let id = self.fresh_id(now);
                let transaction = Transaction {
                    id: id.as_str().into(),
                    kind: Kind::Invoke,
                    chaincode: spec.name,
                    args: spec.args,
                    at: now,
                };
                self.take(transaction, now).map_err(|why| {
                    Bad::done(-32002, "Invocation failure", format!("Error when invoking chaincode: {why}"))
                })
            }
            Method::Query if spec.name.is_empty() => Err(Bad::params("Chaincode name may not be blank.")),
            Method::Query => self
                .lock()
                .ledger
                .world()
                .query(&spec.name, &spec.args)
                .map_err(|why| Bad::done(-32003, "Query failure", format!("Error when querying chaincode: {why}"))),
        }
    }

    /// Answers with the chaincode's name, which is the transaction's id too when Fabric chooses it: by path and
    /// arguments, so that deploying the same again changes nothing.
    fn deploy(&self, spec: Spec, now: UnixNanos) -> Result<String, Bad> {
        let (id, name): (Arc<str>, Box<str>) = match (&*spec.name, &*spec.path) {
            ("", "") => return Err(Bad::params("Chaincode path may not be blank.")),
            (_, "") => (self.fresh_id(now).into(), spec.name.clone()),
            (_, path) => {
                let parts = std::iter::once(path.as_bytes()).chain(spec.args.iter().map(|arg| arg.as_bytes()));
                let name = Hash::of(parts).to_hex();
                (name.as_str().into(), name.into())
            }
        };
        let transaction = Transaction { id, kind: Kind::Deploy, chaincode: name.clone(), args: spec.args, at: now };
        match self.take(transaction, now) {
            Ok(_) => Ok(name.into()),
            Err(why) => Err(Bad::done(-32001, "Deployment failure", format!("Error when deploying chaincode: {why}"))),
        }
    }

    fn take(&self, transaction: Transaction, now: UnixNanos) -> Result<String, &'static str> {
        let id = transaction.id.to_string();
        if self.lock().submit(Arc::new(transaction), now) {
            Ok(id)
        } else {
            Err("this peer holds as many transactions as it can")
        }
    }

    /// As long as a UUID, and as unique.
    fn fresh_id(&self, now: UnixNanos) -> String {
        let parts =
            [self.id.as_str().as_bytes(), &now.0.to_be_bytes(), &random().to_be_bytes(), &random().to_be_bytes()];
        let hex = Hash::of(parts).to_hex();
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]].join("-")
    }
}

fn spec(params: &Value) -> Result<Spec, Bad> {
    let id = params.get("chaincodeID").filter(|id| id.is_object());
    let id = id.ok_or_else(|| Bad::params("Payload must contain a ChaincodeID."))?;
    let text = |name: &str| id.get(name).and_then(Value::as_str).unwrap_or_default().into();
    let no_function = || Bad::params("Payload must contain a CtorMsg with a Chaincode function name.");
    let message = params.get("ctorMsg").ok_or_else(no_function)?;
    // The older form has the function apart, the newer one has it first.
    let function = message.get("function").and_then(Value::as_str).filter(|function| !function.is_empty());
    let mut args: Vec<Box<str>> = function.into_iter().map(Into::into).collect();
    if let Some(rest) = message.get("args") {
        let rest = rest.as_array().ok_or_else(|| Bad::params("The args of CtorMsg must be an array of strings."))?;
        for arg in rest {
            args.push(
                arg.as_str().ok_or_else(|| Bad::params("The args of CtorMsg must be an array of strings."))?.into(),
            );
        }
    }
    if args.is_empty() {
        return Err(no_function());
    }
    Ok(Spec { path: text("path"), name: text("name"), args })
}

fn invalid(why: &str) -> Bad {
    Bad::request(-32600, "Invalid request", why)
}

fn answer(id: Option<&Value>, outcome: Result<String, Bad>) -> Response {
    let status = outcome.as_ref().map_or_else(|bad| bad.status, |_| 200);
    let (result, error) = match outcome {
        Ok(message) => (Some(Good { status: "OK", message }), None),
        Err(bad) => (None, Some(bad)),
    };
    Response::json(status, &Answer { jsonrpc: "2.0", result, error, id })
}
