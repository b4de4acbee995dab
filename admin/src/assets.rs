//! Styles, icons and scripts, inside the binary. Pages address each by its hash, so that browsers may keep it for ever.
//!
//! `scripts/build-ui.sh` makes them from `admin/ui`, each also compressed (`app.css.br`, `app.css.gz`).

use std::borrow::Cow;

use actix_web::http::header::{
    self, AcceptEncoding, ContentEncoding, ETag, Encoding, EntityTag, Header as _, IfNoneMatch,
};
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::input::Query;
use crate::problem::Problem;

#[derive(RustEmbed)]
#[folder = "ui/dist/"]
struct Assets;

/// What is served, and as what; the compressed forms are reached by `Accept-Encoding` alone.
const KINDS: [(&str, &str); 3] =
    [(".css", "text/css; charset=utf-8"), (".js", "text/javascript; charset=utf-8"), (".svg", "image/svg+xml")];

/// The address of an asset, with its hash; nothing if there is no such asset.
pub fn address(name: &str) -> Option<String> {
    find(name).map(|(file, _)| format!("/assets/{name}?v={}", hash(&file)))
}

/// `GET /assets/{name}`
pub async fn asset(req: HttpRequest, name: web::Path<String>, query: Query) -> Result<HttpResponse, Problem> {
    let (file, kind) = find(&name).ok_or_else(Problem::not_found)?;
    let hash = hash(&file);
    // While a newer admin takes over, a page of the one may ask the other: what it gets must not be kept under that name.
    let keep = if query.get("v") == Some(hash.as_str()) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let (encoding, file) = compressed(&req, &name).unwrap_or((ContentEncoding::Identity, file));
    let tag = EntityTag::new_weak(hash);
    let known = match IfNoneMatch::parse(&req) {
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|one| one.weak_eq(&tag)),
        Ok(IfNoneMatch::Any) | Err(_) => false,
    };
    let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer
        .insert_header((header::CACHE_CONTROL, keep))
        .insert_header((header::VARY, "Accept-Encoding"))
        .insert_header(ETag(tag));
    if known {
        return Ok(answer.finish());
    }
    if encoding != ContentEncoding::Identity {
        answer.insert_header(encoding);
    }
    answer.content_type(kind);
    Ok(match file.data {
        Cow::Borrowed(bytes) => answer.body(bytes),
        Cow::Owned(bytes) => answer.body(bytes),
    })
}

fn find(name: &str) -> Option<(EmbeddedFile, &'static str)> {
    let (_, kind) = KINDS.into_iter().find(|(ending, _)| name.ends_with(ending))?;
    Some((Assets::get(name)?, kind))
}

fn hash(file: &EmbeddedFile) -> String {
    hex::encode(&file.metadata.sha256_hash()[..8])
}

/// The smallest form that the caller reads.
fn compressed(req: &HttpRequest, name: &str) -> Option<(ContentEncoding, EmbeddedFile)> {
    let accepted = AcceptEncoding::parse(req).ok()?;
    let ours = [Encoding::brotli(), Encoding::gzip(), Encoding::identity()];
    let (encoding, ending) = match accepted.negotiate(ours.iter())? {
        one if one == Encoding::brotli() => (ContentEncoding::Brotli, "br"),
        one if one == Encoding::gzip() => (ContentEncoding::Gzip, "gz"),
        _ => return None,
    };
    Some((encoding, Assets::get(&format!("{name}.{ending}"))?))
}
