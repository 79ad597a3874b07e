# SPDX-License-Identifier: Apache-2.0
# The one door: `make help` says what each word does. The work is in Scripts/.

SET ?= run
FUZZ_SECONDS ?= 60

.PHONY: help setup build run test bench lint format docs fuzz check clean

help:            ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1	/p' Makefile | expand -t 16

setup:           ## install the Debian packages that SET=run|test|bench|all needs
	@Scripts/setup.sh $(SET)

build: setup     ## build apus, apus-net and the guest agent, for speed
	@Scripts/build.sh

run:             ## set up, build, and boot a Debian guest to its prompt
	@Scripts/run.sh

test:            ## set up, build, and run all tests (FILTER=regex for some)
	@Scripts/test.sh $(if $(FILTER),--filter '$(FILTER)')

bench:           ## Apus and QEMU side by side (see Benchmarks/README.md)
	@Scripts/bench.sh $(BENCH)

lint:            ## all that a machine can hold of CONTRIBUTING.md
	@Scripts/setup.sh test
	@Scripts/lint.sh

format:          ## put the Swift sources into the one form
	@swift format --in-place --parallel --recursive Package.swift Sources $(wildcard Tests Fuzz)

docs:            ## check the documents: links and paths that they name exist
	@python3 Scripts/lint/lint.py --only documents

fuzz:            ## fuzz each target for FUZZ_SECONDS (PLANTED=1: each must find a planted bug)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) PLANTED=$(PLANTED) Scripts/fuzz.sh $(TARGET)

check: lint test ## what a change must pass

clean:           ## remove what was built
	rm -rf .build .build-test .build-fuzz Guest/agent/build Benchmarks/build
