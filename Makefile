# Bootstrap. `make` lists what can be made; `make demo` shows everything.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c

ARCHITECTURES := arm64 amd64
runtime_arm64 := linux-arm64
runtime_amd64 := linux-x64

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

# ---- What the machine needs ------------------------------------------------------------------------------------------

.PHONY: deps-build deps-clients deps-check deps-lab
deps-build:
	@packaging/install-packages packaging/packages-build.txt images/host-packages.txt

deps-clients:
	@packaging/install-packages packaging/packages-clients.txt

deps-check: deps-build deps-clients
	@packaging/install-packages packaging/packages-check.txt

deps-lab: deps-check
	@packaging/install-packages packaging/packages-lab.txt

# ---- The product -----------------------------------------------------------------------------------------------------

.PHONY: build appliance netinst page
build: appliance netinst page ## Build everything: the program is build/bootstrap

appliance: deps-build
	@dotnet publish Backend/Cli -c Release -o build/appliance --nologo -v quiet
	ln -sfn appliance/bootstrap build/bootstrap

page: deps-build
	@packaging/build-page

# NetInst and the Slave, for boards of both architectures, and the files that boards boot from.
netinst: appliance
	@packaging/build-netinst $(ARCHITECTURES)

.PHONY: clients
clients: deps-clients ## Build what C, C++, Python and Java programs use discovery with: build/clients
	@$(MAKE) -s --no-print-directory -C Slave/Clients OUT=$(CURDIR)/build/clients

.PHONY: images
images: deps-build ## Build the demo operating systems (cached)
	@$(MAKE) -s --no-print-directory -C images os-demo-arm64 os-demo-amd64 os-tiny-arm64 os-tiny-amd64

# ---- Trying it -------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: deps-lab ## Watch bare virtual boards install themselves (BOARD=virt|raspi3b|x86 COUNT=1 ONCE=1)
	@mkdir -p build
	@packaging/demo "$(or $(BOARD),virt)" "$(or $(COUNT),1)" "$(ONCE)"

# ---- Checking it -----------------------------------------------------------------------------------------------------

.PHONY: check test fuzz bench soak format
check: deps-check ## Format, build, unit and property tests (a few minutes)
	@tests/run check

test: deps-lab ## Everything: unit, property, integration and lab tests
	@packaging/install-packages packaging/packages-bench.txt
	@tests/run all

fuzz: deps-build ## Send damaged packets to the boot services (COUNT=1000000 for each SEED=…)
	@dotnet build tests/fuzz -c Release --nologo -v quiet
	tests/fuzz/bin/Release/net10.0/Bootstrap.Fuzz "$(or $(COUNT),1000000)" $(SEED)

bench: deps-lab ## Measure against peers; results in tests/bench/results
	@packaging/install-packages packaging/packages-bench.txt
	@tests/bench/run

soak: deps-lab ## What only endurance shows: a thousand strangers for five minutes (SECONDS_EACH=300)
	@packaging/install-packages packaging/packages-bench.txt
	@tests/soak/run

.PHONY: pictures
pictures: deps-lab page ## Make the pictures of the docs anew, from the browser tests
	@dotnet build tests/browser --nologo -v quiet
	@tests/browser/bin/Debug/net10.0/Bootstrap.Browser.Tests -noLogo -noColor -method '*A_tile_shows_what_its_board_tells*'
	mkdir -p docs/pictures
	cp build/screenshots/rack-light-1360.png docs/pictures/rack.png

format: page ## Format the code, C# and the page's
	@dotnet format Bootstrap.sln
	@cd web && npm run format --silent

.PHONY: clean
clean: ## Remove what was built here (cached images stay)
	@rm -rf build web/dist; find . -path ./web/node_modules -prune -o -type d '(' -name bin -o -name obj ')' -print0 | xargs -0 rm -rf
