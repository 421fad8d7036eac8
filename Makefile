# `make` lists what there is.
.DEFAULT_GOAL := help
SHELL := bash
CARGO ?= cargo

# josekit needs OpenSSL. The vendored one is built where pkg-config does not find the system's.
# Written to a file, so that `cargo run` by hand sees the same and builds nothing twice.
OPENSSL := $(shell pkg-config --exists 'openssl >= 3' 2>/dev/null && echo 1 || echo 0)

.PHONY: help dev build quick test torture check fmt lint one-build workspace-hack doc deny conformance interop bench bench-peers registrations screenshots recordings reference site man

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

dev: build ## run everything on this machine, with a stand-in for GitHub
	@$(CARGO) build --quiet -p tests --example github-stand-in
	@scripts/dev

build: .cargo/config.toml
	@$(CARGO) build --workspace

# Tests wait more than they compute: for answers, for programs, for what is written.
quick test: export RUST_TEST_THREADS ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
# Rooms of tests/it whose tests start no program; tests/it/house/suite.rs keeps them so.
QUICK := endpoints:: guard:: house:: rules::

quick: .cargo/config.toml ## run unit tests, and the rooms of tests/it that start no program
	@$(CARGO) test --workspace --lib --test it --no-run --quiet
	@$(CARGO) test --workspace --lib --quiet
	@$(CARGO) test --workspace --test it --quiet -- $(QUICK) --skip engine

test: build ## run every test, in a real browser too
	@scripts/prepare-tests
	@$(CARGO) test --workspace --quiet

torture: .cargo/config.toml ## races, crashes, rotations at length; for one: make torture ARGS="crashes --engine sqlite"
	@scripts/prepare-tests
	@$(CARGO) build --release -p auth -p mcp -p tests --bin auth --bin mcp --example torture
	@$${CARGO_TARGET_DIR:-target}/release/examples/torture $(ARGS)

check: fmt-check lint test one-build doc deny ## everything that CI checks

fmt: ## format the code
	@$(CARGO) fmt --all
	@$(CARGO) fmt --manifest-path tests/bench/Cargo.toml

.PHONY: fmt-check
fmt-check:
	@$(CARGO) fmt --all --check
	@$(CARGO) fmt --manifest-path tests/bench/Cargo.toml --check

lint: .cargo/config.toml ## clippy, warnings are errors
	@$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	@$(CARGO) clippy -p portcullis-guard --quiet -- -D warnings # with the features that other people build it with

one-build: build ## show that building one program compiles nothing twice
	@scripts/check-one-build

workspace-hack: .cargo/config.toml ## generate workspace-hack, after a change of dependencies
	@if command -v cargo-hakari >/dev/null; then cargo hakari generate && cargo hakari manage-deps --yes; \
	else echo "cargo-hakari is not installed; run: cargo install --locked cargo-hakari" >&2; exit 1; fi

doc: .cargo/config.toml ## build the documentation, warnings are errors
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet

deny: ## check licences, sources and bans of dependencies
	@if command -v cargo-deny >/dev/null; then cargo deny --log-level error check bans licenses sources; \
	else echo "cargo-deny is not installed; run: cargo install --locked cargo-deny"; fi

# Programs of the harness. They are examples, because cargo would build binaries before every run of tests/it.
.PHONY: harness
harness: build
	@$(CARGO) build --quiet -p tests --examples

conformance: harness ## run the official conformance suite
	@tests/conformance/run

interop: harness ## run other people's clients against the servers
	@tests/interop/run

bench: .cargo/config.toml ## count instructions of the hot paths; for some: make bench ARGS="refresh call"
	@scripts/count-instructions $(ARGS)

bench-peers: .cargo/config.toml ## measure CPU time next to other people's servers (docs/performance.md)
	@tests/bench/run $(ARGS)
	@tests/bench/report

registrations: build ## register 100,000 clients and look at the database
	@PORTCULLIS_REGISTRATIONS=100000 $(CARGO) test -p tests --test it --quiet a_flood_of_registrations

screenshots: .cargo/config.toml ## picture every page in every state into target/gallery
	@scripts/prepare-tests
	@$(CARGO) run --quiet -p tests --example screenshots -- $${CARGO_TARGET_DIR:-target}/gallery

recordings: build ## play the client in a terminal and keep what is seen in docs/terminal
	@scripts/prepare-tests
	@$(CARGO) run --quiet -p tests --example recordings -- docs/terminal

reference: .cargo/config.toml ## write docs/reference from the sources
	@$(CARGO) run --quiet -p tests --example reference

site: ## build the site from docs into target/site, if mdBook is installed
	@scripts/site

man: build ## write the manual pages of the client into target/man
	@mkdir -p $${CARGO_TARGET_DIR:-target}/man
	@$(CARGO) run --quiet -p client -- man $${CARGO_TARGET_DIR:-target}/man

# SQLite's query planner stability guarantee: a statement keeps its plan whatever values are bound to it. Without
# it SQLite prepares each statement again at each use.
# AWS-LC measures the jitter of the processor before its first random number, in some 400 million instructions. The
# system's random numbers need no such help.
.cargo/config.toml: Makefile
	@mkdir -p .cargo
	@printf '[env]\nLIBSQLITE3_FLAGS = "-DSQLITE_ENABLE_QPSG"\nAWS_LC_SYS_NO_JITTER_ENTROPY = "1"\n' > $@
	@if [ "$(OPENSSL)" = 1 ]; then printf 'OPENSSL_NO_VENDOR = "1"\n' >> $@; fi
