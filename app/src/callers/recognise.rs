//! Stands before the routes that ask who is calling.

use std::future::{Ready, ready};

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, web};

use super::given::Given;
use super::{Caller, Unknown};
use crate::api::old::Failure;
use crate::shared::Shared;

/// Lets a request through once it is known whose it is.
pub async fn recognise<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let told = match request.app_data::<web::Data<Shared>>() {
        Some(shared) => {
            let shared = shared.clone();
            let told = shared.callers.tell(Given::by(request.headers(), request.query_string())).await;
            told.map_err(|unknown| {
                shared.meters.refused_token(word(&unknown));
                refusal(unknown)
            })
        }
        None => Err(broken()),
    };
    match told {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            Ok(next.call(request).await?.map_into_left_body())
        }
        Err(failure) => Ok(request.into_response(failure.into_response()).map_into_right_body()),
    }
}

impl FromRequest for Caller {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Caller>().cloned().ok_or_else(broken))
    }
}

/// A route that asks for its caller stands behind [`recognise`], or serves nobody.
fn broken() -> Failure {
    Failure::status(StatusCode::INTERNAL_SERVER_ERROR, "something is wrong inside; it is in the log")
}

fn word(unknown: &Unknown) -> &'static str {
    match unknown {
        Unknown::Missing => "missing",
        Unknown::NoSuch => "unknown",
        Unknown::Expired => "expired",
        Unknown::Revoked => "revoked",
        Unknown::Trouble(_) => "not_looked_up",
    }
}

fn refusal(unknown: Unknown) -> Failure {
    let text = match unknown {
        Unknown::Missing => {
            "a token is needed: send the header Authorization: Bearer pm_..., or access_token in the query"
        }
        Unknown::NoSuch => "there is no such token",
        Unknown::Expired => "this token has expired",
        Unknown::Revoked => "this token was revoked",
        Unknown::Trouble(trouble) => return Failure::of(trouble, "try again"),
    };
    Failure::status(StatusCode::UNAUTHORIZED, text)
}
