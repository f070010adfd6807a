# One build stage, one target per binary:
#
#   docker build --target worker -t layerq/worker .
#
# The images hold a static program, CA certificates, and nothing else: no
# shell, no package manager, no root.

# Where the Go toolchain comes from; test/standins makes one where no image
# can be pulled.
ARG GO_IMAGE=golang:1.26-bookworm

FROM ${GO_IMAGE} AS build
WORKDIR /src
# As in Go's environment: for a build behind a module proxy of your own.
ARG GOPROXY
ARG GOSUMDB
ENV CGO_ENABLED=0 GOTOOLCHAIN=local
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod \
    go mod download
COPY . .
ARG VERSION
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    go build -trimpath -buildvcs=false -ldflags "-s -w${VERSION:+ -X github.com/layerq/layerq/internal/version.stamp=$VERSION}" -o /out/ \
      ./cmd/worker ./cmd/enqueue ./cmd/layer-emulator && \
    mkdir -p /out/root && mkdir -m 1777 /out/root/tmp

FROM scratch AS base
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# /tmp, which everybody may write to: where a tmpfs is mounted over it, runc
# gives that the mode of what is below, whatever mode was asked for.
COPY --from=build /out/root/ /
# The number, not a name: there is no /etc/passwd, and Kubernetes' runAsNonRoot
# can check a number.
USER 65532:65532

FROM base AS enqueue
COPY --from=build /out/enqueue /enqueue
ENTRYPOINT ["/enqueue"]

FROM base AS layer-emulator
COPY --from=build /out/layer-emulator /layer-emulator
# Inside a container, loopback reaches nobody.
EXPOSE 18080
HEALTHCHECK --interval=5s --timeout=5s --start-period=5s --retries=3 \
  CMD ["/layer-emulator", "probe", "http://127.0.0.1:18080/_emulator/stats"]
ENTRYPOINT ["/layer-emulator"]
CMD ["--addr", "0.0.0.0:18080"]

# The last stage is what a build without --target makes.
FROM base AS worker
COPY --from=build /out/worker /worker
EXPOSE 8080
# The worker asks itself at the admin address's default port. Unhealthy while
# Redis is away or the worker drains: it then says why.
HEALTHCHECK --interval=5s --timeout=5s --start-period=10s --retries=3 \
  CMD ["/worker", "probe", "http://127.0.0.1:8080/readyz"]
ENTRYPOINT ["/worker"]
