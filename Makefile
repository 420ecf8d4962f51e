# Catflap's few targets. Go alone is needed for demo and build; `make test` brings
# what else it needs from the package registries into .cache/, and says so.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo build platforms test soak fuzz bench lint vuln generate

GO       ?= go
FUZZTIME ?= 2s
LINT     := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VULN     := golang.org/x/vuln/cmd/govulncheck@v1.9.0
PLATFORMS ?= darwin/amd64 darwin/arm64 linux/386 linux/amd64 linux/arm linux/arm64 windows/386 windows/amd64
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

help: ## Say what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  \1\t/' | expand -t 12

demo: ## The whole product on this machine, with two people to try
	$(GO) run ./cmd/catflap demo

build: ## The static binary, bin/catflap
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w -X github.com/catflap/catflap/internal/cli.linked=$(VERSION)' -o bin/catflap ./cmd/catflap

platforms: ## The binary for PLATFORMS (default: each of Go's first class), to nowhere
	for p in $(PLATFORMS); do
	  echo "build $$p"
	  CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -trimpath -o /dev/null ./cmd/catflap
	done

test: ## Everything: unit, vectors, race, leaks, fuzz smoke, contract, end to end with real parts
	@say() { printf '\n== %s\n' "$$*"; }
	$(GO) version
	say "parts for the end-to-end tests, into .cache/ (Redis first; the others beside the unit tests)"
	mkdir -p .cache
	$(GO) build -o .cache/parts ./internal/e2e/parts/install
	.cache/parts redis || [ "$${CI:-}" != true ]
	.cache/parts & parts=$$!
	say "format and vet"
	unformatted=$$(gofmt -l $$(git ls-files '*.go'))
	[ -z "$$unformatted" ] || { echo "gofmt would change: $$unformatted"; exit 1; }
	$(GO) vet ./...
	say "unit, vector, contract, leak and race tests"
	$(GO) test -race -tags lockorder -timeout 10m $$($(GO) list ./... | grep -v -e /internal/e2e -e /internal/bench)
	(cd examples/custom-handler && $(GO) vet ./... && $(GO) test ./...)
	say "each fuzz target for $(FUZZTIME)"
	$(MAKE) --no-print-directory fuzz
	wait $$parts || { [ "$${CI:-}" != true ] || exit 1; say "SKIPPED below: the tests of the parts that could not be brought"; }
	say "end to end, with real parts"
	$(GO) test -timeout 28m -count=1 -parallel 3 ./internal/bench/... ./internal/e2e/...

fuzz: ## Each fuzz target for FUZZTIME (default 2s)
	@# Minimising is cut short and a run that ended at its deadline is tried once more:
	@# the fuzzer can call its own deadline a failure. A failing input never is.
	try() { $(GO) test -run='^$$' -fuzz="^$$2$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=10x ./$$1 2>&1 | tee .cache/fuzz.out; }
	mkdir -p .cache
	for package in $$(grep -lE '^func Fuzz' $$(git ls-files '*_test.go') | xargs -n1 dirname | sort -u); do
	  for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$package/*_test.go | cut -c6-); do
	    echo "fuzz $$package $$target"
	    try $$package $$target || { ! grep -q 'Failing input' .cache/fuzz.out && grep -q 'context deadline exceeded' .cache/fuzz.out && try $$package $$target; }
	  done
	done

soak: ## 8,000 idle tabs and 500 people who talk, two Catflaps, a Cat that restarts, kills
	mkdir -p .cache
	$(GO) build -o .cache/parts ./internal/e2e/parts/install
	.cache/parts redis
	CGO_ENABLED=0 $(GO) build -o .cache/catflap-soak ./cmd/catflap
	CI=true CATFLAP_SOAK=full CATFLAP_E2E_BINARY="$$PWD/.cache/catflap-soak" $(GO) test -count=1 -timeout 15m -v -run '^TestSoak$$' ./internal/e2e

bench: ## Catflap beside a bare ReverseProxy, nginx and HAProxy, in one run, as ratios
	$(GO) run ./internal/bench

lint: ## golangci-lint with the named list of .golangci.yml, and go.mod as tidy would leave it
	$(GO) mod tidy -diff
	(cd examples/custom-handler && $(GO) mod tidy -diff)
	$(GO) run $(LINT) run ./...

vuln: ## govulncheck, where its database can be reached
	$(GO) run $(VULN) ./...

generate: ## What is made from something else: the reference, the JSON Schema, refusals, licence texts, the example's go.mod
	$(GO) generate ./config ./internal/licences ./proxy/refusals
	cd examples/custom-handler && $(GO) mod tidy

.ONESHELL:
