//! Styles, inside the binary. Addressed by their hash, so that browsers may keep them for ever.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use rust_embed::RustEmbed;

use crate::problem::Problem;

#[derive(RustEmbed)]
#[folder = "ui/"]
struct Assets;

static STYLE: LazyLock<String> = LazyLock::new(|| match Assets::get("admin.css") {
    Some(file) => format!("/assets/admin.css?v={}", hex::encode(&file.metadata.sha256_hash()[..8])),
    None => "/assets/admin.css".into(),
});

/// The address of the one stylesheet.
pub fn style() -> &'static str {
    &STYLE
}

/// `GET /assets/{name}`
pub async fn asset(name: web::Path<String>) -> Result<HttpResponse, Problem> {
    let file = Assets::get(&name).ok_or_else(Problem::not_found)?;
    let kind = if name.ends_with(".svg") { "image/svg+xml" } else { "text/css; charset=utf-8" };
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(file.data.into_owned()))
}
