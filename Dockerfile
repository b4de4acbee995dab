# The images of PoolManager: one target a program, each a static binary on nothing.
#
#   docker build --target app .                      builds from the sources here (without BuildKit scripts/build-images.sh does it)
#   docker build --target app-prebuilt .             takes dist/poolmanager-app as it is (scripts/build-images.sh makes it),
#                                                    for a machine that cannot pull the build image
#
# RUST_IMAGE names the image that builds; a mirror's name, or a stand-in's.
ARG RUST_IMAGE=rust:1.95-bookworm
# CARGO_PROFILE says how it builds: release is what ships, quickstart builds fast and runs slowly.
ARG CARGO_PROFILE=release
# NODE_IMAGE names the one that bundles what admin's pages load: Node.js 18 or newer with npm.
ARG NODE_IMAGE=node:24-bookworm-slim

# What each program's image is, apart from the program. PATH is so that `exec admin poolmanager-admin` finds it.
FROM scratch AS app-base
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="PoolManager app" \
      org.opencontainers.image.description="What users call to lease a running blockchain network" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532
ENV PATH=/ APP_BIND=0.0.0.0 APP_PORT=8000 LOG_FORMAT=json
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["/poolmanager-app"]
HEALTHCHECK --interval=5s --timeout=6s --start-period=20s --retries=6 CMD ["/poolmanager-app", "healthcheck"]

FROM scratch AS admin-base
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="PoolManager admin" \
      org.opencontainers.image.description="The operators' dashboard, and what keeps the pool full and healthy" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532
ENV PATH=/ ADMIN_BIND=0.0.0.0 ADMIN_PORT=8080 LOG_FORMAT=json
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["/poolmanager-admin"]
HEALTHCHECK --interval=5s --timeout=6s --start-period=20s --retries=6 CMD ["/poolmanager-admin", "healthcheck"]

# Before the build, so that a builder that makes every stage above its target does not need the build image for these.
FROM app-base AS app-prebuilt
COPY dist/poolmanager-app /poolmanager-app

FROM admin-base AS admin-prebuilt
COPY dist/poolmanager-admin /poolmanager-admin

# What admin's pages load: the same on every platform.
FROM ${NODE_IMAGE} AS ui
WORKDIR /admin/ui
COPY admin/ui/package.json admin/ui/package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY admin/ui/build.mjs admin/ui/icons.mjs ./
COPY admin/ui/src src
COPY admin/templates ../templates
RUN node build.mjs

# The dependencies, in a layer that stays as long as the manifests do: built with every package of ours empty.
FROM ${RUST_IMAGE} AS dependencies
ARG CARGO_PROFILE
WORKDIR /src
COPY rust-toolchain.toml Cargo.toml Cargo.lock ./
COPY .cargo/config.toml .cargo/
COPY app/Cargo.toml app/
COPY admin/Cargo.toml admin/
COPY common/Cargo.toml common/
COPY crates/engine/Cargo.toml crates/engine/
COPY crates/simdocker/Cargo.toml crates/simdocker/
COPY crates/fabricsim/Cargo.toml crates/fabricsim/
COPY crates/e2e/Cargo.toml crates/e2e/
COPY scripts/stub-sources.sh scripts/build-static.sh scripts/
RUN sh scripts/stub-sources.sh && sh scripts/build-static.sh --present "$CARGO_PROFILE" app admin

FROM dependencies AS build
ARG CARGO_PROFILE
COPY . .
COPY --from=ui /admin/ui/dist admin/ui/dist
# The stubs are older than what replaces them only by chance: cargo goes by the files' times.
RUN find app admin common crates -name '*.rs' -exec touch {} + \
 && built=$(sh scripts/build-static.sh --present "$CARGO_PROFILE" app admin) \
 && mkdir /out && cp "$built/poolmanager-app" "$built/poolmanager-admin" /out/ && strip /out/*

FROM app-base AS app
COPY --from=build /out/poolmanager-app /poolmanager-app

FROM admin-base AS admin
COPY --from=build /out/poolmanager-admin /poolmanager-admin
