# SPDX-License-Identifier: GPL-2.0
# Postern, out of tree: see "make help".  Kbuild describes the module.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
INSTALL_MOD_DIR ?= updates
INSTALL_MOD_PATH ?= $(DESTDIR)
LANE ?= stock
VERSION := $(shell sed -n 's/.*POSTERN_VERSION "\(.*\)"/\1/p' uapi/postern_version.h)
dkmsdir := $(DESTDIR)/usr/src/postern-$(VERSION)

# Warnings are errors where nobody reads them.
ifneq ($(filter true 1,$(CI) $(WERROR)),)
KFLAGS := W=1 KCFLAGS=-Werror
TFLAGS := CFLAGS="-O2 -g -Werror"
endif

all: modules tools

modules:
	@test -d $(KDIR) || { echo "No kernel headers in $(KDIR): install linux-headers-$(KVER), or give KDIR=" >&2; exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR) $(KFLAGS) modules

tools:
	$(MAKE) -C tools $(TFLAGS)

install: modules tools
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_PATH=$(INSTALL_MOD_PATH) INSTALL_MOD_DIR=$(INSTALL_MOD_DIR) $(nosign) modules_install
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(kernelrelease)
	$(MAKE) -C tools install
	@modinfo $(INSTALL_MOD_PATH)/lib/modules/$(kernelrelease)/$(INSTALL_MOD_DIR)/postern.ko* | grep -q ^signer: || \
		echo "The module is not signed: with Secure Boot, sign it with a key that this machine trusts."

uninstall:
	$(RM) $(INSTALL_MOD_PATH)/lib/modules/$(kernelrelease)/$(INSTALL_MOD_DIR)/postern.ko*
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(kernelrelease)
	$(MAKE) -C tools uninstall

# With DKMS the module is built for each kernel, those to come as well.
dkms-install: tools dkms-source
	dkms build --force postern/$(VERSION) -k $(KVER)
	dkms install --force postern/$(VERSION) -k $(KVER)
	$(call dkms-remove,grep -vxF '$(VERSION)')
	$(MAKE) -C tools install

dkms-uninstall:
	$(call dkms-remove,cat)
	$(MAKE) -C tools uninstall

# Those versions that FILTER lets pass: the tree may have moved on since one was installed.
dkms-remove = for v in $$(dkms status -m postern | sed -n 's|^postern[/,] *\([^,:]*\).*|\1|p' | sort -u | $(1)); do \
	dkms remove postern/$$v --all && $(RM) -r /usr/src/postern-$$v || exit; done

dkms-source:
	$(RM) -r $(dkmsdir)
	install -d $(dkmsdir)
	cp -r --parents Kbuild uapi/*.h module/*.[ch] module/selftest/*.[ch] $(dkmsdir)
	sed 's/#MODULE_VERSION#/$(VERSION)/' tools/dkms.conf >$(dkmsdir)/dkms.conf

deb:
	@tools/deb

version:
	@echo $(VERSION)

kernelrelease = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h)
# Debian's configuration signs on installation, with a key that Debian keeps.
nosign = $(if $(wildcard $(KDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=)

setup:
	@selftests/setup

demo: setup
	@selftests/demo $(if $(KEEP),-i)

shell: setup
	@selftests/vm -l $(LANE) -i

check: setup
	@selftests/run -l $(LANE) $(TESTS)

check-packages: setup
	@selftests/package $(TESTS)

coverage: setup
	@selftests/run -l debug && selftests/coverage

static: setup
	@selftests/static $(TESTS)

bench: setup
	@selftests/bench/run

# make fuzz-netlink TIME=seconds
fuzz-%: setup
	@selftests/fuzz/run $(if $(SEED),-s $(SEED)) $* $(TIME)

clean:
	-test ! -d $(KDIR) || $(MAKE) -C $(KDIR) M=$(CURDIR) clean
	$(MAKE) -C tools clean
	$(RM) -r .build

help:
	@echo 'Build and install (needs the headers of the kernel and a compiler):'
	@echo '  all        modules and tools (default)'
	@echo '  modules    postern.ko for the running kernel; KVER=release or KDIR=directory for another'
	@echo '  tools      the command postern, with libmnl and json-c'
	@echo '  install    both; DESTDIR=, PREFIX= (tool), INSTALL_MOD_PATH=, INSTALL_MOD_DIR= (module)'
	@echo '  uninstall  what install put there'
	@echo '  dkms-install, dkms-uninstall  the same, but DKMS builds the module for each kernel, and signs it'
	@echo '  deb        Debian packages, in .build/deb'
	@echo '  clean      remove what was built'
	@echo
	@echo 'Try and test in virtual machines (Debian 12; nothing is loaded on this host):'
	@echo '  setup      install with apt what the targets below need (as root)'
	@echo '  demo       two sites, strongSwan, one gateway on Postern; KEEP=1: then a shell inside'
	@echo '  shell      a shell in a machine with module and tool; LANE=debug: the debug kernel'
	@echo '  check      all tests; TESTS="name ..." some; LANE=stock (this host, default), debug (User-Mode'
	@echo '             Linux), kcsan (the same, looking for data races), bullseye, trixie, backports (hosts'
	@echo '             of other Debian releases), cloud, rt (kernels; their core), several with commas'
	@echo '             between, or all'
	@echo '  coverage   all tests of the debug lane, and which share of the module they have run'
	@echo '  check-packages  Debian packages and DKMS: built, installed, upgraded, removed'
	@echo '  static     what can be checked without running it'
	@echo '  bench      throughput beside XFRM, WireGuard and no protection'
	@echo '  fuzz-netlink  messages to the module that are nearly right; TIME=seconds, SEED=where to begin'
	@echo '  fuzz-packets  packets by someone who knows the keys, right and wrong; the same'
	@echo '  fuzz-tool  what the tool reads, on this machine; the same'
	@echo
	@echo 'WERROR=1 (or CI=true) turns warnings into errors.'

.PHONY: all modules tools install uninstall dkms-install dkms-uninstall dkms-source deb version setup demo shell check coverage check-packages static bench clean help
