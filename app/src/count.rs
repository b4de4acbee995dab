//! Around every request, outside of all else: counts it, by the route that it met.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use common::metrics::Http;

/// Counts a request and how it was answered.
pub async fn count<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let Some(http) = request.app_data::<web::Data<Http>>().cloned() else { return next.call(request).await };
    let (under_way, route) = (http.begin(request.method().as_str()), request.match_pattern());
    let answer = next.call(request).await;
    let status = match &answer {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    under_way.answered(route, status.as_u16());
    answer
}
