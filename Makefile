# What a contributor and the workflow run. `make` alone lists the targets.

GOLANGCI_LINT_VERSION := v2.15.0
GOVULNCHECK_VERSION   := v1.1.4

# How long each benchmark runs: 1x proves that it still works.
BENCHTIME ?= 1s
# What `go test` covers: make race PKG=./tasks/...
PKG ?= ./...

TOOLS         := $(HOME)/.cache/layerq/bin
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
COMPOSE       := $(shell if docker compose version >/dev/null 2>&1; then echo docker compose; else echo docker-compose; fi)

# Packages with golden files: the only ones that know the flag -update.
GOLDEN_PACKAGES = $(shell go list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' ./... | awk '/layerq\/internal\/golden/ {print $$1}')

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: test
test: ## every test, with nothing installed but Go
	go test $(PKG)

.PHONY: race
race: ## the same under the race detector
	go test -race $(PKG)

.PHONY: redis
redis: ## the same on a real Redis: $REDIS_ADDR, or a redis-server of its own
	test/with-redis go test -count=1 $(PKG)

.PHONY: lint
lint: $(GOLANGCI_LINT) ## formatting, vet, golangci-lint, go.mod
	@files="$$(gofmt -l .)"; if [ -n "$$files" ]; then echo "not gofmt'ed: $$files"; exit 1; fi
	go vet ./...
	$(GOLANGCI_LINT) run ./...
	go mod tidy -diff

# Built from source at a pinned version, once: it takes some minutes.
$(GOLANGCI_LINT):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv $(TOOLS)/golangci-lint $@

.PHONY: vuln
vuln: ## known vulnerabilities in what is called (asks the public database)
	go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) ./...

.PHONY: bench
bench: ## every benchmark, on a real Redis; BENCHTIME=1x for a quick look
	test/with-redis go test -run '^$$' -bench . -benchtime $(BENCHTIME) -benchmem $(PKG)

.PHONY: faults
faults: ## the fault suite in its long form; FAULTS_SEED=1,2,3 for several seeds
	go test -tags faults -count=1 -timeout 6h -v ./test/faults -long

.PHONY: faults-table
faults-table: ## the same, and write the tables of docs/reliability.md
	go test -tags faults -count=1 -timeout 6h -v ./test/faults -long -update

.PHONY: limits
limits: ## rate limits, outages and lanes with real processes, in the long form
	go test -tags limits -count=1 -timeout 1h -v ./test/limits -long

.PHONY: processes
processes: ## the fault suite and the limits in their short forms, as .ci/run has them: five minutes
	go test -tags faults -count=1 -timeout 15m ./test/faults/...
	go test -tags limits -count=1 -timeout 10m ./test/limits

.PHONY: golden
golden: ## write golden files and the README's tables anew: the diff is the review
	go test $(GOLDEN_PACKAGES) -count=1 -update

.PHONY: golden-check
golden-check: golden ## the same, and fail if that changed or added a file
	git --no-pager diff --exit-code -- '*testdata*' README.md docs
	@new="$$(git ls-files --others --exclude-standard -- '*testdata*')"; if [ -n "$$new" ]; then echo "not committed: $$new"; exit 1; fi

.PHONY: images
images: ## container images of worker, enqueue and layer-emulator
	$(COMPOSE) --profile cli build

.PHONY: up
up: ## Redis, emulator and two workers in containers
	$(COMPOSE) up -d --build
	@echo "queues, asynqmon: http://127.0.0.1:8080/"

.PHONY: down
down: ## stop them; the queue in the volume stays
	$(COMPOSE) down

.PHONY: smoke
smoke: ## bring the containers up, send a message through them, take them down
	test/compose
