# vz: the OpenVZ management suite for mainline Linux.
#
#   sudo make demo     install what is needed, build, run VEs, clean up
#   sudo make check    install what is needed, run every test
#   make, make install, make deb
#
# VARIANT=asan builds with the sanitizers, in a build directory of its own.

PREFIX ?= /usr
SBINDIR ?= $(PREFIX)/sbin
LIBEXECDIR ?= $(PREFIX)/libexec/vz
MANDIR ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc
LOCALSTATEDIR ?= /var
VERSION := 5.0.0

VARIANT ?= release
O ?= build/$(VARIANT)

CC ?= gcc
WARN := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
	-Wvla -Wformat=2 -Wno-unused-parameter -Wno-missing-field-initializers
CFLAGS ?= -O2 -g
CFLAGS_release := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
CFLAGS_asan := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
LDFLAGS_asan := -fsanitize=address,undefined
CPPFLAGS += -D_GNU_SOURCE -Ilib -I. -I$(O)/gen -I/usr/include/iniparser -I/usr/include/libnl3 -DVZ_VERSION='"$(VERSION)"' \
	-DVZ_CONFDIR='"$(SYSCONFDIR)/vz"' -DVZ_STATEDIR='"$(LOCALSTATEDIR)/lib/vz"' \
	-DVZ_LIBEXECDIR='"$(LIBEXECDIR)"'
ALL_CFLAGS := -std=gnu11 $(WARN) -ffunction-sections -fdata-sections -fvisibility=hidden \
	$(CFLAGS_$(VARIANT)) $(CFLAGS)
ALL_LDFLAGS := -Wl,--gc-sections -Wl,--as-needed -Wl,-z,relro $(LDFLAGS_$(VARIANT)) $(LDFLAGS)
# Linked in: libarchive.so brings sixteen libraries (libxml2, ICU, libstdc++), which cost
# each vzctl more than a VE's start does. Of the archives, only what is used comes along.
LINKED_IN := iniparser cgroup seccomp archive nettle bpf elf zstd lzma z jansson nl-route-3 nl-3
LIBS := $(patsubst %,-l:lib%.a,$(LINKED_IN))

# One line a program: its name, then where its sources are.
TOOLS := vzctl vzlist vzpid vzproc vztop vzubc vztmpl vzcalc vzmemcheck vzcpucheck vzoversell \
	vzcfgvalidate vzsplit vzcfgscale vzmigrate vzquota
vzctl_SRC := $(filter-out vzctl/vzsuper.c vzctl/vzugid.c vzctl/criushim.c vzctl/vzquota%,$(wildcard vzctl/*.c))
# Static: the dynamic linker's work on each command is a fourteenth of a VE's start. What
# the linker warns of, users, groups and hosts by name, is in parts of the libraries that
# vzctl does not come to.
vzctl_LDFLAGS := $(if $(filter asan,$(VARIANT)),,-static -Wl,--no-warnings)
vzquota_SRC := $(wildcard vzctl/vzquota*.c)
vzlist_SRC := $(addprefix vzlist/,main.c collect.c fields.c)
vzpid_SRC := vzlist/vzpid.c
# Static: it also runs in VEs of any distribution.
vzproc_SRC := $(addprefix vzlist/,vzproc.c procview.c prockeeper.c)
vzproc_LDFLAGS := $(if $(filter asan,$(VARIANT)),,-static)
vztop_SRC := $(wildcard vzlist/top/*.c)
vzubc_SRC := $(wildcard vzlist/*ubc*.c)
vztmpl_SRC := $(wildcard templates/*.c)
vzcalc_SRC := $(addprefix vzcalc/,vzcalc.c node.c nodetext.c nodejson.c nodehtml.c ves.c)
vzmemcheck_SRC := $(addprefix vzcalc/,vzmemcheck.c ves.c)
vzoversell_SRC := $(addprefix vzcalc/,vzoversell.c ves.c)
vzcpucheck_SRC := vzcalc/vzcpucheck.c
vzcfgvalidate_SRC := vzcalc/vzcfgvalidate.c
vzsplit_SRC := vzsplit/vzsplit.c
vzcfgscale_SRC := vzsplit/vzcfgscale.c
vzmigrate_SRC := $(filter-out vzmigrate/rsh.c,$(wildcard vzmigrate/*.c))
# What makes templates lies where vztmpl looks for it: LIBEXECDIR/templates.
MAKERS := $(wildcard templates/*.sh)
MAKERS_READ := templates/functions

LIB_SRC := $(filter-out lib/bpf/%,$(wildcard lib/*/*.c))
LIB := $(O)/libvz.a
obj = $(patsubst %.c,$(O)/obj/%.o,$(1))

.PHONY: all
all: $(addprefix $(O)/,$(foreach t,$(TOOLS),$(if $($(t)_SRC),$(t)))) $(O)/vzsuper $(O)/vzugid \
	$(O)/vz-criu-shim.so $(O)/vz-rsh \
	$(addprefix $(O)/,$(MAKERS) $(MAKERS_READ))

$(LIB): $(call obj,$(LIB_SRC))
	@rm -f $@
	$(AR) rcs $@ $^

define tool
$(O)/$(1): $(call obj,$($(1)_SRC)) $(LIB)
	$$(CC) $$(ALL_LDFLAGS) $$($(1)_LDFLAGS) -o $$@ $$^ $$(LIBS)
endef
$(foreach t,$(TOOLS),$(eval $(call tool,$(t))))

# The supervisor stays in memory once a VE: static and small (the sanitizers can't).
$(O)/vzsuper: $(O)/obj/vzctl/vzsuper.o
	$(CC) $(if $(filter asan,$(VARIANT)),,-static) $(ALL_LDFLAGS) -o $@ $^

# Who answers quota calls of VEs: no tool that somebody calls.
vzugid_SRC := vzctl/vzugid.c
$(eval $(call tool,vzugid))

# Into criu, which is not ours: without the sanitizers.
$(O)/vz-criu-shim.so: vzctl/criushim.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) $(CFLAGS) -fPIC -shared -Wl,-z,relro $(LDFLAGS) -o $@ $< -ldl

# Where rsync runs there is no /proc, without which the sanitizers can't begin.
$(O)/vz-rsh: vzmigrate/rsh.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) $(CFLAGS) -static -Wl,-z,relro $(LDFLAGS) -o $@ $<

# The system call filters are compiled when vz is, not when a VE starts.
$(O)/gen/seccomp: lib/sys/gen/seccomp.c lib/sys/seccomp.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(CPPFLAGS) $(WARN) -O1 -o $@ $< -lseccomp
$(O)/gen/seccomp_programs.h: $(O)/gen/seccomp
	$< >$@.new && mv $@.new $@
$(O)/obj/lib/sys/seccomp.o build/fuzz/lib/sys/seccomp.o: $(O)/gen/seccomp_programs.h

# Programs for the kernel: lib/bpf/NAME.bpf.c becomes $(O)/gen/NAME.skel.h, which a module
# of vz includes. They find their way in any kernel's structures by its BTF (CO-RE).
CLANG ?= clang
BPFTOOL ?= $(or $(shell command -v bpftool),/usr/sbin/bpftool)
BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -Wall -Wextra -Wno-unused-parameter -Ilib \
	-idirafter /usr/include/$(shell $(CC) -print-multiarch)
SKELETONS := $(patsubst lib/bpf/%.bpf.c,$(O)/gen/%.skel.h,$(wildcard lib/bpf/*.bpf.c))
$(O)/gen/%.bpf.o: lib/bpf/%.bpf.c $(wildcard lib/bpf/*.h)
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c -o $@ $<
# Kept: a debugger's and bpftool's users look into it.
.SECONDARY: $(SKELETONS:.skel.h=.bpf.o)
$(O)/gen/%.skel.h: $(O)/gen/%.bpf.o
	$(BPFTOOL) gen skeleton $< name $* >$@.new && mv $@.new $@
$(call obj,$(LIB_SRC)): | $(SKELETONS)

# Man pages and completion: what the tables say is put in where @PART@ stands.
DOCS := vzctl/vzctl.8 etc/vz/vz.conf.5 etc/vz/ctid.conf.5 etc/vz/completion/vzctl
.PHONY: docs
docs: $(addprefix $(O)/,$(addprefix doc/,$(notdir $(DOCS))))
$(O)/gen/doc: $(call obj,vzctl/gen/doc.c $(filter-out vzctl/main.c,$(vzctl_SRC))) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
define doc
$(O)/doc/$(notdir $(1)): $(1).in $(O)/gen/doc
	@mkdir -p $$(@D)
	$(O)/gen/doc $$< >$$@.new && mv $$@.new $$@
endef
$(foreach d,$(DOCS),$(eval $(call doc,$(d))))

$(O)/templates/%: templates/%
	@mkdir -p $(@D)
	@install -m 755 $< $@

$(O)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# What goes where. DESTDIR is put before each.
INSTALL ?= install
UNITDIR ?= $(PREFIX)/lib/systemd/system
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
VZ_ETC := $(SYSCONFDIR)/vz
VZ_LIB := $(LOCALSTATEDIR)/lib/vz
MAN_PAGES = $(filter %.8 %.5,$(addprefix $(O)/doc/,$(notdir $(DOCS)))) \
	$(wildcard vzctl/*.8 vzlist/*.8 vzlist/top/*.8 templates/*.8 vzcalc/*.8 vzsplit/*.8 vzmigrate/*.8 etc/vz/dists/*.5)
UNITS := vz.service vz-traffic.service vz-traffic.timer
BUILT = $(foreach t,$(TOOLS),$(if $($(t)_SRC),$(t)))
# Files that name places name where things really go.
RELOCATE = sed 's|/usr/sbin/vzctl|$(SBINDIR)/vzctl|; s|/var/lib/vz|$(VZ_LIB)|; s|/etc/vz|$(VZ_ETC)|; \
	s|/var/log/vz|$(LOCALSTATEDIR)/log/vz|'
installed = $(MANDIR)/man$(patsubst .%,%,$(suffix $(1)))/$(notdir $(1))

.PHONY: install uninstall
install: all docs
	$(INSTALL) -d $(addprefix $(DESTDIR),$(SBINDIR) $(LIBEXECDIR) $(UNITDIR) $(COMPLETIONDIR) \
		$(VZ_ETC)/conf $(VZ_ETC)/names $(VZ_ETC)/pools $(VZ_ETC)/dists/scripts $(SYSCONFDIR)/init.d \
		$(SYSCONFDIR)/logrotate.d $(SYSCONFDIR)/cron.d $(VZ_LIB)/template/cache $(VZ_LIB)/lock)
	$(INSTALL) -d -m 700 $(addprefix $(DESTDIR)$(VZ_LIB)/,private root dump)
	$(INSTALL) -d -m 750 $(DESTDIR)$(LOCALSTATEDIR)/log/vz
	$(INSTALL) -m 755 $(addprefix $(O)/,$(BUILT)) $(DESTDIR)$(SBINDIR)
	$(INSTALL) -m 755 $(O)/vzsuper $(O)/vzugid $(O)/vz-rsh $(DESTDIR)$(LIBEXECDIR)
	$(INSTALL) -m 644 $(O)/vz-criu-shim.so $(DESTDIR)$(LIBEXECDIR)
	$(INSTALL) -d $(DESTDIR)$(LIBEXECDIR)/templates
	$(INSTALL) -m 755 $(MAKERS) $(DESTDIR)$(LIBEXECDIR)/templates
	$(INSTALL) -m 644 $(MAKERS_READ) $(DESTDIR)$(LIBEXECDIR)/templates
	for f in etc/vz/vz.conf etc/vz/vztmpl.conf etc/vz/conf/0.conf etc/vz/conf/networks_classes; do \
		to=$(DESTDIR)$(SYSCONFDIR)/$${f#etc/}; \
		[ -e $$to ] || { $(RELOCATE) $$f >$$to && chmod 644 $$to; } || exit; done
	$(INSTALL) -m 644 etc/vz/conf/*.conf-sample $(DESTDIR)$(VZ_ETC)/conf
	$(INSTALL) -m 644 etc/vz/dists/*.conf $(DESTDIR)$(VZ_ETC)/dists
	cp etc/vz/dists/scripts/* $(DESTDIR)$(VZ_ETC)/dists/scripts
	chmod 755 $(DESTDIR)$(VZ_ETC)/dists/scripts/*.sh
	for u in $(UNITS); do $(RELOCATE) etc/vz/systemd/$$u >$(DESTDIR)$(UNITDIR)/$$u || exit; done
	$(RELOCATE) etc/vz/cron.d/vz >$(DESTDIR)$(SYSCONFDIR)/cron.d/vz
	$(RELOCATE) etc/vz/init.d/vz >$(DESTDIR)$(SYSCONFDIR)/init.d/vz
	chmod 755 $(DESTDIR)$(SYSCONFDIR)/init.d/vz
	$(RELOCATE) etc/vz/logrotate.d/vz >$(DESTDIR)$(SYSCONFDIR)/logrotate.d/vz
	$(INSTALL) -m 644 $(O)/doc/vzctl $(DESTDIR)$(COMPLETIONDIR)/vzctl
	$(foreach m,$(MAN_PAGES),$(INSTALL) -D -m 644 $(m) $(DESTDIR)$(call installed,$(m)) &&) true

# Configuration and VEs stay.
uninstall:
	rm -f $(addprefix $(DESTDIR)$(SBINDIR)/,$(TOOLS)) \
		$(addprefix $(DESTDIR)$(UNITDIR)/,$(UNITS)) $(DESTDIR)$(SYSCONFDIR)/cron.d/vz \
		$(DESTDIR)$(COMPLETIONDIR)/vzctl $(DESTDIR)$(SYSCONFDIR)/init.d/vz \
		$(DESTDIR)$(SYSCONFDIR)/logrotate.d/vz \
		$(foreach m,$(MAN_PAGES),$(DESTDIR)$(call installed,$(m)))
	rm -rf $(DESTDIR)$(LIBEXECDIR)

# Packages, in build/deb: from a copy of the tree, where debian/ is etc/debian.
.PHONY: deb
deb:
	rm -rf build/deb
	mkdir -p build/deb/vz-$(VERSION)
	tar -c --exclude=./build --exclude=./.git . | tar -x -C build/deb/vz-$(VERSION)
	cp -R etc/debian build/deb/vz-$(VERSION)/debian
	cd build/deb/vz-$(VERSION) && dpkg-buildpackage -b -uc -us
	@ls -l build/deb/*.deb

.PHONY: clean
clean:
	rm -rf build

-include $(shell find $(O) -name '*.d' 2>/dev/null)

include tests/tests.mk
