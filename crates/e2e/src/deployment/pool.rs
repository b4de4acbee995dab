//! What users and operators do with the pool, through nginx.

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::report::Report;
use super::site::Site;
use crate::answer::{Answer, client};
use crate::house::summary;
use crate::operator::Operator;
use crate::tls_engine::TlsEngine;
use crate::wait::until;

/// Clusters of the host.
pub(super) const CAPACITY: u16 = 3;

/// For a cluster to come or to go, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The pool of a deployment, with two users: alice has a token of her own, bob comes by a service.
pub(super) struct Pool {
    pub users: String,
    pub operator: Operator,
    pub http: Client,
    pub alice: String,
    pub service: String,
    host: String,
}

impl Pool {
    /// Signs in, adds the engine as a host and waits until it is full.
    pub async fn fill(site: &Site, engine: &TlsEngine, report: &mut Report<'_>) -> anyhow::Result<Pool> {
        let operator = sign_in(site).await?;
        report.saw("the first operator signs in with the password of .env", "");
        let certs = engine.certs()?;
        let host = json!({
            "name": "worker1", "daemon_url": engine.url(), "address": engine.address(), "bind_address": engine.address(),
            "capacity": CAPACITY, "schedulable": true, "autofill": true,
            "tls_ca": certs.ca, "tls_certificate": certs.certificate, "tls_key": certs.key,
        });
        let answer = operator.call(Method::POST, "/api/v1/hosts", Some(&host)).await?;
        ensure!(answer.status == 201, "adding the host: {} {}", answer.status, answer.text);
        let host = answer.json()["id"].as_str().context("a host's id")?.to_owned();
        let alice = token(site, &["--user", "alice"]).await?;
        let service = token(site, &["--service", "web"]).await?;
        report.saw("tokens are made in admin's container", "one for alice, one for a service");
        let pool = Pool { users: site.users(), operator, http: client()?, alice, service, host };
        pool.until(&format!("{CAPACITY} free")).await?;
        report.saw("a host that is reached by TLS is filled", format!("{CAPACITY} free"));
        Ok(pool)
    }

    /// Applies and releases by v1 and v2, with tokens; alice and bob hold one each in the end.
    pub async fn try_calls(&mut self, report: &mut Report<'_>) -> anyhow::Result<()> {
        let bare = Answer::of(self.http.get(format!("{}/v2/cluster_apply?user_id=alice", self.users))).await?;
        let asked = bare.status == 401 && bare.header("www-authenticate").starts_with("Bearer");
        report.holds("who brings no token is refused", asked, format!("{} {}", bare.status, bare.text));
        let other = self.v2(&self.alice, "/v2/cluster_apply", &[("user_id", "bob")]).await?;
        report.holds("alice's token is not good for bob", other.status == 400, other.json()["error"].to_string());

        let hers = self.apply().await?;
        let his = self.v1("cluster_apply").await?;
        let at = his.json()["api_url"].as_str().unwrap_or_default().to_owned();
        report.holds("v1 gives bob a network by the service's token", his.status == 200 && !at.is_empty(), &at);
        let chain = Answer::of(self.http.get(format!("{at}/chain"))).await;
        let seen = chain.as_ref().map_or_else(|error| format!("{error:#}"), |answer| answer.text.clone());
        report.holds("it answers its user at that address", chain.is_ok_and(|chain| chain.status == 200), seen);
        let again = self.apply().await?;
        report.holds("v2 gives alice the same network again", again == hers, &again);

        let first = self.another("asked-once").await?;
        let same = self.another("asked-once").await?;
        let seen = format!("{first} and {same}");
        report.holds("another one, asked for twice with one key, is one", first != hers && same == first, seen);
        let full = self.another("asked-anew").await;
        report.holds("with another key it is another apply", full.is_err(), "there is none left to give");
        let released = self.v2(&self.alice, "/v2/cluster_release", &[("cluster_id", &first)]).await?;
        report.holds("v2 releases one of hers", released.json()["status"] == "OK", &released.text);

        let released = self.v2(&self.alice, "/v2/cluster_release", &[("cluster_id", &hers)]).await?;
        report.holds("v2 releases hers", released.json()["status"] == "OK", &released.text);
        let released = self.v1("cluster_release").await?;
        report.holds("v1 releases his", released.json()["status"] == "OK", &released.text);
        self.until(&format!("{CAPACITY} free")).await?;
        report.saw("what was released is made anew", "");
        let another = self.apply().await?;
        report.holds("the next one that alice gets is another", another != hers, &another);
        ensure!(self.v1("cluster_apply").await?.status == 200, "bob gets no other");
        self.until(&format!("{} free, 2 in_use", CAPACITY - 2)).await
    }

    /// The id of alice's cluster, which she is given if she has none.
    pub async fn apply(&self) -> anyhow::Result<String> {
        let answer = self.v2(&self.alice, "/v2/cluster_apply", &[]).await?;
        let id = answer.json()["data"]["id"].as_str().map(str::to_owned);
        id.with_context(|| format!("alice applies: {} {}", answer.status, answer.text))
    }

    /// The id of another one for alice, by an apply that is known by this key.
    async fn another(&self, key: &str) -> anyhow::Result<String> {
        let request = self.http.get(format!("{}/v2/cluster_apply?allow_multiple=true", self.users));
        let answer = Answer::of(request.bearer_auth(&self.alice).header("Idempotency-Key", key)).await?;
        let id = answer.json()["data"]["id"].as_str().map(str::to_owned);
        id.with_context(|| format!("alice applies for another: {} {}", answer.status, answer.text))
    }

    /// A call of v1 for bob, by the service.
    pub async fn v1(&self, call: &str) -> anyhow::Result<Answer> {
        let request = self.http.get(format!("{}/v1/{call}", self.users)).query(&[("user_id", "bob")]);
        Answer::of(request.bearer_auth(&self.service)).await
    }

    /// A call of v2, as a form.
    pub async fn v2(&self, token: &str, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
        Answer::of(self.http.post(format!("{}{path}", self.users)).bearer_auth(token).form(fields)).await
    }

    /// Who holds what, as operators see it, and all else that must outlive containers.
    pub async fn known(&self) -> anyhow::Result<Value> {
        let leased = self.operator.items("/api/v1/clusters?limit=200").await?;
        let leased: Vec<Value> = leased
            .iter()
            .filter(|cluster| cluster["phase"] == "in_use")
            .map(|cluster| json!([cluster["id"], cluster["name"], cluster["host_id"], cluster["lease"]]))
            .collect();
        let hosts = self.operator.items("/api/v1/hosts").await?;
        let hosts: Vec<Value> =
            hosts.iter().map(|host| json!([host["id"], host["daemon_url"], host["capacity"]])).collect();
        let records = self.operator.items("/api/v1/records?limit=200").await?;
        let records: Vec<&Value> = records.iter().map(|record| &record["id"]).collect();
        let mut tokens = Vec::new();
        for token in self.operator.items("/api/v1/tokens?limit=200").await? {
            tokens.push(json!([token["id"], token["user"], token["kind"], token["expires_at"]]));
        }
        Ok(json!({"leased": leased, "hosts": hosts, "records": records, "tokens": tokens}))
    }

    /// Waits until the pool is exactly so, and what is free can be taken.
    pub async fn until(&self, wanted: &str) -> anyhow::Result<()> {
        until(&format!("the pool to be: {wanted}"), PATIENCE, || async {
            let now = summary(&self.operator.items("/api/v1/clusters?limit=200").await?);
            ensure!(now == wanted, "{now}; {}", self.operator.words().await);
            Ok(())
        })
        .await
    }

    /// Waits until alice's and bob's are the only ones that are held, and the rest is free again.
    pub async fn until_two_are_held(&self) -> anyhow::Result<()> {
        self.until(&format!("{} free, 2 in_use", CAPACITY - 2)).await
    }

    /// Signs in again: sessions are not in a backup.
    pub async fn sign_in_again(&mut self, site: &Site) -> anyhow::Result<()> {
        self.operator = sign_in(site).await?;
        Ok(())
    }

    /// Releases what is held and deletes the host, after which its engine has nothing of ours.
    pub async fn leave(&self, engine: &TlsEngine, report: &mut Report<'_>) -> anyhow::Result<()> {
        self.v2(&self.alice, "/v2/cluster_release", &[]).await?;
        self.v1("cluster_release").await?;
        let at = format!("/api/v1/hosts/{}", self.host);
        until("the host to be gone", PATIENCE, || async {
            let answer = self.operator.call(Method::DELETE, &at, None).await?;
            ensure!(answer.status == 404, "{}; {}", answer.text, self.operator.words().await);
            Ok(())
        })
        .await?;
        let left = engine.docker().args(["ps", "-aq"]).output()?;
        report.holds("a deleted host is left empty", left.stdout.is_empty(), String::from_utf8_lossy(&left.stdout));
        Ok(())
    }
}

/// The first operator, through nginx.
pub(super) async fn sign_in(site: &Site) -> anyhow::Result<Operator> {
    Operator::sign_in(&site.operators(), "admin", &site.setting("ADMIN_PASSWORD")).await
}

async fn token(site: &Site, whose: &[&str]) -> anyhow::Result<String> {
    let all: Vec<&str> = ["token", "create"].into_iter().chain(whose.iter().copied()).collect();
    Ok(site.in_admin(&all).await?.trim().to_owned())
}
