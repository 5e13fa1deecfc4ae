/*
 * The handoff: what the loader gives the kernel. The contract between efi/ and kernel/; a change of anything here
 * changes BOOT_INFO_VERSION.
 *
 * State at the kernel's first instruction:
 *   - long mode, 4-level paging, CPL 0; CR0.WP, EFER.NXE set, CR4.PGE clear; IF and DF clear
 *   - CR3 = new tables which hold the HHDM, the kernel image, one identity-mapped
 *     trampoline page, and nothing else; no leaf global
 *   - RDI = HHDM address of struct boot_info
 *   - RSP = the stack top that the kernel's note names, less 8, as after a call (SysV ABI);
 *     the page below that stack is not mapped
 *   - GDT, IDT and TR are the firmware's or the trampoline's, in memory that is not mapped any more
 * The kernel checks whatever it can see of this state before relying on it.
 */
#pragma once

#include "kernel/boot/handoff.h"
#include "kernel/boot/memmap.h"
#include "paging/layout.h"

#define BOOT_INFO_MAGIC 0x534f656b6e41ULL /* "AnkeOS" */

/*
 * A part of the kernel image that is contiguous, virtually and physically, and has the same rights throughout. Fixed
 * after boot.
 */
struct boot_segment {
	vaddr_t va;
	paddr_t pa;
	uint64_t pages;
	uint64_t prot; /* enum page_prot */
};

#define BOOT_SEGMENTS 32 /* two for each ELF segment (at most ELF_SEGMENTS): its part in place, and its copied part */

/* A linear framebuffer, 32 bits a pixel. width 0: the machine has none. Fixed after boot. */
struct boot_framebuffer {
	paddr_t pa;
	uint64_t size;   /* bytes */
	uint32_t width;  /* pixels */
	uint32_t height; /* pixels */
	uint32_t pitch;  /* bytes from one row to the next */
	uint8_t red_shift, red_bits;
	uint8_t green_shift, green_bits;
	uint8_t blue_shift, blue_bits;
	uint8_t pad[2];
};

/*
 * Moments at which the time-stamp counter is read, in their order. Each ends a phase of the boot, which began at the
 * moment before; the comment says what was done in the phase, or which instruction ends it.
 */
enum boot_stamp {
	STAMP_ENTRY,  /* the loader's first instruction */
	STAMP_INPUT,  /* sections, command line, ELF and firmware tables read */
	STAMP_MEMORY, /* frames allocated, the firmware's memory map read */
	STAMP_TABLES, /* memory map sanitised, page tables built */
	STAMP_EXIT,   /* ExitBootServices() has returned */
	STAMP_KERNEL, /* the kernel's first instructions; written by the kernel */
	STAMP_COUNT,
};

enum boot_flags {
	BOOT_LA57_DROPPED = 1 << 0, /* the firmware left 5-level paging on; the loader turned it off */
	BOOT_OPTIONS = 1 << 1,      /* the command line came from LoadOptions */

	/* Why the command line did not come from LoadOptions, although the firmware passed some: */
	BOOT_SECURE = 1 << 2,          /* Secure Boot is on, and no signature covers LoadOptions */
	BOOT_OPTIONS_BINARY = 1 << 3,  /* LoadOptions are not text */
	BOOT_OPTIONS_FOREIGN = 1 << 4, /* LoadOptions name a disk to boot from: they are another system's */

	BOOT_CMDLINE_BINARY = 1 << 5, /* the boot file's section .cmdline holds control characters, so it is ignored */

	BOOT_INITRD_OFFERED = 1 << 6, /* initrd_outside is what a boot manager offered by LoadFile2 */
	BOOT_INITRD_FILES = 1 << 7,   /* initrd_outside are the files that initrd= names */
	BOOT_INITRD_SECURE = 1 << 8,  /* archives of either kind were there, and were left aside: Secure Boot is on */

	BOOT_MEASURED = 1 << 9, /* the loader has extended a TPM's registers by all that it starts */

	BOOT_FLAGS = (1 << 10) - 1,
};

/* What the loader hands to the kernel. Addresses of type paddr_t are physical; 0 means absent. Fixed after boot. */
struct boot_info {
	uint64_t magic;
	uint32_t version;
	uint32_t size;  /* sizeof(struct boot_info) */
	uint64_t flags; /* enum boot_flags */

	vaddr_t hhdm;         /* where the direct map starts */
	uint64_t hhdm_excess; /* bytes of RAM above 16 TiB, left out of the direct map */
	vaddr_t trampoline;   /* the identity-mapped page */

	paddr_t memmap; /* struct mem_range[memmap_count], memory of type MEM_LOADER */
	uint64_t memmap_count;

	paddr_t tables; /* the page tables' frames, which are consecutive; the first is the PML4 */
	uint64_t table_frames;
	uint64_t table_spare; /* frames that follow the table_frames, of type MEM_TABLES too, but hold no table yet */

	struct boot_segment segments[BOOT_SEGMENTS];
	uint64_t segment_count;

	struct boot_framebuffer framebuffer;

	paddr_t rsdp;          /* ACPI root pointer */
	paddr_t smbios;        /* SMBIOS entry point; the 64-bit one if there are two */
	uint64_t smbios_major; /* 3 or 2: which kind of entry point `smbios` is */
	paddr_t efi_system_table;
	paddr_t efi_attributes; /* EFI_MEMORY_ATTRIBUTES_TABLE */
	paddr_t efi_map;        /* the firmware's last memory map, in the firmware's own format */
	uint64_t efi_map_size;  /* bytes */
	uint64_t efi_descriptor_size;

	paddr_t cmdline;              /* UTF-8, ends with NUL */
	uint64_t cmdline_size;        /* bytes, without the NUL */
	paddr_t initrd;               /* page-aligned */
	uint64_t initrd_size;         /* bytes */
	paddr_t initrd_outside;       /* more archives, which are not part of the boot file; page-aligned */
	uint64_t initrd_outside_size; /* bytes */

	uint64_t seed_size; /* bytes of seed that hold entropy: 0 or 32 */
	uint8_t seed[32];

	uint64_t tsc[STAMP_COUNT];
	uint64_t firmware_tsc[STAMP_COUNT]; /* the ticks of each phase that were spent inside firmware functions */
};

_Static_assert(sizeof(struct boot_info) == BOOT_INFO_SIZE, "a new size is a new BOOT_INFO_VERSION");

/*
 * The kernel's note (ELF note, name "AnkeOS", type KERNEL_NOTE). The loader refuses a kernel whose note has another
 * version or size, while it can still return to the firmware.
 */
struct kernel_note {
	uint32_t boot_info_version;
	uint32_t boot_info_size;
	uint64_t stack_top; /* virtual, 16-byte aligned, at the end of a writable segment */
};

/*
 * Check the whole of `info`, trusting no field of it. `info` must lie in the direct map, which the caller knows to be
 * at `hhdm`; memory that `info` refers to is read only when that is known to lie in the direct map, too. Checked are
 * magic, version, size, flags and hhdm; that the memory map is sorted and without overlaps; that each physical range
 * lies in memory of the type that belongs there, and below 16 TiB; that the image's segments ascend in the image's
 * range, none of them writable and executable; that the framebuffer's rows fit into it; that the command line ends. Of
 * firmware tables only the addresses are checked.
 * Returns ERR_FORMAT with *ret_what the name of the first field that is wrong and *ret_value its value.
 */
MUST_CHECK enum status boot_info_check_at(const struct boot_info *info, vaddr_t hhdm, const char **ret_what,
					  uint64_t *ret_value);

/*
 * Check the handoff in the kernel, whose direct map is at HHDM_BASE. (Host tests call boot_info_check_at(), since their
 * memory is elsewhere.)
 */
MUST_CHECK static inline enum status boot_info_check(const struct boot_info *info, const char **ret_what,
						     uint64_t *ret_value)
{
	return boot_info_check_at(info, HHDM_BASE, ret_what, ret_value);
}
