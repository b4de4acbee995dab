//! An operator at admin's pages: forms with their hidden token, cookies, no scripts.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use reqwest::Client;

use crate::answer::{Answer, client};

/// A browser with its cookies.
#[derive(Debug)]
pub struct Browser {
    url: String,
    http: Client,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Opens the sign-in page and sends its form.
    pub async fn sign_in(url: &str, username: &str, password: &str) -> anyhow::Result<Browser> {
        let mut browser = Browser { url: url.to_owned(), http: client()?, cookies: BTreeMap::new() };
        let fields = [("username", username), ("password", password)];
        let answer = browser.submit("/login", &fields).await?;
        ensure!(answer.status == 303 && browser.cookies.contains_key("pm_session"), "signing in: {}", answer.text);
        Ok(browser)
    }

    /// Opens a page.
    pub async fn open(&mut self, path: &str) -> anyhow::Result<Answer> {
        let request = self.http.get(format!("{}{path}", self.url)).header("cookie", self.cookie_header());
        let answer = Answer::of(request).await?;
        self.keep_cookies(&answer);
        Ok(answer)
    }

    /// Opens the page with a form and sends the form to the same path, with its hidden token.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let page = self.open(path).await?;
        ensure!(page.status == 200, "GET {path}: {} {}", page.status, page.text);
        // A page may have several forms, and the token is the session's, the same in all.
        let csrf = hidden(&page.text, "csrf").with_context(|| format!("{path} has no token"))?;
        let mut fields = fields.to_vec();
        fields.push(("csrf", &csrf));
        self.send(path, &fields).await
    }

    /// Sends these fields and nothing else.
    pub async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let request = self.http.post(format!("{}{path}", self.url)).header("cookie", self.cookie_header());
        let answer = Answer::of(request.form(fields)).await?;
        self.keep_cookies(&answer);
        Ok(answer)
    }

    fn cookie_header(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for header in answer.headers.get_all("set-cookie") {
            let text = header.to_str().unwrap_or_default();
            if let Some((name, value)) = text.split(';').next().and_then(|pair| pair.split_once('=')) {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

fn hidden(page: &str, name: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\""))?;
    Some(rest.split('"').next()?.to_owned())
}
