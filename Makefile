# AnkeOS: one non-recursive Makefile, all output in build/. `make help` is the manual; V=1 shows the commands.

ifeq ($(origin CC),default)
CC      := gcc
endif
HOSTCC  ?= $(CC)
LD      := ld
OBJCOPY := objcopy
PYTHON  := /usr/bin/python3
V       ?= 0
DEBUG   ?= 0
Q       := $(if $(filter 1,$(V)),,@)
say      = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(2)')

# What `qemu` and its kin run; see scripts/qemu.
export MEM CPU SMP MACHINE CMDLINE INITRD QEMU_EXTRA STOP

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

SHELL := /bin/bash

# The host's flavour: where its objects lie, and how what they do is watched. `coverage` calls make with others.
HOST        := build/host
HOST_CHECKS := -fsanitize=address,undefined -fno-sanitize-recover=all

# What is not installed is said so, with Debian's package; looked for when a recipe that needs it is about to run.
#   $(call need_file,FILE,PACKAGE)  $(call need,PROGRAM,PACKAGE)  $(call need_words,NAME,COMMAND THAT SUCCEEDS,PACKAGES)
missing    = $(error $(1) is not here: run ./scripts/setup$(MAKECMDGOALS:%= %), which installs what is missing (Debian: $(2)))
need_file  = $(if $(wildcard $(1)),,$(call missing,$(1),$(2)))
need       = $(call need_words,$(1),command -v $(1),$(2))
need_words = $(if $(have_$(1)),,$(eval have_$(1) := $(shell $(2) >/dev/null 2>&1 && echo yes))$(if \
             $(have_$(1)),,$(call missing,$(1),$(3))))

# ---- flags ------------------------------------------------------------------------------------

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Werror
# Types and variables for gdb. A build that only has to run needs the lines alone, -g1, which takes a sixth less time.
SYMBOLS ?= -g
BASE := -std=gnu17 $(WARN) -I. -MMD -MP $(SYMBOLS) -fno-common -DDEBUG=$(DEBUG) \
        -ffile-prefix-map=$(CURDIR)=. -fdebug-prefix-map=$(CURDIR)=.

# No SSE in the kernel: user registers stay where they are. Frame pointers: backtraces need them.
KERNEL_CFLAGS := $(BASE) -O2 -ffreestanding -fno-pic -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
        -fno-omit-frame-pointer -fno-optimize-sibling-calls -fno-stack-protector -fcf-protection=none \
        -fno-asynchronous-unwind-tables -fno-strict-aliasing -ffunction-sections
# The debug build panics at undefined behaviour (kernel/lib/ubsan.c), and at arrays on the stack that were overrun:
# the canary is the variable stack_canary, of which each CPU has one, or with clang, which cannot be told that, one variable
# for all (kernel/arch/percpu.c).
CANARY_OF_CPU := -mstack-protector-guard=tls -mstack-protector-guard-reg=gs -mstack-protector-guard-symbol=stack_canary
ifeq ($(DEBUG),1)
KERNEL_CFLAGS += -fsanitize=undefined -fstack-protector-strong \
        $(if $(findstring clang,$(CC)),-mstack-protector-guard=global,$(CANARY_OF_CPU))
endif
EFI_INCLUDE := /usr/include/efi
# Nor in the loader: UEFI promises no CPU state that SSE needs, and U-Boot has CR4.OSFXSR clear.
EFI_CFLAGS := $(BASE) -O2 -ffreestanding -fpic -fshort-wchar -mno-red-zone -mgeneral-regs-only -fno-stack-protector \
        -fcf-protection=none -fno-asynchronous-unwind-tables -fno-strict-aliasing -fvisibility=hidden \
        -DGNU_EFI_USE_MS_ABI -DEFI_LOADER -isystem $(EFI_INCLUDE) -isystem $(EFI_INCLUDE)/x86_64
# A sanitizer's report needs lines only: with all of -g each file takes half as long again, and each program links longer.
HOST_CFLAGS := $(BASE) -O1 -g1 -DHOST_TEST -fno-omit-frame-pointer $(HOST_CHECKS)
BENCH_CFLAGS := $(BASE) -O2 -DHOST_TEST

# ---- sources ----------------------------------------------------------------------------------

PAGING      := $(wildcard paging/*.c)
KERNEL_C    := $(PAGING) $(wildcard kernel/*.c kernel/*/*.c kernel/*/*/*.c)
KERNEL_S    := $(wildcard kernel/*.S kernel/*/*.S)
EFI_C       := $(wildcard efi/*.c) $(PAGING) kernel/boot/memmap.c \
               $(addprefix kernel/lib/,elf.c format.c printable.c utf8.c cmdline.c string.c)
EFI_S       := $(wildcard efi/*.S)
# What runs on the host as well: no privileged instruction, no device.
HOSTABLE_C  := $(PAGING) kernel/boot/memmap.c kernel/boot/boot_info.c kernel/arch/features.c kernel/arch/pcid.c \
               kernel/sync/lock.c kernel/sync/late_work.c \
               $(addprefix kernel/lib/,elf.c format.c printable.c utf8.c cmdline.c log.c panic.c chacha.c random.c radix.c hash.c interval.c \
               inflate.c inflate_code.c gzip.c) \
               $(wildcard kernel/mm/frame/*.c kernel/mm/heap/heap*.c) \
               $(addprefix kernel/mm/space/,tlb.c window.c window_tree.c mmio_window.c) $(wildcard kernel/mm/user/*.c) \
               $(wildcard kernel/fs/*.c) $(addprefix kernel/task/,load_average.c cpu_set.c fair_interrupt.c fair_move.c fair_queue.c rt_queue.c rt_share.c) \
               $(addprefix kernel/irq/,acpi.c acpi_tables.c acpi_sleep.c timer_queue.c) \
               $(addprefix kernel/dev/pci/,pci_function.c pci_scan.c) \
               kernel/dev/virtio/virtqueue.c $(addprefix kernel/dev/usb/,usb_descriptors.c hid_keys.c xhci_ring.c) \
               $(addprefix kernel/dev/,font.c framebuffer.c text_grid.c text_palette.c text_console.c text_mode.c \
               text_sequence.c vt_parser.c vt_pen.c vt_charset.c keymap.c keyboard_layout.c port_queue.c) \
               $(addprefix kernel/report/,packed_text.c symbol_table.c line_table.c walk_report.c left_out.c audit.c leaf_runs.c \
               map.c map_draw.c ranges.c peek.c print.c report_block.c hwreport_acpi.c) kernel/panic/trap_text.c \
               $(addprefix kernel/monitor/,line_editor.c monitor.c) \
               $(addprefix kernel/gdb/,gdb_packet.c gdb_registers.c gdb_commands.c gdb_query.c) \
               kernel/selftest/selftest.c efi/load_options.c

KERNEL_OBJS := $(KERNEL_C:%.c=build/kernel/%.o) $(KERNEL_S:%.S=build/kernel/%.o) build/kernel/font.o
EFI_OBJS    := $(EFI_C:%.c=build/efi/%.o) $(EFI_S:%.S=build/efi/%.o)
HOST_OBJS   := $(HOSTABLE_C:%.c=$(HOST)/%.o) $(HOST)/font.o

HOST_TESTS  := $(patsubst test/host/%.c,$(HOST)/%,$(wildcard test/host/test_*.c))

# ---- rules, one a flavour ---------------------------------------------------------------------

# Another compiler or DEBUG= means other objects; the host's have a compiler of their own.
build/flags: MADE_WITH = $(CC) DEBUG=$(DEBUG)
$(HOST)/flags: MADE_WITH = $(HOSTCC) DEBUG=$(DEBUG) $(HOST_CHECKS)
build/flags $(HOST)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(MADE_WITH)' | cmp -s - $@ || echo '$(MADE_WITH)' > $@

FORCE:

build/kernel/%.o: %.c Makefile build/flags
	$(call need,$(firstword $(CC)),$(firstword $(CC)))
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(KERNEL_CFLAGS) -c $< -o $@

build/kernel/%.o: %.S Makefile build/flags
	@mkdir -p $(@D)
	$(call say,AS,$<)
	$(Q)$(CC) $(KERNEL_CFLAGS) -c $< -o $@

build/efi/%.o: %.c Makefile build/flags
	$(call need_file,$(EFI_INCLUDE)/efi.h,gnu-efi)
	@mkdir -p $(@D)
	$(call say,CC,$< (efi))
	$(Q)$(CC) $(EFI_CFLAGS) -c $< -o $@

build/efi/%.o: %.S Makefile build/flags
	@mkdir -p $(@D)
	$(call say,AS,$< (efi))
	$(Q)$(CC) $(EFI_CFLAGS) -c $< -o $@

$(HOST)/%.o: %.c Makefile $(HOST)/flags
	@mkdir -p $(@D)
	$(call say,CC,$< (host))
	$(Q)$(HOSTCC) $(HOST_CFLAGS) -c $< -o $@

# The example that paging/README.md shows, for a test to compile and run.
$(HOST)/paging_readme.c: paging/README.md scripts/readme-example
	@mkdir -p $(@D)
	$(Q)scripts/readme-example $< > $@

$(HOST)/test/host/test_paging_readme.o: HOST_CFLAGS += -include $(HOST)/paging_readme.c
$(HOST)/test/host/test_paging_readme.o: $(HOST)/paging_readme.c

# The loader without what only firmware can do, with the firmware's types.
EFI_HOST := $(addprefix $(HOST)/efi/,memory.o acpi.o tables.o inputs.o options.o let_read.o sections.o measure.o)
EFI_TYPES := -DGNU_EFI_USE_MS_ABI -fshort-wchar -isystem $(EFI_INCLUDE) -isystem $(EFI_INCLUDE)/x86_64
EFI_TESTS := test_loader test_loader_inputs test_map_fixtures
$(EFI_HOST) $(EFI_TESTS:%=$(HOST)/test/host/%.o): HOST_CFLAGS += $(EFI_TYPES)
$(EFI_TESTS:%=$(HOST)/%): $(EFI_HOST)
$(EFI_HOST): | $(EFI_INCLUDE)/efi.h
$(EFI_INCLUDE)/efi.h:
	$(call need_file,$@,gnu-efi)

# Real machines' memory maps, all that are there (scripts/hwreport2fixture).
FIXTURES := $(wildcard test/host/fixtures/*.inc)
$(HOST)/fixtures.inc: $(FIXTURES) FORCE
	@mkdir -p $(@D)
	@printf '#include "%s"\n' $(FIXTURES) | cmp -s - $@ || printf '#include "%s"\n' $(FIXTURES) > $@

$(HOST)/test/host/test_map_fixtures.o: HOST_CFLAGS += -DFIXTURES='"$(HOST)/fixtures.inc"'
$(HOST)/test/host/test_map_fixtures.o: $(HOST)/fixtures.inc $(FIXTURES)

HOST_SUPPORT := $(patsubst %.c,$(HOST)/%.o,$(filter-out test/host/test_%,$(wildcard test/host/*.c)))

# Before anything that includes cmocka.h is compiled.
CMOCKA := printf '\#include <%s>\n' setjmp.h stdarg.h stddef.h stdint.h cmocka.h | $(HOSTCC) -fsyntax-only -xc -

$(HOST)/test/%.o: test/%.c Makefile $(HOST)/flags
	$(call need_words,cmocka.h,$(CMOCKA),libcmocka-dev)
	@mkdir -p $(@D)
	$(call say,CC,$< (host))
	$(Q)$(HOSTCC) $(HOST_CFLAGS) -c $< -o $@

# Of the code that the tests share each program gets what it calls: one with all of it takes three times as long to link.
# The list is a file of its own, so that the archive does not keep the object of a source that is gone.
$(HOST)/code.list: FORCE
	@mkdir -p $(@D)
	@echo '$(HOST_OBJS)' | cmp -s - $@ || echo '$(HOST_OBJS)' > $@

$(HOST)/code.a: $(HOST_OBJS) $(HOST)/code.list
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(HOST_OBJS)

$(HOST_TESTS): $(HOST)/%: $(HOST)/test/host/%.o $(HOST_SUPPORT) $(HOST)/code.a
	$(call say,LD,$@)
	$(Q)$(HOSTCC) $(HOST_CHECKS) $(filter %.o,$^) $(filter %.a,$^) $(HOST_WRAP) -lcmocka -pthread -o $@

# Files on a heap that can fail at the n-th call: the tests' own (test/host/fs_machine.c).
FS_TESTS := $(filter $(HOST)/test_fs_%,$(HOST_TESTS))
$(FS_TESTS): HOST_WRAP := -Wl,--wrap=kmalloc,--wrap=kzalloc,--wrap=kfree

# Futexes with the test's own scheduler and user memory.
FUTEX_CALLS := user_load_32 user_store_32 user_load_64 user_copy user_cmpxchg_u32 user_op_u32
$(HOST)/test_load: HOST_WRAP := -lm

$(HOST)/test_fs_epoll: $(addprefix $(HOST)/kernel/sys/,epoll.o epoll_exclusive.o epoll_nesting.o)
$(HOST)/test_futex: $(addprefix $(HOST)/kernel/sys/,futex.o futex_pi.o futex_robust.o)
$(HOST)/test_futex: HOST_WRAP := $(FUTEX_CALLS:%=-Wl,--wrap=%)

# The fuzzers' entry points with a driver that runs them over their corpus and damaged copies of it.
FUZZERS := $(patsubst test/fuzz/%.c,$(HOST)/%,$(wildcard test/fuzz/fuzz_*.c))

$(FUZZERS): $(HOST)/%: $(HOST)/test/fuzz/%.o $(HOST)/test/fuzz/standalone.o $(HOST_SUPPORT) $(HOST)/code.a
	$(call say,LD,$@)
	$(Q)$(HOSTCC) $(HOST_CHECKS) $^ -lcmocka -pthread -o $@

# ---- the kernel -------------------------------------------------------------------------------

FONT := /usr/share/consolefonts/Lat15-VGA16.psf.gz

$(FONT):
	$(call need_file,$@,console-setup-linux)

build/font.c: scripts/mkfont $(FONT)
	@mkdir -p $(@D)
	$(call say,FONT,$(notdir $(FONT)))
	$(Q)scripts/mkfont $(FONT) $@

$(HOST)/font.o: build/font.c $(HOST)/flags
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOST_CFLAGS) -c $< -o $@

# Code that programs map and call: an ELF file of its own, which the kernel has among its data (kernel/task/vdso.c).
# Values are computed where the source says: gcc would else compute them later, and need a register that has to be saved.
VDSO_CFLAGS := $(BASE) -O2 $(if $(findstring clang,$(CC)),,-fno-tree-sink) -fPIC -ffreestanding -fno-stack-protector \
               -fcf-protection=none -mgeneral-regs-only -fasynchronous-unwind-tables
VDSO_LD     := $(LD) -shared -Bsymbolic --hash-style=both --build-id=sha1 --eh-frame-hdr -soname linux-vdso.so.1 \
               -z max-page-size=4096 -z noexecstack -T vdso/vdso.ld

build/vdso.so: vdso/vdso.c vdso/vdso.ld kernel/arch/cpu_vdso.h kernel/irq/clock_page.h Makefile build/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(VDSO_CFLAGS) -c $< -o build/vdso.o
	$(Q)$(VDSO_LD) build/vdso.o -o $@
	$(Q)$(OBJCOPY) --strip-all $@

build/kernel/kernel/arch/vdso_image.o: build/vdso.so

build/kernel/font.o: build/font.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_CFLAGS) -c $< -o $@

build/kernel.lds: kernel/arch/kernel.ld paging/layout.h
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -x c -undef -D__LINKER__ -I. $< -o $@

KERNEL_LD := $(LD) -T build/kernel.lds -z max-page-size=4096 --build-id=none -static

# Linked twice: the second time with the symbols and lines of the first. They lie behind the text, which does not move.
build/symbols-none.S: scripts/mksymbols scripts/pairs.py
	@mkdir -p $(@D)
	$(Q)scripts/mksymbols /dev/null $@

build/lines-none.S: scripts/mklines scripts/pairs.py
	@mkdir -p $(@D)
	$(Q)scripts/mklines /dev/null $@

build/symbols-all.S: build/kernel-1.elf scripts/mksymbols scripts/pairs.py
	$(call say,SYMBOLS,$@)
	$(Q)nm -n build/kernel-1.elf > build/kernel-1.nm
	$(Q)scripts/mksymbols build/kernel-1.nm $@

build/lines-all.S: build/kernel-1.elf scripts/mklines scripts/pairs.py
	$(call say,LINES,$@)
	$(Q)scripts/mklines build/kernel-1.elf $@

TABLES_NONE := build/symbols-none.o build/lines-none.o
TABLES_ALL  := build/symbols-all.o build/lines-all.o

$(TABLES_NONE) $(TABLES_ALL): build/%.o: build/%.S
	$(Q)$(CC) $(KERNEL_CFLAGS) -c $< -o $@

build/kernel-1.elf: $(KERNEL_OBJS) $(TABLES_NONE) build/kernel.lds
	$(call say,LD,$@)
	$(Q)$(KERNEL_LD) $(KERNEL_OBJS) $(TABLES_NONE) -o $@

build/kernel.elf: build/kernel-1.elf $(TABLES_ALL)
	$(call say,LD,$@)
	$(Q)$(KERNEL_LD) $(KERNEL_OBJS) $(TABLES_ALL) -o $@
	$(Q)nm -n $@ | grep -i ' t ' | cmp - <(grep -i ' t ' build/kernel-1.nm)

# What boots: without the debugging information, which gdb reads from kernel.elf.
build/kernel.strip.elf: build/kernel.elf
	$(Q)$(OBJCOPY) --strip-all $< $@

# ---- user programs ----------------------------------------------------------------------------

# Ordinary static Linux programs, in three flavours: musl, glibc, and glibc's position-independent ones.
USER_FLAVOURS := musl glibc pie
USER_CFLAGS   := $(BASE) -O2
MUSL_GCC      := musl-gcc
user_cc_musl  := $(MUSL_GCC) -static
user_cc_glibc := gcc -static
user_cc_pie   := gcc -static-pie -fPIE

# Archives hold programs without symbols; gdb finds those of NAME.debug by the build-id.
user_link = $(Q)$(user_cc_$(1)) -Wl,--build-id $(2) -o $@.debug && $(OBJCOPY) --strip-all $@.debug $@

USER_TESTS   := aio apart areas attributes beside contents copies cores create elbow_room events files \
                foreign_memory fpu handles info jobs keys locked locks mappings memory mounts mqueues msgs \
                neighbour nodes notices old_calls openat2 permissions pi pidfds policies privileges proc \
                process programs ptys resume rights seccomp sems settings sharers shm signals sockets splices \
                spread stale threads time timers together tracing traffic transfers turns usage values vdso \
                watches
USER_ATTACKS := ranges instructions returns pointers full bomb fuzz refused storm stops
USER_SUPPORT := tap
USER_NODES   := dev/console=c:5:1 dev/null=c:1:3 dev/zero=c:1:5 tmp/

# What the test programs look for beside themselves.
USER_FILES   := test/.link=l:../init test/.loop=l:.loop test/.text=t:text \
                test/.damaged=test/user/damaged test/.short=test/user/short test/.pages=test/user/memory.c

# What Debian's own /bin/true needs, the benchmark's dynamic program.
DYNAMIC_NEEDS := lib64/ld-linux-x86-64.so.2 lib/x86_64-linux-gnu/libc.so.6

SCALE_C    := $(wildcard test/user/scale/*.c)
OPERATIONS := $(addprefix bench/,meter calls pages tasks streams events shell)

# The same with 4 MiB of constants and 4 MiB of data.
build/user/large: USER_CFLAGS += -DLOAD=4194304
build/user/tiny build/user/large: test/user/bench/tiny.c Makefile
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)gcc -static -nostdlib -s $(USER_CFLAGS) -fno-stack-protector $< -o $@

define user_flavour
.PRECIOUS: build/user/$(1)/%.o

build/user/$(1)/%.o: test/user/%.c Makefile
	$$(call need,$$(firstword $$(user_cc_$(1))),$(if $(filter musl,$(1)),musl-tools,gcc))
	@mkdir -p $$(@D)
	$$(call say,CC,$$< ($(1)))
	$$(Q)$$(user_cc_$(1)) $$(USER_CFLAGS) -c $$< -o $$@

build/user/$(1)/attack/%: build/user/$(1)/attack/%.o $$(USER_SUPPORT:%=build/user/$(1)/%.o) \
    $$(addprefix build/user/$(1)/attack/,victim.o calls.o)
	$$(call say,LD,$$@)
	$$(call user_link,$(1),$$^)

build/user/$(1)/attack/storm: build/user/$(1)/attack/storm_calls.o
build/user/$(1)/attack/stops: $$(addprefix build/user/$(1)/attack/,stops_cases.o stops_files.o stops_ipc.o stops_tasks.o)

build/user/attack-$(1).cpio: $$(addprefix build/user/$(1)/,runner $$(USER_ATTACKS:%=attack/%)) scripts/mkinitrd
	$$(call say,CPIO,$$@)
	$$(Q)scripts/mkinitrd -o $$@ init=build/user/$(1)/runner $$(USER_NODES) \
	    $$(foreach attack,$$(USER_ATTACKS),test/$$(attack)=build/user/$(1)/attack/$$(attack))

build/user/$(1)/demo build/user/$(1)/bench/bench: build/user/$(1)/%: $$(patsubst %,build/user/$(1)/%.o,% $$(OPERATIONS))
	$$(call say,LD,$$@)
	$$(call user_link,$(1),$$^ -pthread)

build/user/bench-$(1).cpio: build/user/$(1)/bench/bench build/user/tiny build/user/large scripts/mkinitrd
	$$(call say,CPIO,$$@)
	$$(Q)scripts/mkinitrd -o $$@ init=$$< tiny=build/user/tiny large=build/user/large bin/busybox=/bin/busybox bin/true=l:busybox \
	    dynamic=/bin/true $$(foreach file,$$(DYNAMIC_NEEDS),$$(file)=$$(realpath /$$(file))) $$(USER_NODES)

build/user/$(1)/scale/scale: $$(SCALE_C:test/user/%.c=build/user/$(1)/%.o)
	$$(call say,LD,$$@)
	$$(call user_link,$(1),$$^)

build/user/scale-$(1).cpio: build/user/$(1)/scale/scale build/user/tiny scripts/mkinitrd
	$$(call say,CPIO,$$@)
	$$(Q)scripts/mkinitrd -o $$@ init=$$< tiny=build/user/tiny $$(USER_NODES) dev/urandom=c:1:9

build/user/$(1)/smp/smp: build/user/$(1)/smp/smp.o
	$$(call say,LD,$$@)
	$$(call user_link,$(1),$$^ -pthread)

build/user/smp-$(1).cpio: build/user/$(1)/smp/smp scripts/mkinitrd
	$$(call say,CPIO,$$@)
	$$(Q)scripts/mkinitrd -o $$@ init=$$< $$(USER_NODES)

build/user/$(1)/%: build/user/$(1)/%.o $$(USER_SUPPORT:%=build/user/$(1)/%.o)
	$$(call say,LD,$$@)
	$$(call user_link,$(1),$$^ -pthread)

build/user/test-$(1).cpio: $$(addprefix build/user/$(1)/,runner $$(USER_TESTS)) scripts/mkinitrd
	$$(call say,CPIO,$$@)
	$$(Q)scripts/mkinitrd -o $$@ init=build/user/$(1)/runner $$(USER_NODES) $$(USER_FILES) \
	    $$(foreach test,$$(USER_TESTS),test/$$(test)=build/user/$(1)/$$(test))
endef

build/user/spin.cpio build/user/secrets.cpio build/user/session.cpio build/user/slow_line.cpio build/user/screen_work.cpio build/user/crowd.cpio: build/user/%.cpio: build/user/musl/% scripts/mkinitrd
	$(call say,CPIO,$@)
	$(Q)scripts/mkinitrd -o $@ init=$< $(USER_NODES)

# With its symbols, for gdb.
build/user/debuggee: test/user/debuggee.c Makefile
	$(call need,$(MUSL_GCC),musl-tools)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(MUSL_GCC) -static -g -O1 $(BASE) $< -o $@

build/user/debuggee.cpio: build/user/debuggee scripts/mkinitrd
	$(call say,CPIO,$@)
	$(Q)scripts/mkinitrd -o $@ init=$< $(USER_NODES)

$(foreach flavour,$(USER_FLAVOURS),$(eval $(call user_flavour,$(flavour))))

# ---- the loader and the boot file -------------------------------------------------------------

EFI_LDFLAGS := -nostdlib -shared -Bsymbolic -znocombreloc -znoexecstack --build-id=none -e loader_entry \
        -T /usr/lib/elf_x86_64_efi.lds

build/loader.so: $(EFI_OBJS)
	$(call say,LD,$@)
	$(Q)$(LD) $(EFI_LDFLAGS) /usr/lib/crt0-efi-x86_64.o $(EFI_OBJS) -o $@ \
	    --no-undefined -L/usr/lib -l:libgnuefi.a

build/loader.efi: build/loader.so scripts/bundle scripts/pe.py efi/sbat.csv
	$(call say,OBJCOPY,$@)
	$(Q)$(OBJCOPY) -j .text -j .data -j .dynamic -j .rela -j .rela.plt -j .dynsym -j .dynstr -j .reloc \
	    --target efi-app-x86_64 --subsystem=10 $< build/loader.tmp
	$(Q)scripts/bundle --no-check --stub build/loader.tmp --sbat efi/sbat.csv -o $@

# Where the firmware ends, for the tests' saved machines (test/qemu/saved.py).
build/gate.so: build/efi/test/qemu/gate.o build/efi/kernel/lib/string.o
	$(call say,LD,$@)
	$(Q)$(LD) $(EFI_LDFLAGS:loader_entry=_start) /usr/lib/crt0-efi-x86_64.o $^ -o $@ --no-undefined -L/usr/lib -l:libgnuefi.a

# What a bad firmware does to the loader (test/qemu/test_hostile.py).
build/hostile.so: build/efi/test/qemu/hostile.o
	$(call say,LD,$@)
	$(Q)$(LD) $(EFI_LDFLAGS:loader_entry=_start) /usr/lib/crt0-efi-x86_64.o $^ -o $@ --no-undefined -L/usr/lib \
	    -l:libefi.a -l:libgnuefi.a

build/gate.efi build/hostile.efi: build/%.efi: build/%.so
	$(call say,OBJCOPY,$@)
	$(Q)$(OBJCOPY) -j .text -j .data -j .dynamic -j .rela -j .rela.plt -j .dynsym -j .dynstr -j .reloc \
	    --target efi-app-x86_64 --subsystem=10 $< $@

# The default initial file system: Debian's busybox under all its names, initrd/ with what starts it, our own
# demonstration, and what a user may want to read on the machine itself.
build/busybox: scripts/busybox
	$(call say,BUSYBOX,$@)
	$(Q)scripts/busybox $@

INITRD_FILES := $(shell find initrd -type f)
INITRD_WORDS := initrd bin/busybox=build/busybox bin/demo=build/user/musl/demo \
                README.md=README.md README.userland=docs/userland.md LICENSE=LICENSE \
                proc/ sys/ root/ tmp/ var/ $(USER_NODES)

build/initrd.cpio: build/busybox build/user/musl/demo $(INITRD_FILES) README.md docs/userland.md LICENSE scripts/mkinitrd
	$(call say,CPIO,$@)
	$(Q)scripts/mkinitrd --time 0 -o $@ $$(build/busybox --list-full | grep -vx 'bin/busybox' | sed 's,$$,=l:/bin/busybox,') \
	    $(INITRD_WORDS)

# The last one leads, where the two differ: what fits a serial line's terminal fits the screen, too.
DEFAULT_CMDLINE := console=tty0 console=ttyS0

# What uname(2) says, for boot menus.
RELEASE := $(shell sed -n 's/.*\.release = "\(.*\)",/\1/p' kernel/sys/sys_info.c)

# A Debian 12 tree, made once: `make debian` boots it.
build/debian.cpio: scripts/debian
	$(call need,mmdebstrap,mmdebstrap)
	$(call say,DEBIAN,$@)
	$(Q)scripts/debian $@

build/BOOTX64.EFI: build/loader.efi build/kernel.strip.elf build/initrd.cpio efi/os-release scripts/bundle scripts/pe.py
	$(call say,BUNDLE,$@)
	$(Q)scripts/bundle --stub build/loader.efi --kernel build/kernel.strip.elf --initrd build/initrd.cpio \
	    --cmdline '$(DEFAULT_CMDLINE)' --uname '$(RELEASE)' -o $@

build/ankeos.img: build/BOOTX64.EFI scripts/mkimage
	$(call say,IMAGE,$@)
	$(Q)scripts/mkimage $< $@

# ---- tests, checks, measurements --------------------------------------------------------------

BENCHES := $(patsubst test/bench/%.c,build/bench/%,$(wildcard test/bench/*.c))

BENCHED_C := $(PAGING) kernel/boot/memmap.c $(addprefix kernel/lib/,format.c printable.c utf8.c log.c panic.c) \
             $(wildcard kernel/mm/frame/*.c kernel/mm/heap/heap*.c kernel/mm/space/window*.c)

build/bench/%: test/bench/%.c $(BENCHED_C) $(HOST)/flags
	@mkdir -p $(@D)
	$(call say,BENCH,$@)
	$(Q)$(HOSTCC) $(BENCH_CFLAGS) $< $(BENCHED_C) -o $@ -ldl -pthread

# Sparse knows neither vector types nor 16-bit wide strings.
SPARSE_C     := $(filter-out paging/entries.c efi/options.c,$(KERNEL_C) $(filter efi/%,$(EFI_C)))
SPARSE_FLAGS := -std=gnu17 -I. -m64 -DDEBUG=0 -DGNU_EFI_USE_MS_ABI -Wno-decl \
                -isystem $(EFI_INCLUDE) -isystem $(EFI_INCLUDE)/x86_64

CPPCHECK_C := $(KERNEL_C) $(filter efi/%,$(EFI_C)) vdso/vdso.c
C_FILES := $(shell find efi kernel paging vdso test -name '*.[ch]')

# Not below build/debian*: a tree of Debian has directories and files of such names.
-include $(shell find build -path "build/debian*" -prune -o -type f -name "*.d" -print 2>/dev/null)

PYTEST = $(call need_words,pytest,$(PYTHON) -c "import pytest; import pexpect; import xdist",python3-pytest \
         python3-pytest-xdist python3-pexpect)$(Q)$(PYTHON) -m pytest -q
NEED_QEMU = $(call need,qemu-system-x86_64,qemu-system-x86)$(call need_file,$(FIRMWARE),ovmf)
FIRMWARE := /usr/share/ovmf/OVMF.fd

# ---- targets ----------------------------------------------------------------------------------

.PHONY: all qemu qemu-nox debian qemu-gdb gdb test test-host host-programs threaded-tests coverage test-qemu test-machines user test-user-linux \
        test-user-slow test-qemu-slow test-slow lint bench bench-boot bench-linux bench-scale bench-smp map image bundle clean help

all: build/BOOTX64.EFI ## build/BOOTX64.EFI, the one file that boots

qemu: all ## boot it in QEMU; a window when there is a display, serial on the terminal
	$(Q)scripts/qemu window

qemu-nox: all ## the same, never a window
	$(Q)scripts/qemu nox

debian: all build/debian.cpio ## boot a Debian 12 tree to its login; CMDLINE="console=ttyS0 init=/bin/bash" for a shell alone
	$(Q)INITRD=build/debian.cpio MEM="$${MEM:-2G}" CMDLINE="$${CMDLINE:-$(DEFAULT_CMDLINE) init=/sbin/init}" \
	    scripts/qemu window

qemu-gdb: all ## boot it for `make gdb`, which stops at the first instruction of STOP=efi|kernel|none
	$(Q)scripts/qemu gdb

gdb: ## attach gdb to `make qemu-gdb`
	$(Q)scripts/gdb/attach

test: lint test-host test-qemu ## all tests and checks

# How many of a target's steps run at once, unless make was called with a -j of its own.
TEST_JOBS ?= 2
PARALLEL = --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(TEST_JOBS) --output-sync=target)

test-host: ## the parts that run on the host, under ASan and UBSan
	$(Q)$(MAKE) $(PARALLEL) host-programs threaded-tests
	$(PYTEST) -n $(TEST_JOBS) test/scripts

# The longest first, so that none runs alone at the end.
HOST_RUNS := $(HOST)/test_tlb_cpus.run $(HOST)/test_paging_random.run $(HOST)/test_tlb_random.run
HOST_RUNS += $(filter-out $(HOST_RUNS),$(HOST_TESTS:%=%.run)) $(FUZZERS:%=%.run)

host-programs: $(HOST_RUNS)

.PHONY: $(HOST_RUNS)

$(HOST_TESTS:%=%.run): %.run: %
	$(Q)$<

$(FUZZERS:%=%.run): $(HOST)/fuzz_%.run: $(HOST)/fuzz_%
	$(Q)$< test/fuzz/corpus/$*

# The tests that run threads: these also run under ThreadSanitizer, which finds races that a run did not suffer from. Code and
# tests are compiled once more for it, since it and the address sanitizer exclude each other.
THREADED_TESTS := test_frame_random test_heap_threads test_lock

threaded-tests:
	$(Q)$(MAKE) --no-print-directory HOST=build/threads HOST_CHECKS=-fsanitize=thread $(THREADED_TESTS:%=build/threads/%.run)

# Counts that an earlier run left would be added to. Atomic ones, because tests run threads. A third of the random
# operations reaches the same lines.
coverage: ## lines that the host tests reach, into build/coverage.html; fails below 95 %
	$(Q)mkdir -p build/coverage && find build/coverage -name '*.gcda' -delete
	$(Q)$(MAKE) --no-print-directory HOST=build/coverage HOSTCC=gcc HOST_CHECKS='--coverage -fprofile-update=atomic' \
	    PAGING_OPERATIONS=1000000 TLB_OPERATIONS=1000000 host-programs
	$(Q)gcovr -r . --object-directory build/coverage $(HOSTABLE_C:%=-f '%$$') \
	    --txt --html-details build/coverage.html --print-summary --fail-under-line 95 build/coverage

USER_ARCHIVES := $(USER_FLAVOURS:%=build/user/test-%.cpio) \
                 $(addprefix build/user/,attack-musl.cpio bench-musl.cpio scale-musl.cpio spin.cpio secrets.cpio session.cpio slow_line.cpio screen_work.cpio crowd.cpio debuggee.cpio)

user: $(USER_ARCHIVES) build/gate.efi build/hostile.efi build/count_plugin.so ## archives of the user programs in build/user/, to boot with INITRD=; what test/qemu needs

test-user-linux: $(USER_ARCHIVES) ## the user programs on Debian's Linux: a test that fails there is wrong
	$(PYTEST) test/user

test-user-slow test-qemu-slow: export ANKEOS_SLOW := 1
test-user-slow: export ANKEOS_FUZZ := 1000000
test-user-slow: export ANKEOS_STORM := 120
test-user-slow: export ANKEOS_STOPS := 5
test-user-slow: export ANKEOS_CROWD := 100000
test-user-slow: export ANKEOS_PYTHON := 1
test-user-slow: all image user ## a million random system calls, two minutes of them by eight threads at once, and the rest of test/qemu that takes long
	$(NEED_QEMU)
	$(PYTEST) test/qemu/test_user.py test/qemu/test_debug_build.py test/qemu/test_limits.py test/qemu/test_debian_work.py \
	    -k 'fuzz or storm or stops or neighbour or nothing_lost or crowd or python'

test-qemu-slow: all image user ## the tests of test/qemu with the mark `slow`: the same as others, on more machines
	$(NEED_QEMU)
	$(PYTEST) -n $(TEST_JOBS) --dist loadgroup test/qemu -m slow -k 'not (storm or neighbour or nothing_lost)'

# The random host tests with thirty times their operations; each run has another seed.
test-slow: test-user-slow test-qemu-slow $(HOST)/test_paging_random $(HOST)/test_tlb_random ## what `make test` has no time for
	$(Q)PAGING_OPERATIONS=100000000 $(HOST)/test_paging_random
	$(Q)TLB_OPERATIONS=100000000 $(HOST)/test_tlb_random

test-qemu: ## boot it in QEMU and look at it from outside
	$(NEED_QEMU)
	$(Q)$(MAKE) $(PARALLEL) all image user
	$(PYTEST) -n $(TEST_JOBS) --dist loadgroup test/qemu

test-machines: ## every row of the matrix of machines, in test/machines; goes on where it was interrupted
	$(NEED_QEMU)
	$(Q)$(MAKE) $(PARALLEL) all image
	$(Q)test/machines/run

lint: ## style, static analysis, layers, and the boot file itself
	$(call need,clang-format,clang-format)$(call need,cppcheck,cppcheck)
	$(call need,sparse,sparse)$(call need,shellcheck,shellcheck)
	$(Q)$(MAKE) $(PARALLEL) all
	$(Q)$(MAKE) $(PARALLEL) $(LINT_STEPS)

# The longest first, so that none runs alone at the end. With another compiler stacks have other depths.
LINT_SCRIPTS := layers $(if $(findstring clang,$(CC))$(filter 1,$(DEBUG)),,stack) docs comments lists guards times counts
LINT_STEPS   := $(addprefix lint-,cppcheck layers cppcheck-host format sparse) $(LINT_SCRIPTS:%=lint-%) lint-shell lint-pe

.PHONY: $(LINT_STEPS)

# Each file as it is built, for the kernel with DEBUG and without, and for the host. What only the assembler, the linker
# script or sparse sees would be looked at three times more.
CPPCHECK := cppcheck -q --std=c11 --error-exitcode=1 --inline-suppr -I. --suppress=missingIncludeSystem

lint-cppcheck:
	$(Q)$(CPPCHECK) $(addprefix -U,HOST_TEST __ASSEMBLER__ __LINKER__ __CHECKER__) $(CPPCHECK_C)

lint-cppcheck-host:
	$(Q)$(CPPCHECK) -DHOST_TEST $(HOSTABLE_C)

lint-sparse:
	$(Q)printf '%s\n' $(SPARSE_C) | xargs -n 1 sparse $(SPARSE_FLAGS) -Wsparse-error

lint-format:
	$(Q)clang-format --dry-run -Werror $(C_FILES)

lint-shell:
	$(Q)shellcheck scripts/setup scripts/qemu scripts/gdb/attach scripts/mkimage scripts/run-linux scripts/busybox scripts/debian initrd/init initrd/bin/map .ci/run

lint-pe:
	$(Q)scripts/check-pe build/loader.efi build/BOOTX64.EFI

$(LINT_SCRIPTS:%=lint-%): lint-%:
	$(Q)scripts/check-$*

bench: $(BENCHES) ## page tables, frames and heap on the host, beside their peers
	$(Q)set -e; for b in $(BENCHES); do $$b; done

bench-boot: all build/user/spin.cpio build/count_plugin.so ## guest instructions of each phase of the boot, and up to the first program, there on Debian's Linux, too
	$(Q)scripts/bench-boot

bench-linux: all build/user/bench-musl.cpio ## system calls here and on Debian's Linux, in guest instructions
	$(Q)scripts/bench-linux

bench-scale: all build/user/scale-musl.cpio ## what one more costs where N are there, here and on Debian's Linux: docs/scale.svg
	$(Q)scripts/bench-scale

bench-smp: all build/user/smp-musl.cpio build/count_plugin.so ## what 1, 2 and 4 CPUs execute for an operation, here and on Debian's Linux
	$(Q)scripts/bench-smp

build/count_plugin.so: test/qemu/count_plugin.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)gcc -O2 -Wall -Wextra -shared -fPIC $< -o $@

map: all build/gate.efi build/user/spin.cpio ## pictures of the live memory map and of the boot: build/map.svg, build/boot.svg
	$(Q)scripts/draw-map

image: build/ankeos.img ## build/ankeos.img, to write to a USB stick

bundle: build/loader.efi build/kernel.strip.elf ## another boot file: INITRD=… CMDLINE=… OUT=…
	$(Q)test -n "$(OUT)" || { echo "bundle: OUT= names no file" >&2; exit 1; }
	$(Q)scripts/bundle --stub build/loader.efi --kernel build/kernel.strip.elf --uname '$(RELEASE)' \
	    $(if $(INITRD),--initrd "$(INITRD)") $(if $(CMDLINE),--cmdline "$(CMDLINE)") -o "$(OUT)"

clean: ## remove build/
	$(Q)rm -rf build

help: ## this list
	@echo 'make TARGET... [MEM= CPU= SMP= MACHINE= CMDLINE= INITRD= QEMU_EXTRA= STOP=] [CC=clang] [DEBUG=1] [TEST_JOBS=2] [V=1]'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18
