//! The pages, one file each. A page turns models into a view of plain texts and numbers; the template lays it out.
//!
//! What changes something is a form that is POSTed and answered by a redirect with a message (see `flash`); a form
//! that is refused comes back with what was typed and the reason at the field.

pub mod access;
pub mod access_operator;
pub mod access_password;
mod access_secret;
pub mod access_tokens;
pub mod cluster;
pub mod cluster_act;
mod cluster_filter;
mod cluster_gone;
pub mod cluster_new;
mod cluster_rows;
pub mod clusters;
mod confirm;
pub mod curves;
pub mod docs;
pub mod events;
pub mod evidence;
mod flash;
pub mod flavor;
pub mod flavors;
mod frame;
mod free;
pub mod host;
pub mod host_act;
pub mod host_configure;
pub mod host_force;
mod host_form;
pub mod host_reset;
pub mod host_tls;
pub mod hosts;
pub mod hosts_many;
pub mod login;
pub mod node_log;
pub mod overview;
pub mod record;
pub mod stat;
mod way_back;
mod words;

use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use anyhow::{Context as _, anyhow};
use common::model::Role;
use rust_embed::RustEmbed;
use serde::Serialize;
use tera::{Context, Kwargs, Tera};
use url::form_urlencoded;

use crate::access::{SignedIn, client, role_name};
use crate::live::TOKEN;
use crate::operations::{Done, Refusal};
use crate::problem::Problem;
use crate::server::State;

use flash::{Flash, Tone};

#[derive(RustEmbed)]
#[folder = "templates/"]
struct Sources;

/// The templates, parsed.
pub struct Templates(Tera);

impl Templates {
    /// Parses what is inside the binary.
    pub fn load() -> anyhow::Result<Templates> {
        let mut sources = Vec::new();
        for name in Sources::iter() {
            let file = Sources::get(&name).with_context(|| format!("the template {name} is missing"))?;
            let text = String::from_utf8(file.data.into_owned()).with_context(|| format!("reading {name}"))?;
            sources.push((name.into_owned(), text));
        }
        let mut tera = Tera::default();
        tera.register_function("asset", asset);
        tera.register_filter("in_query", in_query);
        tera.add_raw_templates(sources).map_err(|error| anyhow!("{error}"))?;
        Ok(Templates(tera))
    }
}

/// `{{ asset(name="app.css") }}`: the address of a style, script or picture.
fn asset(arguments: Kwargs, _: &tera::State) -> tera::TeraResult<String> {
    let name: &str = arguments.must_get("name")?;
    crate::assets::address(name).ok_or_else(|| tera::Error::message(format!("there is no asset {name}")))
}

/// `{{ address | in_query }}`: a text as the value of a parameter.
fn in_query(text: &str, _: Kwargs, _: &tera::State) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// What is around every page.
#[derive(Serialize)]
struct Layout<'a> {
    title: &'a str,
    section: &'a str,
    version: &'static str,
    who: Option<Who<'a>>,
    flash: Option<Flash>,
    csrf: &'a str,
    /// Where the page's live part is to be had, if it has one.
    live: String,
    /// The page's own address, for links that lead back to it.
    here: String,
    /// Where a page that asks something leads back to, if that was said.
    back: String,
}

#[derive(Serialize)]
struct Who<'a> {
    username: &'a str,
    role: &'static str,
    operates: bool,
}

/// One request for a page.
struct Ask<'a> {
    req: &'a HttpRequest,
    state: &'a State,
    who: &'a SignedIn,
}

impl Ask<'_> {
    /// The page of a template. `section` is the part of the menu it belongs to.
    fn page(&self, template: &str, title: &str, section: &str, view: &impl Serialize) -> Result<HttpResponse, Problem> {
        self.page_as(StatusCode::OK, template, title, section, view)
    }

    /// The same with another status: a form that was refused.
    fn page_as(
        &self,
        status: StatusCode,
        template: &str,
        title: &str,
        section: &str,
        view: &impl Serialize,
    ) -> Result<HttpResponse, Problem> {
        let flash = flash::read(self.req, &self.who.session.csrf);
        let shown = flash.is_some();
        let layout = Layout {
            title,
            section,
            version: env!("CARGO_PKG_VERSION"),
            who: Some(Who {
                username: &self.who.operator.username,
                role: role_name(self.who.operator.role),
                operates: self.who.operates(),
            }),
            flash,
            csrf: &self.who.session.csrf,
            live: live_address(self.req),
            here: address(self.req).to_owned(),
            back: way_back::of_request(self.req),
        };
        let mut response = html(self.state, status, template, &layout, view)?;
        if shown {
            flash::forget(&mut response);
        }
        Ok(response)
    }

    /// To another page, which shows what was done.
    fn done(&self, done: &Done, location: &str) -> HttpResponse {
        self.told(Flash { tone: Tone::Good, text: done.message.clone() }, location)
    }

    fn told(&self, flash: Flash, location: &str) -> HttpResponse {
        let secure = client::is_https(self.req, &self.state.trusted_proxies);
        flash::redirect(location, &flash, &self.who.session.csrf, secure)
    }

    /// To a list, because what was to be changed is gone: most often it was sent twice, and the first did it.
    fn gone(&self, what: &str, list: &str) -> HttpResponse {
        let message = format!("There is no such {what} any more: it is gone already, so nothing was done.");
        self.done(&Done { message }, list)
    }

    /// To another page, which shows why nothing was done. What the page cannot say in a line is a problem of its own.
    fn refused(&self, refusal: Refusal, location: &str) -> Result<HttpResponse, Problem> {
        match refusal {
            Refusal::Faults(_) | Refusal::Conflict(_) | Refusal::TooMany(_) => {
                Ok(self.told(Flash { tone: Tone::Bad, text: refusal.sentence() }, location))
            }
            Refusal::NoSuch(_) | Refusal::Away(_) | Refusal::Broken(_) => Err(refusal.into()),
        }
    }
}

/// A page before anybody is signed in.
fn page_for_anyone(
    state: &State,
    status: StatusCode,
    template: &str,
    title: &str,
    view: &impl Serialize,
) -> Result<HttpResponse, Problem> {
    let layout = Layout {
        title,
        section: "",
        version: env!("CARGO_PKG_VERSION"),
        who: None,
        flash: None,
        csrf: "",
        live: String::new(),
        here: String::new(),
        back: String::new(),
    };
    html(state, status, template, &layout, view)
}

/// The live part of a page, for all who have this role; a session's token and name are not in it.
pub fn fragment(state: &State, role: Role, template: &str, view: &impl Serialize) -> Result<String, Problem> {
    let operates = role >= Role::Operator;
    let layout = Layout {
        title: "",
        section: "",
        version: "",
        who: Some(Who { username: "", role: role_name(role), operates }),
        flash: None,
        csrf: &TOKEN,
        live: String::new(),
        here: String::new(),
        back: String::new(),
    };
    render(state, template, &layout, view)
}

/// The page that was asked for.
fn address(req: &HttpRequest) -> &str {
    req.uri().path_and_query().map_or("/", |page| page.as_str())
}

/// Where its live part is.
fn live_address(req: &HttpRequest) -> String {
    format!("/live?page={}", form_urlencoded::byte_serialize(address(req).as_bytes()).collect::<String>())
}

fn html(
    state: &State,
    status: StatusCode,
    template: &str,
    layout: &Layout,
    view: &impl Serialize,
) -> Result<HttpResponse, Problem> {
    let text = render(state, template, layout, view)?;
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").body(text))
}

fn render(state: &State, template: &str, layout: &Layout, view: &impl Serialize) -> Result<String, Problem> {
    let mut context = Context::new();
    context.insert("layout", layout);
    context.insert("view", view);
    state.templates.0.render(template, &context).map_err(|error| Problem::broken(format!("{error}")))
}

/// The page that says why a request was not served.
pub fn problem_page(req: &HttpRequest, problem: &Problem, request_id: &str) -> HttpResponse {
    #[derive(Serialize)]
    struct View<'a> {
        status: u16,
        title: &'a str,
        detail: &'a str,
        request_id: &'a str,
    }
    let title = match problem.status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::TOO_MANY_REQUESTS => "Too many attempts",
        StatusCode::SERVICE_UNAVAILABLE => "Not now",
        status if status.is_server_error() => "Something went wrong",
        _ => "Refused",
    };
    let view = View { status: problem.status.as_u16(), title, detail: &problem.detail, request_id };
    let state = req.app_data::<Data<State>>();
    let who = req.extensions().get::<SignedIn>().cloned();
    let page = match (state, &who) {
        (Some(state), Some(who)) => Ask { req, state, who }.page_as(problem.status, "problem.html", title, "", &view),
        (Some(state), None) => page_for_anyone(state, problem.status, "problem.html", title, &view),
        (None, _) => Err(Problem::broken("the server has no state")),
    };
    let mut response = page.unwrap_or_else(|_| {
        HttpResponse::build(problem.status).content_type("text/plain; charset=utf-8").body(problem.detail.clone())
    });
    if let Some(seconds) = problem.retry_after
        && let Ok(value) = header::HeaderValue::from_str(&seconds.to_string())
    {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish()
}
