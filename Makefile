# SPDX-License-Identifier: GPL-2.0-only
#
# The verbs of Trustgate. The modules are built by the kernel's own build (see
# Kbuild), userspace by meson (userspace/), and everything that needs a machine
# to try it on by the test bed (selftests/bed).

KDIR ?= /lib/modules/$(shell uname -r)/build
BUILD ?= $(CURDIR)/build
MESON ?= meson
MESON_OPTIONS ?= --prefix=/usr --sysconfdir=/etc --localstatedir=/var
DESTDIR ?=
BED := selftests/bed
RELEASE = $(shell $(MAKE) -s --no-print-directory -C $(KDIR) kernelrelease)

all: modules userspace

help:
	@echo 'On a host:'
	@echo '  make                    build modules and userspace'
	@echo '  make modules_install    install the modules for the kernel of KDIR'
	@echo '  make install            install programs, unit, man pages (DESTDIR=)'
	@echo '  make uninstall          remove what make install has installed (DESTDIR=)'
	@echo '  make modules_uninstall  remove the modules for the kernel of KDIR (DESTDIR=)'
	@echo '  make clean              remove what was built here'
	@echo
	@echo 'In virtual machines, as root, nothing else prepared:'
	@echo '  make demo               see it work           [K=6.12|7]'
	@echo '  make check              all checks and tests'
	@echo '  make check T=open_test  one test, or more: T="open_test grant_test";'
	@echo '                          T=static, T=userspace are stages  [K=6.12|7|debug]'
	@echo '  make matrix             every route to a volume, tried [JSON=1] [K=6.12|7|debug]'
	@echo '  make bench              instructions for each kind of open'
	@echo
	@echo 'The Debian tree, images and the debug kernel are kept in'
	@echo '$${TRUSTGATE_CACHE:-/var/cache/trustgate}; see selftests/README.'

modules:
	@test -e $(KDIR)/Makefile || { \
		echo "no kernel headers in $(KDIR): install linux-headers-$$(uname -r), or set KDIR" >&2; \
		exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

$(BUILD)/userspace/build.ninja:
	$(MESON) setup $(BUILD)/userspace userspace $(MESON_OPTIONS)

userspace: $(BUILD)/userspace/build.ninja
	$(MESON) compile -C $(BUILD)/userspace

# Headers come without System.map, and then kbuild leaves depmod out; without it
# modprobe does not find the modules. A packager runs it on the host.
modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) \
		$(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR)) modules_install
ifeq ($(DESTDIR),)
	depmod $(RELEASE)
endif

modules_uninstall:
	@test -n "$(RELEASE)" || { echo "no kernel headers in $(KDIR): set KDIR" >&2; exit 1; }
	find $(DESTDIR)/lib/modules/$(RELEASE)/ \( -name 'trustgate.ko*' \
		-o -name 'trustgate_core.ko*' -o -name 'trustgate_core_test.ko*' \) -delete
ifeq ($(DESTDIR),)
	depmod $(RELEASE)
	@! grep -qs '^trustgate' /proc/modules || echo 'The modules stay loaded until "rmmod trustgate" or a reboot.'
endif

install: userspace
	DESTDIR=$(DESTDIR) $(MESON) install -C $(BUILD)/userspace --no-rebuild
ifeq ($(DESTDIR),)
	ldconfig
	systemd-sysusers trusteed.conf
	if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
	@echo
	@if systemctl -q is-active trusteed.service 2>/dev/null; then \
		echo 'The agent goes on as it was until "systemctl restart trusteed".'; \
	else \
		echo 'Next: write /etc/trustgate/trusteed.yaml, see trusteed.yaml(5), then'; \
		echo '  modprobe trustgate && systemctl enable --now trusteed'; \
	fi
endif

uninstall: userspace
	DESTDIR=$(DESTDIR) MESON='$(MESON)' userspace/uninstall $(BUILD)/userspace

demo:
	@$(BED)/demo $(K)

check:
	@T='$(T)' K='$(K)' $(BED)/check

matrix:
	@K='$(K)' $(BED)/matrix $(if $(JSON),--json)

bench:
	@K='$(K)' selftests/bench/run

clean:
	rm -rf $(BUILD) selftests/build
	if [ -e $(KDIR)/Makefile ]; then $(MAKE) -C $(KDIR) M=$(CURDIR) clean; fi

.PHONY: all help modules userspace modules_install modules_uninstall install \
	uninstall demo check matrix bench clean
