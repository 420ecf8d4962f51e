# Catflap: one static binary, nobody's user, nothing else.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags=-s\ -w -o /catflap ./cmd/catflap

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /catflap /catflap
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=4s --start-period=5s CMD ["/catflap", "healthcheck"]
ENTRYPOINT ["/catflap"]
CMD ["run", "--config", "/etc/catflap/catflap.yaml"]
