//! A browser without a screen: cookies, forms, the token of its session.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn location(&self) -> &str {
        self.header("location")
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|why| panic!("{why}: {}", self.text))
    }

    /// Fields at fault of a problem.
    #[track_caller]
    pub fn faults(&self) -> BTreeSet<String> {
        let json = self.json();
        let all = json["errors"].as_array().cloned().unwrap_or_default();
        all.iter().map(|fault| fault["field"].as_str().unwrap().to_owned()).collect()
    }

    #[track_caller]
    pub fn has(&self, words: &str) -> &Self {
        assert!(self.text.contains(words), "{words:?} is not in: {}", self.text);
        self
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

/// Keeps cookies, follows no redirect, and knows the token of its session.
#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    url: String,
    pub cookies: BTreeMap<String, String>,
    pub csrf: String,
    /// Sent with every request.
    pub headers: Vec<(&'static str, String)>,
}

impl Browser {
    pub fn new(url: &str) -> Browser {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Browser { http, url: url.to_owned(), cookies: BTreeMap::new(), csrf: String::new(), headers: Vec::new() }
    }

    /// An answer that is still being read.
    pub async fn open(&mut self, path: &str) -> reqwest::Response {
        let request = self.http.get(format!("{}{path}", self.url));
        self.dressed(request).send().await.unwrap()
    }

    fn dressed(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = request;
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Answer {
        let response = self.dressed(request).send().await.unwrap();
        for line in response.headers().get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() || attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    /// The page once it has these words: clusters are counted for all who look, some three times a second.
    pub async fn get_counted(&mut self, path: &str, words: &str) -> Answer {
        let counted = async {
            loop {
                let page = self.get(path).await;
                if page.text.contains(words) {
                    return page;
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), counted).await.expect(words)
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let request = self.http.get(format!("{}{path}", self.url));
        self.send(request).await
    }

    /// Posts these fields as they are.
    pub async fn post_bare(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.http.post(format!("{}{path}", self.url)).form(fields);
        self.send(request).await
    }

    /// Posts these fields with the session's token.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf.clone();
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        self.post_bare(path, &all).await
    }

    /// Calls the JSON with the session's token.
    pub async fn json(&mut self, method: &str, path: &str, body: Value) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.http.request(method, format!("{}{path}", self.url)).header("x-csrf-token", &self.csrf);
        if !body.is_null() {
            request = request.json(&body);
        }
        self.send(request).await
    }

    /// Any method, any body, no token.
    pub async fn raw(&mut self, method: &str, path: &str, kind: &str, body: Vec<u8>) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}{path}", self.url)).header("content-type", kind).body(body);
        self.send(request).await
    }

    /// Signs in by the page.
    pub async fn sign_in(&mut self, username: &str, password: &str) -> Answer {
        self.sign_in_for("/", username, password).await
    }

    /// Signs in by the page, on the way to another.
    pub async fn sign_in_for(&mut self, next: &str, username: &str, password: &str) -> Answer {
        let token = hidden(&self.get("/login").await.text, "csrf");
        let fields = [("csrf", token.as_str()), ("username", username), ("password", password), ("next", next)];
        let answer = self.post_bare("/login", &fields).await;
        if answer.status == 303 {
            self.csrf = self.get("/api/v1/session").await.json()["csrf_token"].as_str().unwrap_or_default().to_owned();
        }
        answer
    }

    /// The page that a redirect leads to.
    #[track_caller]
    pub fn follow<'a>(&'a mut self, answer: &Answer) -> impl Future<Output = Answer> + 'a {
        assert_eq!(answer.status, 303, "{}", answer.text);
        let location = answer.location().to_owned();
        async move { self.get(&location).await }
    }
}

/// The value of a hidden field of a page.
#[track_caller]
pub fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let at = page.find(&start).unwrap_or_else(|| panic!("no field {name} in {page}")) + start.len();
    page[at..].split('"').next().unwrap().to_owned()
}
