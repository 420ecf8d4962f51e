# Catflap: one static binary, nobody's user, nothing else.
#
#   docker build --build-arg VERSION=$(git describe --tags --always) -t catflap .
#   docker run -p 8080:8080 -v ./catflap.yaml:/etc/catflap/catflap.yaml:ro -e CCAT_API_KEY -e CCAT_API_KEY_WS catflap
#
# In a container, listen must be 0.0.0.0:8080; admin_listen can stay on the loopback
# interface, where the health check asks.
FROM golang:1.26.8 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=devel
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -X github.com/catflap/catflap/internal/cli.linked=${VERSION}" -o /catflap ./cmd/catflap

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /catflap /catflap
COPY --from=build /src/LICENSE /licences/LICENSE
COPY --from=build /src/internal/licences/third_party.txt /licences/third_party.txt
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=4s --start-period=5s CMD ["/catflap", "healthcheck"]
ENTRYPOINT ["/catflap"]
CMD ["run", "--config", "/etc/catflap/catflap.yaml"]
