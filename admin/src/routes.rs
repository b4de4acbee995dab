//! The whole route table: what is served, and what its caller needs. Nothing else adds a route or checks a role.

use std::collections::BTreeMap;

use actix_web::http::Method;
use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::web::{self, PayloadConfig, ServiceConfig};
use actix_web::{HttpResponse, Route, guard as when};
use common::model::Role;

use crate::access::{Needs, guard, know};
use crate::problem::Problem;
use crate::{api, assets, health, internal, live, metrics, pages};

/// One line of the table.
pub struct Entry {
    /// How it is called.
    pub method: Method,
    /// Where.
    pub path: &'static str,
    /// What its caller needs.
    pub needs: Needs,
    /// The largest body that is read, in bytes, where it is not the usual.
    body: Option<usize>,
    handler: fn(Route) -> Route,
}

const NOTHING: Needs = Needs::Nothing;
const SIGN_IN: Needs = Needs::OwnForm;
const SIGNED_IN: Needs = Needs::SignedIn;
const VIEWER: Needs = Needs::Role(Role::Viewer);
const OPERATOR: Needs = Needs::Role(Role::Operator);
const ADMIN: Needs = Needs::Role(Role::Admin);

impl Entry {
    fn taking(self, body: usize) -> Entry {
        Entry { body: Some(body), ..self }
    }
}

/// For what takes long lists: a thousand ids of 64 digits, or two hundred hosts with all their settings, as a form escapes them.
const LONG_BODY: usize = 384 * 1024;

/// The table.
pub fn table() -> Vec<Entry> {
    vec![
        // For machines that watch
        get("/healthz", NOTHING, |r| r.to(health::healthz)),
        get("/readyz", NOTHING, |r| r.to(health::readyz)),
        get("/metrics", Needs::MetricsToken, |r| r.to(metrics::show)),
        post("/internal/doorbell", Needs::InternalSecret, |r| r.to(internal::doorbell)),
        get("/internal/outlook", Needs::InternalSecret, |r| r.to(internal::outlook)),
        post("/internal/look", Needs::InternalSecret, |r| r.to(internal::look)),
        get("/assets/{name}", NOTHING, |r| r.to(assets::asset)),
        // Pages
        get("/login", NOTHING, |r| r.to(pages::login::show)),
        post("/login", SIGN_IN, |r| r.to(pages::login::sign_in)),
        post("/logout", SIGNED_IN, |r| r.to(pages::login::sign_out)),
        get("/", VIEWER, |r| r.to(pages::overview::show)),
        get("/admin", VIEWER, |r| r.to(pages::overview::home)),
        get("/index", VIEWER, |r| r.to(pages::overview::home)),
        get("/hosts", VIEWER, |r| r.to(pages::hosts::list)),
        get("/hosts/new", OPERATOR, |r| r.to(pages::hosts::blank)),
        post("/hosts/new", OPERATOR, |r| r.to(pages::hosts::add)),
        get("/hosts/many", OPERATOR, |r| r.to(pages::hosts_many::blank)),
        post("/hosts/many", OPERATOR, |r| r.to(pages::hosts_many::add)).taking(LONG_BODY),
        get("/hosts/{id}", VIEWER, |r| r.to(pages::host::show)),
        get("/hosts/{id}/configure", OPERATOR, |r| r.to(pages::host_configure::form)),
        post("/hosts/{id}/configure", OPERATOR, |r| r.to(pages::host_configure::configure)),
        get("/hosts/{id}/delete", OPERATOR, |r| r.to(pages::host::ask_delete)),
        post("/hosts/{id}/delete", OPERATOR, |r| r.to(pages::host::delete)),
        get("/hosts/{id}/force", OPERATOR, |r| r.to(pages::host_force::ask)),
        post("/hosts/{id}/force", OPERATOR, |r| r.to(pages::host_force::delete)),
        get("/hosts/{id}/reset", OPERATOR, |r| r.to(pages::host_reset::ask)),
        post("/hosts/{id}/reset", OPERATOR, |r| r.to(pages::host_reset::reset)),
        get("/hosts/{id}/foreign", OPERATOR, |r| r.to(pages::host_reset::foreign)),
        post("/hosts/{id}/foreign", OPERATOR, |r| r.to(pages::host_reset::reset_foreign)).taking(LONG_BODY),
        get("/hosts/{id}/tls", OPERATOR, |r| r.to(pages::host_tls::show)),
        post("/hosts/{id}/tls", OPERATOR, |r| r.to(pages::host_tls::set)),
        get("/hosts/{id}/{action}", OPERATOR, |r| r.to(pages::host_act::ask)),
        post("/hosts/{id}/{action}", OPERATOR, |r| r.to(pages::host_act::act)),
        get("/clusters", VIEWER, |r| r.to(pages::clusters::list)),
        get("/clusters/new", OPERATOR, |r| r.to(pages::cluster_new::blank)),
        post("/clusters/new", OPERATOR, |r| r.to(pages::cluster_new::create)),
        get("/clusters/{id}", VIEWER, |r| r.to(pages::cluster::show)),
        get("/clusters/{id}/logs", VIEWER, |r| r.to(pages::node_log::show)),
        get("/clusters/{id}/evidence", VIEWER, |r| r.to(pages::evidence::show)),
        get("/clusters/{id}/{action}", OPERATOR, |r| r.to(pages::cluster_act::ask)),
        post("/clusters/{id}/{action}", OPERATOR, |r| r.to(pages::cluster_act::act)),
        get("/records/{id}/delete", OPERATOR, |r| r.to(pages::record::ask)),
        post("/records/{id}/delete", OPERATOR, |r| r.to(pages::record::delete)),
        get("/flavors", VIEWER, |r| r.to(pages::flavors::list)),
        get("/flavors/{id}", VIEWER, |r| r.to(pages::flavor::show)),
        get("/stat", VIEWER, |r| r.to(pages::stat::show)),
        get("/events", VIEWER, |r| r.to(pages::events::list)),
        get("/live", VIEWER, |r| r.to(live::stream)),
        get("/access", VIEWER, |r| r.to(pages::access::show)),
        get("/access/password", SIGNED_IN, |r| r.to(pages::access_password::form)),
        post("/access/password", SIGNED_IN, |r| r.to(pages::access_password::change)),
        post("/access/sign-out", VIEWER, |r| r.to(pages::access::sign_out_everywhere)),
        post("/access/sessions/{id}/end", VIEWER, |r| r.to(pages::access::end_session)),
        get("/access/operators/new", ADMIN, |r| r.to(pages::access_operator::blank)),
        post("/access/operators/new", ADMIN, |r| r.to(pages::access_operator::add)),
        get("/access/operators/{id}", ADMIN, |r| r.to(pages::access_operator::show)),
        post("/access/operators/{id}/role", ADMIN, |r| r.to(pages::access_operator::change_role)),
        post("/access/operators/{id}/password", ADMIN, |r| r.to(pages::access_operator::reset_password)),
        post("/access/operators/{id}/sign-out", ADMIN, |r| r.to(pages::access_operator::sign_out)),
        post("/access/operators/{id}/delete", ADMIN, |r| r.to(pages::access_operator::delete)),
        get("/access/tokens", ADMIN, |r| r.to(pages::access_tokens::list)),
        get("/access/tokens/new", ADMIN, |r| r.to(pages::access_tokens::blank)),
        post("/access/tokens/new", ADMIN, |r| r.to(pages::access_tokens::make)),
        get("/access/tokens/{id}/revoke", ADMIN, |r| r.to(pages::access_tokens::ask)),
        post("/access/tokens/{id}/revoke", ADMIN, |r| r.to(pages::access_tokens::revoke)),
        get("/docs", VIEWER, |r| r.to(pages::docs::show)),
        get("/openapi.json", VIEWER, |r| r.to(api::docs::openapi)),
        // The same as JSON
        post("/api/v1/session", SIGN_IN, |r| r.to(api::session::sign_in)),
        get("/api/v1/session", SIGNED_IN, |r| r.to(api::session::show)),
        delete("/api/v1/session", SIGNED_IN, |r| r.to(api::session::sign_out)),
        put("/api/v1/session/password", SIGNED_IN, |r| r.to(api::session::change_password)),
        get("/api/v1/sessions", VIEWER, |r| r.to(api::sessions::list)),
        delete("/api/v1/sessions", VIEWER, |r| r.to(api::sessions::sign_out_everywhere)),
        delete("/api/v1/sessions/{id}", VIEWER, |r| r.to(api::sessions::end)),
        get("/api/v1/operators", ADMIN, |r| r.to(api::operators::list)),
        post("/api/v1/operators", ADMIN, |r| r.to(api::operators::add)),
        get("/api/v1/operators/{id}", ADMIN, |r| r.to(api::operators::show)),
        patch("/api/v1/operators/{id}", ADMIN, |r| r.to(api::operators::change)),
        delete("/api/v1/operators/{id}", ADMIN, |r| r.to(api::operators::delete)),
        post("/api/v1/operators/{id}/password", ADMIN, |r| r.to(api::operators::reset_password)),
        delete("/api/v1/operators/{id}/sessions", ADMIN, |r| r.to(api::operators::sign_out)),
        get("/api/v1/tokens", ADMIN, |r| r.to(api::tokens::list)),
        post("/api/v1/tokens", ADMIN, |r| r.to(api::tokens::make)),
        get("/api/v1/tokens/{id}", ADMIN, |r| r.to(api::tokens::show)),
        delete("/api/v1/tokens/{id}", ADMIN, |r| r.to(api::tokens::revoke)),
        get("/api/v1/hosts", VIEWER, |r| r.to(api::hosts::list)),
        post("/api/v1/hosts", OPERATOR, |r| r.to(api::hosts::add)),
        post("/api/v1/hosts/many", OPERATOR, |r| r.to(api::hosts::add_many)).taking(LONG_BODY),
        get("/api/v1/hosts/{id}", VIEWER, |r| r.to(api::hosts::show)),
        patch("/api/v1/hosts/{id}", OPERATOR, |r| r.to(api::hosts::configure)),
        delete("/api/v1/hosts/{id}", OPERATOR, |r| r.to(api::hosts::delete)),
        get("/api/v1/hosts/{id}/foreign", OPERATOR, |r| r.to(api::hosts::foreign)),
        post("/api/v1/hosts/{id}/reset", OPERATOR, |r| r.to(api::hosts::reset)).taking(LONG_BODY),
        get("/api/v1/hosts/{id}/tls", VIEWER, |r| r.to(api::host_tls::show)),
        put("/api/v1/hosts/{id}/tls", OPERATOR, |r| r.to(api::host_tls::set)),
        delete("/api/v1/hosts/{id}/tls", OPERATOR, |r| r.to(api::host_tls::remove)),
        post("/api/v1/hosts/{id}/{action}", OPERATOR, |r| r.to(api::hosts::act)),
        get("/api/v1/hosts/{id}/explain", VIEWER, |r| r.to(api::explain::host)),
        get("/api/v1/explain", VIEWER, |r| r.to(api::explain::pool)),
        get("/api/v1/clusters", VIEWER, |r| r.to(api::clusters::list)),
        post("/api/v1/clusters", OPERATOR, |r| r.to(api::clusters::create)),
        get("/api/v1/clusters/{id}", VIEWER, |r| r.to(api::clusters::show)),
        get("/api/v1/clusters/{id}/explain", VIEWER, |r| r.to(api::explain::cluster)),
        post("/api/v1/clusters/{id}/{action}", OPERATOR, |r| r.to(api::clusters::act)),
        delete("/api/v1/clusters/{id}", OPERATOR, |r| r.to(api::clusters::delete)),
        get("/api/v1/clusters/{id}/logs", VIEWER, |r| r.to(api::logs::show)),
        get("/api/v1/samples", VIEWER, |r| r.to(api::samples::samples)),
        get("/api/v1/stats", VIEWER, |r| r.to(api::samples::stats)),
        get("/api/v1/records", VIEWER, |r| r.to(api::records::list)),
        get("/api/v1/records/{id}", VIEWER, |r| r.to(api::records::show)),
        delete("/api/v1/records/{id}", OPERATOR, |r| r.to(api::records::delete)),
        get("/api/v1/flavors", VIEWER, |r| r.to(api::flavors::list)),
        get("/api/v1/flavors/{id}/explain", VIEWER, |r| r.to(api::explain::flavor)),
        get("/api/v1/events", VIEWER, |r| r.to(api::events::list)),
        get("/api/v1/events/tail", VIEWER, |r| r.to(api::events::tail)),
        get("/api/v1/evidence", VIEWER, |r| r.to(api::evidence::list)),
        get("/api/v1/clusters/{id}/evidence", VIEWER, |r| r.to(api::evidence::show)),
    ]
}

/// Puts the table into an app. Each route is wrapped in its guard as it is made, so none can be without.
pub fn mount(config: &mut ServiceConfig) {
    // Paths without variables first: the first that matches wins.
    let mut resources: BTreeMap<(bool, &'static str), Vec<Entry>> = BTreeMap::new();
    for entry in table() {
        resources.entry((entry.path.contains('{'), entry.path)).or_default().push(entry);
    }
    for ((_, path), entries) in resources {
        let allow: Vec<&str> = entries.iter().map(|entry| entry.method.as_str()).collect();
        let allow = allow.join(", ");
        let mut resource = web::resource(path);
        if let Some(body) = entries.iter().filter_map(|entry| entry.body).max() {
            resource = resource.app_data(PayloadConfig::new(body));
        }
        for Entry { method, needs, handler, .. } in entries {
            let route = match method {
                Method::GET => web::route().guard(when::Any(when::Get()).or(when::Head())),
                other => web::method(other),
            };
            resource = resource.route(handler(route).wrap(from_fn(move |req, next| guard(needs, req, next))));
        }
        let refuse = move || {
            let allow = allow.clone();
            async move { HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, allow)).finish() }
        };
        config.service(resource.default_service(web::to(refuse)));
    }
    let nothing = web::to(|| async { Err::<HttpResponse, Problem>(Problem::not_found()) });
    config.default_service(nothing.wrap(from_fn(know)));
}

type Handler = fn(Route) -> Route;

fn get(path: &'static str, needs: Needs, handler: Handler) -> Entry {
    Entry { method: Method::GET, path, needs, body: None, handler }
}

fn post(path: &'static str, needs: Needs, handler: Handler) -> Entry {
    Entry { method: Method::POST, path, needs, body: None, handler }
}

fn put(path: &'static str, needs: Needs, handler: Handler) -> Entry {
    Entry { method: Method::PUT, path, needs, body: None, handler }
}

fn patch(path: &'static str, needs: Needs, handler: Handler) -> Entry {
    Entry { method: Method::PATCH, path, needs, body: None, handler }
}

fn delete(path: &'static str, needs: Needs, handler: Handler) -> Entry {
    Entry { method: Method::DELETE, path, needs, body: None, handler }
}
