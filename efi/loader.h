/*
 * What the loader's parts share: the firmware's services with the time spent in them, how a failure is reported, and
 * what has been found so far. The one struct loader lies on efi_main's stack.
 */
#pragma once

#include <efi.h>

#include "kernel/arch/cpu.h"
#include "kernel/boot/boot_info.h"
#include "kernel/boot/boot_stage.h"
#include "kernel/lib/elf.h"

#define OPTIONS_MOST 4096 /* most bytes of the command line in UTF-8, the NUL included */
#define MESSAGE_MOST 2048 /* most bytes of a message's line: enough for the longest file name of initrd.c */

/* The bytes of a section of the loader's own PE. `data` is NULL when there is no such section. */
struct blob {
	const uint8_t *data;
	uint64_t size;
};

/*
 * The three blocks of frames for all that the loader builds: three, since memory may be in pieces, and there may be
 * little below 4 GiB. (The archives that initrd.c reads have a block of their own.)
 */
struct arena {
	paddr_t low; /* below 4 GiB, where 32-bit code reaches it: a page for the trampoline's copy, then table_pages */
	paddr_t image;        /* anywhere in the direct map: kernel pages that are copied or cleared; the others stay
				 where they lie in .kernel */
	paddr_t handoff;      /* anywhere in the direct map: boot_info, command line, memory maps, a PML5 */
	uint64_t table_pages; /* page tables, their root first; unused ones are handed to the kernel */
	uint64_t low_pages, image_pages, handoff_pages; /* pages of the block of that name; 0: it is not allocated */
};

struct loader {
	EFI_HANDLE handle;
	EFI_SYSTEM_TABLE *system;
	EFI_BOOT_SERVICES *boot;
	EFI_LOADED_IMAGE *image;
	uint64_t firmware_ticks; /* TSC ticks inside firmware functions since the last stamp */
	bool talk;               /* loglevel=7: say on the console what is being done */
	bool initrd_named;       /* the command line may have initrd= */
	bool exiting; /* ExitBootServices() has been tried: from here on only memory services may be called */

	struct blob kernel, initrd, cmdline;
	unsigned profile; /* which of the file's profiles was chosen, by "@N" in LoadOptions; 0 otherwise */
	char *options;    /* the command line from LoadOptions; pool memory, or NULL */
	struct elf_image elf;
	struct kernel_note note;
	bool huge_pages;       /* the CPU has 1 GiB pages */
	uint8_t physical_bits; /* width of the CPU's physical addresses */
	bool la57;             /* the firmware left 5-level paging on */
	bool stage_screen;     /* the firmware's tables map the framebuffer: a square can be drawn for each stage */

	struct arena arena;
	struct boot_info info; /* filled in as things become known, then copied into the arena */
};

/* Call a firmware function: evaluates to its status and counts its time as the firmware's. */
#define FIRMWARE(loader, call)                                     \
	({                                                         \
		uint64_t before_ = cpu_rdtsc();                    \
		EFI_STATUS status_ = (call);                       \
		(loader)->firmware_ticks += cpu_rdtsc() - before_; \
		status_;                                           \
	})

/* Stamp the end of a phase. */
static inline void loader_stamp(struct loader *l, enum boot_stamp stamp)
{
	l->info.tsc[stamp] = cpu_rdtsc();
	l->info.firmware_tsc[stamp] = l->firmware_ticks;
	l->firmware_ticks = 0;
}

/* report.c: print one line, "ankeos: …", on the firmware's console and on the serial port; returns `status`. */
__attribute__((format(printf, 3, 4))) EFI_STATUS loader_fail(struct loader *l, EFI_STATUS status, const char *format,
							     ...);
/* report.c: print a line as loader_fail() does, but only with loglevel=7. */
__attribute__((format(printf, 2, 3))) void loader_talk(struct loader *l, const char *format, ...);
/* report.c: convert a status of paging/ or of the parsers to one of the firmware's. */
EFI_STATUS loader_status(enum status status);

/*
 * let_read.c: after a failure, wait three seconds, or until a key is pressed: somebody may want to read the message
 * before a boot manager clears the screen. Returns at once in the UEFI shell, which leaves the message on the screen.
 */
void loader_let_read(struct loader *l);

/* sections.c: find .kernel, .initrd and .cmdline of the loader's own PE. Fails when the PE or .kernel is not sound. */
MUST_CHECK EFI_STATUS loader_find_sections(struct loader *l);
/*
 * sections.c: find the section whose name, filled up with NULs, is the 8 bytes at `name`, in the base and the chosen
 * profile. Leaves *ret alone when there is none. Fails when it is there twice or lies outside the loaded image.
 */
MUST_CHECK EFI_STATUS loader_section(struct loader *l, const char *name, struct blob *ret);
/*
 * measure.c: extend the TPM's registers by the boot file's sections, the command line of LoadOptions and the archives
 * from outside. Does nothing without a TPM. A TPM that fails is reported in a line, and the boot goes on.
 */
void loader_measure(struct loader *l);

/*
 * options.c: loader_read_options: read LoadOptions, before sections are found: profile number, command line.
 * loader_read_cmdline: check .cmdline; find the words for the loader. loader_free_options: free LoadOptions' text.
 */
MUST_CHECK EFI_STATUS loader_read_options(struct loader *l);
MUST_CHECK EFI_STATUS loader_read_cmdline(struct loader *l);
void loader_free_options(struct loader *l);
/* options.c: return whether Secure Boot is on, so that only what a signature covers may be used. */
bool loader_secure_boot(struct loader *l);
/* options.c: return whether the UEFI shell has started the loader. */
bool loader_in_shell(struct loader *l);
/*
 * options.c: return the command line's text, "" when there is none; *ret_size is its length. It need not end with NUL.
 */
const char *loader_cmdline(const struct loader *l, uint64_t *ret_size);

/*
 * initrd.c: read the archives that are not part of the boot file into info.initrd_outside, if there are any.
 * loader_free_initrd: free their memory.
 */
MUST_CHECK EFI_STATUS loader_read_initrd(struct loader *l);
void loader_free_initrd(struct loader *l);

/* inputs.c: find framebuffer, ACPI, SMBIOS, attributes table, entropy. Each may be absent. */
void loader_read_inputs(struct loader *l);

/*
 * image.c: loader_parse_kernel: check the ELF file and its note. loader_image_pages: return how many pages of the arena
 * the image needs. loader_place_kernel: put the image's pages in place and fill info.segments; needs the arena.
 */
MUST_CHECK EFI_STATUS loader_parse_kernel(struct loader *l);
uint64_t loader_image_pages(const struct loader *l);
void loader_place_kernel(struct loader *l);

/*
 * memory.c: loader_read_memory_map: read the firmware's memory map by one GetMemoryMap(). memmap_add_firmware: add its
 * descriptors to a memory map. loader_build_memmap: build the kernel's sanitised memory map from the firmware's.
 */
struct firmware_map {
	EFI_MEMORY_DESCRIPTOR *descriptors;
	UINTN capacity, size, descriptor_size, key;
};
MUST_CHECK EFI_STATUS loader_read_memory_map(struct loader *l, struct firmware_map *map);
MUST_CHECK enum status memmap_add_firmware(struct memmap *map, const void *descriptors, uint64_t size,
					   uint64_t descriptor_size, uint64_t most);
MUST_CHECK enum status loader_build_memmap(struct loader *l, const struct firmware_map *firmware, struct memmap *map);

/*
 * acpi.c: mark the frames of RAM that hold ACPI tables as MEM_ACPI_RECLAIM, whatever type the firmware gave them.
 * Returns ERR_NO_MEMORY when `map` is full.
 */
MUST_CHECK enum status loader_keep_acpi(struct memmap *map, paddr_t rsdp);

/* tables.c: return how many tables `map` may need; build the kernel's first page tables in the arena's table pages. */
uint64_t loader_tables_bound(const struct loader *l, const struct memmap *map);
MUST_CHECK enum status loader_build_tables(struct loader *l, const struct memmap *map, paddr_t *ret_root);

/*
 * stage.c shows each stage of the boot by a code on a port and, if possible, by a coloured square on the screen.
 * loader_stage_screen: find out whether squares can be drawn. loader_stage: show `stage`.
 */
void loader_stage_screen(struct loader *l);
void loader_stage(struct loader *l, enum boot_stage stage);
/* stage.c: restore what the squares cover on the screen. Call this before printing on the firmware's console. */
void loader_stage_erase(struct loader *l);
