//! An operator at admin's JSON.

use anyhow::{Context, ensure};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::answer::{Answer, client};

/// Signed in at an admin. The session is in the store: it holds at another admin of the same pool, and after a restart.
#[derive(Clone, Debug)]
pub struct Operator {
    url: String,
    http: Client,
    cookie: String,
    csrf: String,
}

impl Operator {
    /// Signs in.
    pub async fn sign_in(url: &str, username: &str, password: &str) -> anyhow::Result<Operator> {
        let http = client()?;
        let body = json!({"username": username, "password": password});
        let answer = Answer::of(http.post(format!("{url}/api/v1/session")).json(&body)).await?;
        ensure!(answer.status == 200, "signing in: {} {}", answer.status, answer.text);
        let cookie = answer.cookie("pm_session").context("no session cookie")?;
        let csrf = answer.json()["csrf_token"].as_str().context("no token")?.to_owned();
        Ok(Operator { url: url.to_owned(), http, cookie: format!("pm_session={cookie}"), csrf })
    }

    /// Of the admin.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The header that shows the session.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// The same at another admin.
    pub fn at(&self, url: &str) -> Operator {
        Operator { url: url.to_owned(), ..self.clone() }
    }

    /// Asks for something.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.call(Method::GET, path, None).await
    }

    /// Asks for something, with a body if there is one.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let request = self.http.request(method, format!("{}{path}", self.url));
        let request = request.header("cookie", &self.cookie).header("x-csrf-token", &self.csrf);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        Answer::of(request).await
    }

    /// All items of a list.
    pub async fn items(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let answer = self.get(path).await?;
        ensure!(answer.status == 200, "GET {path}: {} {}", answer.status, answer.text);
        let mut answer = answer.json();
        ensure!(answer["next"].is_null(), "{path} has more than one part");
        serde_json::from_value(answer["items"].take()).with_context(|| format!("GET {path}"))
    }

    /// What the reconciler says of all hosts, and the latest events: for whoever wonders why something does not come.
    pub async fn words(&self) -> String {
        let hosts = self.items("/api/v1/hosts").await.unwrap_or_default();
        let outlook: Vec<&Value> = hosts.iter().map(|host| &host["outlook"]).collect();
        let events = self.get("/api/v1/events?limit=12").await.map(|answer| answer.json()).unwrap_or_default();
        let events: Vec<String> = events["items"].as_array().map_or(Vec::new(), |events| {
            events.iter().map(|e| format!("{} {} {}", e["kind"], e["cluster_name"], e["reason"])).collect()
        });
        format!("outlook {outlook:?}; events {events:#?}")
    }
}
