/*
 * What the loader's parts share: the firmware's services with the time spent in them, how a failure
 * is told, and what has been found so far. One instance, on efi_main's stack.
 */
#pragma once

#include <efi.h>

#include "kernel/arch/cpu.h"
#include "kernel/boot/boot_info.h"
#include "kernel/boot/boot_stage.h"
#include "kernel/lib/elf.h"

/* Bytes found in a section of our own PE. data NULL: no such section. */
struct blob {
	const uint8_t *data;
	uint64_t size;
};

/* The one block of frames that the loader takes from the firmware, below 4 GiB; in this order. */
struct arena {
	paddr_t start;
	uint64_t pages;
	uint64_t image_pages;   /* after one page for the trampoline's copy: kernel pages that have no file page */
	uint64_t handoff_pages; /* boot_info, command line, memory maps */
	uint64_t table_pages;   /* page tables; what is left over goes to the kernel */
};

struct loader {
	EFI_HANDLE handle;
	EFI_SYSTEM_TABLE *system;
	EFI_BOOT_SERVICES *boot;
	EFI_LOADED_IMAGE *image;
	uint64_t firmware_ticks; /* TSC ticks inside firmware functions since the last stamp */
	bool talk;               /* loglevel=7: say what is being done */
	bool exiting;            /* ExitBootServices() has been tried: memory services only from here on */

	struct blob kernel, initrd, cmdline;
	char *options; /* the command line from LoadOptions; pool memory, or NULL */
	struct elf_image elf;
	struct kernel_note note;
	bool huge_pages;   /* the CPU has 1 GiB pages */
	bool la57;         /* the firmware left 5-level paging on */
	bool stage_screen; /* the framebuffer can be drawn on, in the firmware's tables */

	struct arena arena;
	struct boot_info info; /* filled as things become known; copied into the arena last */
};

/* Call a firmware function: evaluates to its status and counts its time as the firmware's. */
#define FIRMWARE(loader, call)                                     \
	({                                                         \
		uint64_t before_ = cpu_rdtsc();                    \
		EFI_STATUS status_ = (call);                       \
		(loader)->firmware_ticks += cpu_rdtsc() - before_; \
		status_;                                           \
	})

/* End of a phase. */
static inline void loader_stamp(struct loader *l, enum boot_stamp stamp)
{
	l->info.tsc[stamp] = cpu_rdtsc();
	l->info.firmware_tsc[stamp] = l->firmware_ticks;
	l->firmware_ticks = 0;
}

/* report.c: say one line, "ankeos: …", on the firmware's console and on serial; returns `status`. */
__attribute__((format(printf, 3, 4))) EFI_STATUS loader_fail(struct loader *l, EFI_STATUS status, const char *format,
							     ...);
/* Only with loglevel=7. */
__attribute__((format(printf, 2, 3))) void loader_talk(struct loader *l, const char *format, ...);
/* The one place where our status becomes the firmware's. */
EFI_STATUS loader_status(enum status status);

/*
 * let_read.c: after a failure three seconds, or until a key, for who reads the line before a boot manager clears the screen. Not in
 * the UEFI shell, whose screen keeps what was said.
 */
void loader_let_read(struct loader *l);

/* sections.c: .kernel, .initrd and .cmdline of our own PE. Fails when the PE or .kernel is not sound. */
MUST_CHECK EFI_STATUS loader_find_sections(struct loader *l);

/* options.c: the command line, from LoadOptions or .cmdline, into info and arena-independent memory. */
MUST_CHECK EFI_STATUS loader_read_options(struct loader *l);
void loader_free_options(struct loader *l);
/* Has the UEFI shell started us? */
bool loader_in_shell(struct loader *l);
/* The command line's text, NUL-terminated; "" when there is none. Its length goes to *ret_size. */
const char *loader_cmdline(const struct loader *l, uint64_t *ret_size);

/* inputs.c: framebuffer, ACPI, SMBIOS, attributes table, entropy. Each may be absent. */
void loader_read_inputs(struct loader *l);

/* image.c: check the ELF and its note; then, with an arena, put its pages in place and fill info.segments. */
MUST_CHECK EFI_STATUS loader_parse_kernel(struct loader *l);
uint64_t loader_image_pages(const struct loader *l);
void loader_place_kernel(struct loader *l);

/* memory.c: one GetMemoryMap() into the arena, and from it the sanitised map. */
struct firmware_map {
	EFI_MEMORY_DESCRIPTOR *descriptors;
	UINTN capacity, size, descriptor_size, key;
};
MUST_CHECK EFI_STATUS loader_read_memory_map(struct loader *l, struct firmware_map *map);
MUST_CHECK enum status memmap_add_firmware(struct memmap *map, const void *descriptors, uint64_t size,
					   uint64_t descriptor_size);
MUST_CHECK enum status loader_build_memmap(struct loader *l, const struct firmware_map *firmware, struct memmap *map);

/*
 * acpi.c: the frames of RAM that hold the ACPI tables become MEM_ACPI_RECLAIM, whatever the firmware says that they are.
 * Returns ERR_NO_MEMORY when `map` is full.
 */
MUST_CHECK enum status loader_keep_acpi(struct memmap *map, paddr_t rsdp);

/* tables.c: the kernel's first page tables, from the arena's table pages. */
uint64_t loader_tables_bound(const struct loader *l, const struct memmap *map);
MUST_CHECK enum status loader_build_tables(struct loader *l, const struct memmap *map, paddr_t *ret_root);

/* stage.c: show how far we are; with squares once loader_stage_screen has found that there can be some. */
void loader_stage_screen(struct loader *l);
void loader_stage(struct loader *l, enum boot_stage stage);
/* Before anything is said: the screen has again what was there before the squares. */
void loader_stage_erase(struct loader *l);
