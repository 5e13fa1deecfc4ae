/*
 * The loader: from the firmware's call to the kernel's first instruction.
 * Before ExitBootServices() every failure is reported in one line; then the loader frees all that it has allocated and
 * returns to the firmware, which has not been changed. The firmware's watchdog is never touched: ExitBootServices()
 * ends it (UEFI 2.10, "SetWatchdogTimer()"), and if a loader set it again after a failure, it would reset the machine
 * five minutes later. When ExitBootServices() itself keeps failing, part of the firmware may have been shut down, so
 * the machine halts. Once that call has succeeded nothing can fail any more.
 */
#include "efi/loader.h"
#include "efi/trampoline.h"
#include "kernel/lib/string.h"
#include "paging/layout.h"
#include "paging/pte.h"

#define TABLE_PAGES 96 /* enough for most machines; loader_tables_bound() decides */
/* 1,365 descriptors of 48 bytes; the size grows when the firmware asks for more */
#define FIRMWARE_MAP_SIZE (64 * 1024)
#define MEMMAP_EXTRA      64 /* the most ranges that the loader adds to the firmware's: image, tables, ... */
#define EXIT_TRIES        64
/* Bits of CPUID 0x80000001 EDX (Intel SDM vol. 2A, "CPUID"). */
#define CPUID_SYSCALL (1u << 11)
#define CPUID_NX      (1u << 20)
#define CPUID_1G      (1u << 26)

extern uint64_t loader_entry_tsc __attribute__((visibility("hidden")));
EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system);

/* Where the parts of the handoff lie in the arena; take_arena() places them. */
struct handoff {
	struct boot_info *info;
	char *cmdline;
	struct mem_range *ranges;
	void *firmware_map;
	struct jump *jump;
	uint64_t *pml5;
};

/* Sizes that may have to grow when the firmware's map has been seen. */
struct sizes {
	uint64_t table_pages;
	uint64_t firmware_map;
};

static uint64_t pages_for(uint64_t bytes)
{
	return align_up(bytes, PAGE_SIZE) / PAGE_SIZE;
}

static uint64_t ranges_for(const struct sizes *sizes)
{
	return 2 * (sizes->firmware_map / sizeof(EFI_MEMORY_DESCRIPTOR)) + MEMMAP_EXTRA;
}

/*
 * Allocate `count` pages in a row, all of them at addresses of at most `last`, and set *ret_pages to `count`. On error,
 * which has been reported, *ret_pages is 0.
 */
static EFI_STATUS take_pages(struct loader *l, uint64_t count, uint64_t last, paddr_t *ret_start, uint64_t *ret_pages)
{
	EFI_PHYSICAL_ADDRESS start = last;
	EFI_STATUS status = FIRMWARE(l, l->boot->AllocatePages(AllocateMaxAddress, EfiLoaderData, count, &start));

	*ret_pages = EFI_ERROR(status) ? 0 : count;
	*ret_start = paddr(start);
	if (EFI_ERROR(status))
		return loader_fail(l, EFI_OUT_OF_RESOURCES, "no memory: %llu pages in a row below 0x%llx",
				   (unsigned long long)count, (unsigned long long)last + 1);
	return EFI_SUCCESS;
}

static void give_back(struct loader *l, paddr_t start, uint64_t *pages)
{
	if (*pages)
		FIRMWARE(l, l->boot->FreePages(start.raw, *pages));
	*pages = 0;
}

static void give_arena_back(struct loader *l)
{
	struct arena *a = &l->arena;

	give_back(l, a->handoff, &a->handoff_pages);
	give_back(l, a->image, &a->image_pages);
	give_back(l, a->low, &a->low_pages);
}

/*
 * Have a block of `count` pages at least, as take_pages() does. A block that is large enough is kept: debug builds of
 * EDK II write to each byte of a page that is freed.
 */
static EFI_STATUS have_pages(struct loader *l, uint64_t count, uint64_t last, paddr_t *start, uint64_t *pages)
{
	if (*pages >= count)
		return EFI_SUCCESS;
	give_back(l, *start, pages);
	return take_pages(l, count, last, start, pages);
}

/*
 * Allocate the blocks of the arena; those that have become too small are given back first. On error, which has been
 * reported, none is allocated.
 */
static EFI_STATUS take_arena(struct loader *l, const struct sizes *sizes, struct handoff *handoff)
{
	struct arena *a = &l->arena;
	uint64_t cmdline_size, info_pages, range_pages, before_pml5;
	uint8_t *at;
	EFI_STATUS status;

	loader_cmdline(l, &cmdline_size);
	info_pages = pages_for(sizeof(struct boot_info) + sizeof(struct jump) + cmdline_size + 1);
	range_pages = pages_for(ranges_for(sizes) * sizeof(struct mem_range));
	before_pml5 = info_pages + range_pages + pages_for(sizes->firmware_map);
	a->table_pages = sizes->table_pages;
	status = have_pages(l, 1 + a->table_pages, 0xffffffff, &a->low, &a->low_pages);
	if (!EFI_ERROR(status))
		status = have_pages(l, loader_image_pages(l), HHDM_SIZE - 1, &a->image, &a->image_pages);
	/* The last page is the root for 5-level paging, in case the firmware has that on. */
	if (!EFI_ERROR(status))
		status = have_pages(l, before_pml5 + 1, HHDM_SIZE - 1, &a->handoff, &a->handoff_pages);
	if (EFI_ERROR(status)) {
		give_arena_back(l);
		return status;
	}
	at = (uint8_t *)a->handoff.raw;
	handoff->info = (struct boot_info *)at;
	handoff->jump = (struct jump *)(at + sizeof(struct boot_info));
	handoff->cmdline = (char *)(handoff->jump + 1);
	handoff->ranges = (struct mem_range *)(at + info_pages * PAGE_SIZE);
	handoff->firmware_map = at + (info_pages + range_pages) * PAGE_SIZE;
	handoff->pml5 = (uint64_t *)(at + before_pml5 * PAGE_SIZE);
	return EFI_SUCCESS;
}

/* Copy the image and the command line into the arena. Neither depends on the memory map. */
static void fill_arena(struct loader *l, struct handoff *handoff)
{
	uint64_t size;
	const char *text = loader_cmdline(l, &size);

	loader_place_kernel(l);
	memcpy(handoff->cmdline, text, size);
	handoff->cmdline[size] = '\0';
	l->info.cmdline = paddr((uintptr_t)handoff->cmdline);
	l->info.cmdline_size = size;
}

/*
 * Make the sanitised map and the page tables from the firmware's map. Returns EFI_BUFFER_TOO_SMALL, without a message,
 * when sizes->table_pages has grown and a larger arena is needed. Other errors have been reported.
 */
static EFI_STATUS build_from_map(struct loader *l, const struct firmware_map *firmware, struct memmap *map,
				 struct sizes *sizes, paddr_t *ret_root)
{
	enum status status = loader_build_memmap(l, firmware, map);

	if (status == ERR_NOT_FOUND)
		return loader_fail(l, loader_status(status),
				   "memory map: its %llu bytes leave no RAM to run in, or not the loader's own",
				   (unsigned long long)firmware->size);
	if (status != OK)
		return loader_fail(l, loader_status(status), "memory map: more than %zu ranges from %llu bytes",
				   map->capacity, (unsigned long long)firmware->size);
	/* With 1 GiB pages the arena nearly always has enough table pages, so trying costs less than counting first. */
	status = l->huge_pages ? loader_build_tables(l, map, ret_root) : ERR_NO_MEMORY;
	if (status == ERR_NO_MEMORY) {
		uint64_t tables = loader_tables_bound(l, map);

		if (tables > sizes->table_pages) {
			sizes->table_pages = tables + 8; /* 8 to spare: the next try's memory map differs a little */
			return EFI_BUFFER_TOO_SMALL;
		}
		status = loader_build_tables(l, map, ret_root);
	}
	if (status != OK)
		return loader_fail(l, loader_status(status), "page tables: status %d with %llu pages for tables",
				   status, (unsigned long long)sizes->table_pages);
	return EFI_SUCCESS;
}

/*
 * Estimate from the firmware's map how many table pages all free RAM needs without 1 GiB pages: one table for each GiB.
 * Where the default of TABLE_PAGES is too small, the estimate spares building everything a second time.
 */
static uint64_t tables_guess(const struct loader *l, const struct firmware_map *firmware)
{
	const uint64_t most = 1ULL << l->physical_bits;
	uint64_t pages = 0;

	for (uint64_t at = 0; firmware->size - at >= firmware->descriptor_size; at += firmware->descriptor_size) {
		const EFI_MEMORY_DESCRIPTOR *d = (const void *)((const uint8_t *)firmware->descriptors + at);

		if (d->Type == EfiConventionalMemory && d->PhysicalStart < most && d->PhysicalStart < HHDM_SIZE &&
		    d->NumberOfPages <= HHDM_SIZE / PAGE_SIZE)
			pages += d->NumberOfPages;
	}
	return TABLE_PAGES + pages / (PAGE_SIZE_1G / PAGE_SIZE);
}

/*
 * Read the firmware's map and build everything from it. Returns EFI_BUFFER_TOO_SMALL, without a message, when `sizes`
 * has grown and a larger arena is needed. Other errors have been reported.
 */
static EFI_STATUS build(struct loader *l, struct handoff *handoff, struct sizes *sizes, UINTN *ret_key,
			paddr_t *ret_root)
{
	struct firmware_map firmware = { .descriptors = handoff->firmware_map, .capacity = sizes->firmware_map };
	struct memmap map = { .ranges = handoff->ranges, .capacity = ranges_for(sizes) };
	uint64_t tsc, ticks, flags;
	EFI_STATUS status;

	status = loader_read_memory_map(l, &firmware);
	if (status == EFI_BUFFER_TOO_SMALL) {
		/*
		 * The new arena itself may add entries to the map, and some firmware's map grows at each call. If a
		 * quarter more is not enough, the next try asks for more. Room for twice as much at once might not be
		 * had: where free memory is in fragments, none may be that long.
		 */
		sizes->firmware_map = firmware.size + firmware.size / 4;
		return status;
	}
	if (EFI_ERROR(status))
		return loader_fail(l, status, "GetMemoryMap() failed: 0x%llx", (unsigned long long)status);
	if (!l->huge_pages) {
		uint64_t guess = tables_guess(l, &firmware);

		/* A guess a little above the default needs no new arena: the default has pages to spare. */
		if (guess > sizes->table_pages + 16) {
			sizes->table_pages = guess;
			return EFI_BUFFER_TOO_SMALL;
		}
	}
	tsc = cpu_rdtsc();
	ticks = l->firmware_ticks;

	/* No part of the firmware may run, and change its map, while the tables are built from it. */
	flags = cpu_read_flags();
	cpu_interrupts_off();
	status = build_from_map(l, &firmware, &map, sizes, ret_root);
	l->info.memmap = paddr((uintptr_t)map.ranges);
	l->info.memmap_count = map.count;
	l->info.efi_map = paddr((uintptr_t)firmware.descriptors);
	l->info.efi_map_size = firmware.size;
	l->info.efi_descriptor_size = firmware.descriptor_size;
	*ret_key = firmware.key;
	if (!EFI_ERROR(status)) {
		/*
		 * The stamp was taken before the build, but is stored only now that the build has succeeded: the time
		 * of a failed try belongs to the phase that ends at STAMP_MEMORY.
		 */
		l->info.tsc[STAMP_MEMORY] = tsc;
		l->info.firmware_tsc[STAMP_MEMORY] = ticks;
		l->firmware_ticks -= ticks;
		loader_stamp(l, STAMP_TABLES);
	}
	/*
	 * Turn interrupts on only if they were on: U-Boot has them off, and its IDT cannot be used in long mode. If
	 * they were on, a timer interrupt that is pending is handled now; its time is counted as the firmware's.
	 */
	if (flags & RFLAGS_IF)
		(void)FIRMWARE(l, (cpu_interrupts_on(), EFI_SUCCESS));
	return status;
}

/*
 * Build everything and leave the firmware (UEFI 2.10, "EFI_BOOT_SERVICES.ExitBootServices()"). The call fails when the
 * memory map has changed since the key was read, and after the first try only memory services may be called. So each
 * try reads the map again and builds anew all that depends on it, and a failure after the first try is reported on the
 * serial port only.
 */
static EFI_STATUS build_and_exit(struct loader *l, struct handoff *handoff, struct sizes *sizes, paddr_t *ret_root)
{
	EFI_STATUS status = EFI_SUCCESS;
	UINTN key = 0;

	for (int tries = 0; tries < EXIT_TRIES; tries++) {
		status = build(l, handoff, sizes, &key, ret_root);
		if (status == EFI_BUFFER_TOO_SMALL) {
			status = take_arena(l, sizes, handoff);
			if (EFI_ERROR(status))
				return status;
			fill_arena(l, handoff);
			status = EFI_BUFFER_TOO_SMALL;
			continue;
		}
		if (EFI_ERROR(status))
			return status;
		l->exiting = true;
		status = FIRMWARE(l, l->boot->ExitBootServices(l->handle, key));
		if (!EFI_ERROR(status))
			return EFI_SUCCESS;
	}
	return loader_fail(l, status, "no stable memory map in %d tries: 0x%llx", EXIT_TRIES,
			   (unsigned long long)status);
}

/*
 * Enter the kernel. Call after boot services have ended. The firmware's tables, still loaded, map the loader and the
 * arena at their physical addresses.
 */
__attribute__((noreturn)) static void enter_kernel(struct loader *l, struct handoff *handoff, paddr_t root)
{
	uint64_t cr4 = cpu_read_cr4();

	cpu_interrupts_off();
	loader_stamp(l, STAMP_EXIT);
	loader_stage(l, STAGE_LEFT);
	if (l->la57)
		l->info.flags |= BOOT_LA57_DROPPED;
	*handoff->info = l->info;
	*handoff->jump = (struct jump){ .root = root,
					.entry = l->elf.entry,
					.stack = l->note.stack_top,
					.info = HHDM_BASE + (uintptr_t)handoff->info };

	loader_stage(l, STAGE_JUMP);

	/*
	 * Keep only these bits of CR4, and clear all others, which the firmware may have set. For example, CET would
	 * use a shadow stack that the new tables do not map.
	 */
	cpu_write_cr4(cr4 & (CR4_PAE | CR4_LA57 | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT));
	cpu_write_msr(MSR_EFER, cpu_read_msr(MSR_EFER) | EFER_NXE);
	cpu_write_cr0(cpu_read_cr0() | CR0_WP);
	if (!l->la57)
		trampoline_jump(handoff->jump);

	memset(handoff->pml5, 0, PAGE_SIZE);
	handoff->pml5[0] = pte_table(root, false).raw;
	trampoline_jump_la57(handoff->jump, (void *)l->arena.low.raw, paddr((uintptr_t)handoff->pml5));
}

/*
 * Halt the machine after a failed ExitBootServices() (UEFI 2.10), which may have shut down part of the firmware:
 * whatever called the loader could not run any more. The error has been reported. A reset would erase the message, and
 * the next boot would fail in the same way.
 */
__attribute__((noreturn)) static void halt(struct loader *l)
{
	(void)loader_fail(l, EFI_ABORTED, "halted: boot services have ended in part; turn the machine off");
	cpu_interrupts_off();
	for (;;)
		cpu_halt();
}

/* Check that the CPU has NX and SYSCALL: the kernel needs both, and a few 64-bit CPUs lack one or hide it. */
static EFI_STATUS check_cpu(struct loader *l)
{
	uint32_t features = cpu_cpuid(0x80000001, 0).edx;

	if (!(features & CPUID_NX))
		return loader_fail(l, EFI_UNSUPPORTED,
				   "this CPU has no NX, or its setup turns it off: CPUID 0x80000001 EDX 0x%x",
				   features);
	if (!(features & CPUID_SYSCALL))
		return loader_fail(l, EFI_UNSUPPORTED,
				   "this CPU has no SYSCALL, which programs need: CPUID 0x80000001 EDX 0x%x", features);
	return EFI_SUCCESS;
}

static EFI_STATUS prepare(struct loader *l)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_STATUS status = check_cpu(l);

	if (EFI_ERROR(status))
		return status;
	status = FIRMWARE(l, l->boot->HandleProtocol(l->handle, &guid, (void **)&l->image));
	if (EFI_ERROR(status))
		return loader_fail(l, status, "no loaded-image protocol on our own handle: 0x%llx",
				   (unsigned long long)status);
	status = loader_read_options(l);
	if (!EFI_ERROR(status))
		status = loader_find_sections(l);
	if (!EFI_ERROR(status))
		status = loader_read_cmdline(l);
	if (!EFI_ERROR(status))
		status = loader_parse_kernel(l);
	if (EFI_ERROR(status))
		return status;
	if (!is_aligned((uintptr_t)l->initrd.data, PAGE_SIZE))
		return loader_fail(l, EFI_LOAD_ERROR, "section .initrd is not page-aligned: %p", l->initrd.data);
	l->info.initrd = paddr((uintptr_t)l->initrd.data);
	l->info.initrd_size = l->initrd.size;
	status = loader_read_initrd(l);
	if (EFI_ERROR(status))
		return status;
	loader_measure(l);
	loader_read_inputs(l);
	loader_stage_screen(l);
	loader_stage(l, STAGE_LOADER);
	return EFI_SUCCESS;
}

/*
 * Return the width of physical addresses. CPUs older than the CPUID leaf have 36 bits; page-table entries have room for
 * 52 at most, so RAM beyond that cannot be reached.
 */
static uint8_t physical_bits(void)
{
	uint32_t bits = cpu_cpuid(0x80000000, 0).eax >= 0x80000008 ? cpu_cpuid(0x80000008, 0).eax & 255 : 36;

	return (uint8_t)(bits < 52 ? bits : 52);
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system)
{
	struct loader l = { .handle = handle, .system = system, .boot = system->BootServices };
	struct sizes sizes = { TABLE_PAGES, FIRMWARE_MAP_SIZE };
	struct handoff handoff;
	paddr_t root;
	EFI_STATUS status;

	l.info.magic = BOOT_INFO_MAGIC;
	l.info.version = BOOT_INFO_VERSION;
	l.info.size = sizeof(l.info);
	l.info.hhdm = HHDM_BASE;
	l.info.tsc[STAMP_ENTRY] = loader_entry_tsc;
	l.huge_pages = cpu_cpuid(0x80000001, 0).edx & CPUID_1G;
	l.physical_bits = physical_bits();
	l.la57 = cpu_read_cr4() & CR4_LA57;

	status = prepare(&l);
	if (EFI_ERROR(status))
		goto options;
	loader_talk(&l, "kernel at %p, %llu bytes; initrd %llu bytes; framebuffer %ux%u", l.kernel.data,
		    (unsigned long long)l.kernel.size, (unsigned long long)l.initrd.size, l.info.framebuffer.width,
		    l.info.framebuffer.height);
	loader_stamp(&l, STAMP_INPUT);

	status = take_arena(&l, &sizes, &handoff);
	if (EFI_ERROR(status))
		goto options;
	fill_arena(&l, &handoff);
	loader_talk(&l, "leaving the firmware");
	loader_stage(&l, STAGE_LEAVE);
	status = build_and_exit(&l, &handoff, &sizes, &root);
	if (!EFI_ERROR(status))
		enter_kernel(&l, &handoff, root);
	if (l.exiting)
		halt(&l);

	give_arena_back(&l);
options:
	loader_free_initrd(&l);
	loader_free_options(&l);
	loader_let_read(&l);
	return status;
}
