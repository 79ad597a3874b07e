# SPDX-License-Identifier: Apache-2.0
# The one door: `make help` says what each word does. The work is in Scripts/.

SET ?= run
FUZZ_SECONDS ?= 60
PREFIX ?= /usr/local

.PHONY: help setup build run install uninstall dist deb examples test bench lint format docs fuzz check clean

help:            ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1	/p' Makefile | expand -t 18

setup:           ## install the Debian packages that SET=run|test|bench|package|all needs
	@Scripts/setup.sh $(SET)

build: setup     ## build apus, apus-net and the guest agent, for speed
	@Scripts/build.sh

run:             ## set up, build, and boot a Debian guest to its prompt
	@Scripts/run.sh

install:         ## put what `make build` built below PREFIX=/usr/local (in the folder DESTDIR)
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' Scripts/install.sh

uninstall:       ## remove that again
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' Scripts/install.sh --uninstall

dist:            ## a tarball that runs where it is unpacked, without Swift
	@Scripts/dist.sh

deb:             ## a Debian package for this host's release
	@Scripts/deb.sh

examples:        ## build the packages of Examples/ and run them
	@Scripts/examples.sh

test:            ## set up, build, and run all tests (FILTER=regex for some)
	@Scripts/test.sh $(if $(FILTER),--filter '$(FILTER)')

bench:           ## Apus and QEMU side by side (see Benchmarks/README.md)
	@Scripts/bench.sh $(BENCH)

lint:            ## all that a machine can hold of CONTRIBUTING.md
	@Scripts/setup.sh test
	@Scripts/lint.sh

format:          ## put the Swift sources into the one form
	@swift format --in-place --parallel --recursive Package.swift Sources $(wildcard Tests Fuzz Examples)

docs:            ## check what the documents name, and make ApusKit's reference
	@python3 Scripts/lint/lint.py --only documents
	@python3 Scripts/lint/lint.py --only claims
	@Scripts/docs.sh

fuzz:            ## fuzz each target for FUZZ_SECONDS (PLANTED=1: each must find a planted bug)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) PLANTED=$(PLANTED) Scripts/fuzz.sh $(TARGET)

check: lint test ## what a change must pass

clean:           ## remove what was built
	rm -rf .build .build-test .build-fuzz Guest/agent/build Benchmarks/build
