//! One REST connection.

use std::net::TcpStream;

use super::{Shared, clock, http};

pub fn serve(shared: &Shared, mut stream: TcpStream) {
    let response = match http::read(&mut stream) {
        Ok(request) => {
            let response = shared.peer.rest(&shared.links, &request.method, &request.path, &request.body, clock());
            shared.log.debug(format_args!("{} {} {}", request.method, request.path.escape_debug(), response.status));
            if request.method == "POST" {
                shared.wake.up();
            }
            response
        }
        Err(http::Bad::Answer(response)) => response,
        Err(http::Bad::Gone) => return,
    };
    http::write(stream, &response);
}
