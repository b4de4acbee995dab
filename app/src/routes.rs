//! The whole route table. What is in a scope that is wrapped in `recognise` knows its caller.

use actix_web::middleware::from_fn;
use actix_web::{Resource, guard, web};

use crate::api::{health, metrics, stray, v1, v2};
use crate::callers::recognise;

/// The whole route table.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(get("/healthz").route(web::get().to(health::healthz)).route(web::head().to(health::healthz)))
        .service(get("/readyz").route(web::get().to(health::readyz)).route(web::head().to(health::readyz)))
        .service(get("/metrics").route(web::get().to(metrics::metrics)))
        .service(
            web::scope("/v1")
                .wrap(from_fn(recognise))
                .service(get("/cluster_apply").route(web::get().to(v1::cluster_apply)))
                .service(get("/cluster_release").route(web::get().to(v1::cluster_release))),
        )
        .service(
            web::scope("/v2")
                .wrap(from_fn(recognise))
                .service(both("/cluster_op").route(get_or_post().to(v2::cluster_op)))
                .service(both("/cluster_apply").route(get_or_post().to(v2::cluster_apply)))
                .service(both("/cluster_release").route(get_or_post().to(v2::cluster_release)))
                .service(both("/clusters").route(get_or_post().to(v2::clusters)))
                .service(get("/cluster/{id}").route(web::get().to(v2::cluster))),
        )
        .default_service(web::to(stray::unknown_path));
}

/// A path that takes GET; other methods are told so.
fn get(path: &str) -> Resource {
    web::resource(path).default_service(web::to(stray::wants_get))
}

/// A path that takes GET and POST; other methods are told so.
fn both(path: &str) -> Resource {
    web::resource(path).default_service(web::to(stray::wants_get_or_post))
}

fn get_or_post() -> actix_web::Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Post()))
}
