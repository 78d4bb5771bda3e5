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
CPPFLAGS += -D_GNU_SOURCE -Ilib -I. -I$(O)/gen -I/usr/include/iniparser -DVZ_VERSION='"$(VERSION)"' \
	-DVZ_CONFDIR='"$(SYSCONFDIR)/vz"' -DVZ_STATEDIR='"$(LOCALSTATEDIR)/lib/vz"' \
	-DVZ_LIBEXECDIR='"$(LIBEXECDIR)"'
ALL_CFLAGS := -std=gnu11 $(WARN) -ffunction-sections -fdata-sections -fvisibility=hidden \
	$(CFLAGS_$(VARIANT)) $(CFLAGS)
ALL_LDFLAGS := -Wl,--gc-sections -Wl,--as-needed -Wl,-z,relro $(LDFLAGS_$(VARIANT)) $(LDFLAGS)
LIBS := -liniparser -lcgroup -lseccomp -lcap -larchive -ljansson -lcrypt

# One line a program: its name, then where its sources are.
TOOLS := vzctl vzlist vztmpl
vzctl_SRC := $(filter-out vzctl/vzsuper.c,$(wildcard vzctl/*.c))
vzlist_SRC := $(wildcard vzlist/*.c)
vztmpl_SRC := $(wildcard templates/*.c)
# What makes templates lies where vztmpl looks for it: LIBEXECDIR/templates.
MAKERS := $(wildcard templates/*.sh) templates/functions

LIB_SRC := $(wildcard lib/*/*.c)
LIB := $(O)/libvz.a
obj = $(patsubst %.c,$(O)/obj/%.o,$(1))

.PHONY: all
all: $(addprefix $(O)/,$(foreach t,$(TOOLS),$(if $($(t)_SRC),$(t)))) $(O)/vzsuper \
	$(addprefix $(O)/,$(MAKERS))

$(LIB): $(call obj,$(LIB_SRC))
	@rm -f $@
	$(AR) rcs $@ $^

define tool
$(O)/$(1): $(call obj,$($(1)_SRC)) $(LIB)
	$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(LIBS)
endef
$(foreach t,$(TOOLS),$(eval $(call tool,$(t))))

# The supervisor stays in memory once a VE: static and small (the sanitizers can't).
$(O)/vzsuper: $(O)/obj/vzctl/vzsuper.o
	$(CC) $(if $(filter asan,$(VARIANT)),,-static) $(ALL_LDFLAGS) -o $@ $^

# The system call filters are compiled when vz is, not when a VE starts.
$(O)/gen/seccomp: lib/sys/gen/seccomp.c lib/sys/seccomp.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(CPPFLAGS) $(WARN) -O1 -o $@ $< -lseccomp
$(O)/gen/seccomp_programs.h: $(O)/gen/seccomp
	$< >$@.new && mv $@.new $@
$(O)/obj/lib/sys/seccomp.o build/fuzz/lib/sys/seccomp.o: $(O)/gen/seccomp_programs.h

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

.PHONY: clean
clean:
	rm -rf build

-include $(shell find $(O) -name '*.d' 2>/dev/null)

include tests/tests.mk
