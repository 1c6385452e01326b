# Every target does its own set-up: a fresh machine needs Python 3.11 or later, make, and Go where the official
# Pulumi download cannot be reached (docs/toolchain.md).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# The tests start hundreds of processes: where compiled modules are not kept, each compiles all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

.PHONY: setup
setup: $(STAMP) ## Install everything into .venv

.PHONY: toolchain
toolchain: $(STAMP) ## Find, download or build the Pulumi CLI and its plugins (minutes the first time)
	@$(BIN)/python -m automation.toolchain

.PHONY: up
up: toolchain ## Start the whole system on this machine, with the lab; Ctrl-C stops it
	@$(BIN)/slipway up

.PHONY: demo
demo: toolchain metal-tools ## Raise an estate, order six workloads, watch, read back, cancel, and take all of it down
	@$(BIN)/python -m lab.demo

.PHONY: bench
bench: toolchain ## Measure; prints a table and writes build/bench.json
	@$(BIN)/slipway bench

.PHONY: lint
lint: $(STAMP) ## Style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: check
check: lint ## The fast loop: lint, and the tests that start no server, no engine and no other program for long
	$(BIN)/pytest -q -n 2 -m "not engine and not e2e and not servers and not processes"

.PHONY: browser
browser: ## Chromium for tests of the pages, from the system's packages if it is missing and this is root
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	    || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
	        && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	    || echo "No chromium, and only root can install it: the tests of the pages in a browser will be skipped."

# What checks and runs the platform stacks' configuration; one package a line.
PLATFORM_PACKAGES := \
    cloud-init \
    iproute2 \
    iputils-ping \
    nftables \
    openssh-server \
    prometheus \
    prometheus-alertmanager \
    prometheus-blackbox-exporter \
    prometheus-node-exporter \
    systemd \
    wireguard-go \
    wireguard-tools
PVE_EXPORTER := prometheus-pve-exporter==3.10.2
PLATFORM_VENV := build/platform-tools
# Debian's own way to say that the installation of a package starts no service.
POLICY := /usr/sbin/policy-rc.d
# $(call packages,PACKAGES,CONSEQUENCE): install them if this is root; else say what follows from their lack.
define packages
dpkg --status $(1) >/dev/null 2>&1 \
	    || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
	        && { [ -e $(POLICY) ] || { trap 'rm -f $(POLICY)' EXIT; \
	            printf '#!/bin/sh\nexit 101\n' >$(POLICY); chmod +x $(POLICY); }; } \
	        && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq \
	            --no-install-recommends $(1) >/dev/null; } \
	    || echo "Not all of $(1) are here, and only root can install them: $(2)."
endef

.PHONY: platform-tools
platform-tools: ## Prometheus, Alertmanager and others, from the system's packages if this is root; starts no service
	@$(call packages,$(PLATFORM_PACKAGES),their tests will be skipped)
	@$(PLATFORM_VENV)/bin/python -m pip show --quiet prometheus-pve-exporter 2>/dev/null \
	    || { $(PYTHON) -m venv $(PLATFORM_VENV) \
	        && $(PLATFORM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(PVE_EXPORTER); }

# What runs machines for the tests of bare metal, and what they are installed with; one package a line.
METAL_PACKAGES := \
    debian-archive-keyring \
    dnsmasq-base \
    dpkg \
    e2fsprogs \
    fdisk \
    grub-common \
    grub-pc-bin \
    ipxe \
    ipxe-qemu \
    iproute2 \
    kmod \
    mdadm \
    mmdebstrap \
    mtools \
    nginx-light \
    ovmf \
    busybox-static \
    qemu-system-x86 \
    qemu-utils \
    seabios \
    tinyproxy-bin \
    util-linux

.PHONY: metal-tools
metal-tools: ## QEMU, dnsmasq and iPXE, from the system's packages if this is root; starts no service
	@$(call packages,$(METAL_PACKAGES),NO BARE METAL will be tested)

.PHONY: test
test: toolchain browser platform-tools metal-tools lint ## Everything: set-up, lint, and every test
	$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder

.PHONY: model
model: $(STAMP) ## Live new lives of orders for an hour or more, and keep those that fail (see CONTRIBUTING.md)
	$(BIN)/pytest -q --hypothesis-profile=nightly tests/model

.PHONY: lock
lock: ## Resolve dependencies anew into requirements.lock
	$(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --all-extras \
	    --group dev --no-annotate --custom-compile-command "make lock" pyproject.toml -o requirements.lock
