# Images of app and admin. First version, see docs/operations.md.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p app -p admin

FROM debian:bookworm-slim AS app
COPY --from=build /src/target/release/poolmanager-app /usr/local/bin/
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["poolmanager-app"]

FROM debian:bookworm-slim AS admin
COPY --from=build /src/target/release/poolmanager-admin /usr/local/bin/
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["poolmanager-admin"]
