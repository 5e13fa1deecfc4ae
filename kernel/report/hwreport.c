/*
 * The hardware report of this machine, from what the kernel has kept since the boot, the live page tables and the CPU's
 * registers. hwreport_acpi.c has the part about ACPI tables.
 */
#include "kernel/report/hwreport.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/features.h"
#include "kernel/irq/acpi_view.h"
#include "kernel/irq/irq.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frame/machine_frames.h"
#include "kernel/mm/space/hhdm.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/report/leaf_runs.h"
#include "kernel/report/walk_report.h"

typedef unsigned long long ull;

static const struct boot_info *boot; /* the loader's hand-off; fixed after boot */
/*
 * the memory of the loader and of boot services has been given to the allocator, so it is not read any more. Fixed
 * after boot
 */
static bool reclaimed;

/* ---- the CPU ---- */

/* The CPUID leaves that the kernel bases decisions on: kernel/arch/features.h, fpu.c and tsc.c. */
static const struct {
	uint32_t leaf, subleaf;
} leaves[] = {
	{ 0, 0 },    { 1, 0 },          { 7, 0 },          { 0xd, 0 },        { 0xd, 1 },        { 0x15, 0 },
	{ 0x16, 0 }, { 0x80000000, 0 }, { 0x80000001, 0 }, { 0x80000007, 0 }, { 0x80000008, 0 },
};

static void report_cpu_facts(struct report_block *b)
{
	const struct cpu_features *f = cpu_features();

	report_block_line(b, "cpu vendor=%s family=%u model=%u stepping=%u maxphyaddr=%u linear=%u", f->vendor,
			  f->family, f->model, f->stepping, f->physical_bits, f->linear_bits);
	report_block_text(b, "brand", f->brand, strlen(f->brand));
	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		struct cpuid r = cpu_cpuid(leaves[i].leaf, leaves[i].subleaf);

		if (cpu_cpuid(leaves[i].leaf & 0x80000000, 0).eax >= leaves[i].leaf)
			report_block_line(b, "cpuid %#x %#x 0x%08x 0x%08x 0x%08x 0x%08x", leaves[i].leaf,
					  leaves[i].subleaf, r.eax, r.ebx, r.ecx, r.edx);
	}
	report_block_line(b, "registers cr0=%#llx cr3=%#llx cr4=%#llx", (ull)cpu_read_cr0(), (ull)cpu_read_cr3(),
			  (ull)cpu_read_cr4());
	report_block_line(b, "msrs efer=%#llx pat=%#llx", (ull)cpu_read_msr(MSR_EFER), (ull)cpu_read_msr(MSR_PAT));
}

/* ---- memory ---- */

/* The firmware's memory descriptor (UEFI 2.10, "EFI_MEMORY_DESCRIPTOR"). */
struct descriptor {
	uint32_t type, pad;
	uint64_t start, virtual_start, pages, attribute;
};

static void report_firmware_map(struct report_block *b)
{
	const uint8_t *map = hhdm_ptr(boot->efi_map);
	uint64_t step = boot->efi_descriptor_size, count = step ? boot->efi_map_size / step : 0;
	struct descriptor d;

	report_block_line(b, "efi-map step=%llu count=%llu", (ull)step, (ull)count);
	for (uint64_t i = 0; i < count; i++) {
		memcpy(&d, map + i * step, sizeof(d));
		report_block_line(b, "efi %u %#llx %llu %#llx", d.type, (ull)d.start, (ull)d.pages, (ull)d.attribute);
	}
}

/* Report what the loader found besides the firmware's map, and the memory map that the loader made. */
static void report_handoff(struct report_block *b)
{
	const struct boot_framebuffer *fb = &boot->framebuffer;

	report_block_line(b, "framebuffer pa=%#llx bytes=%llu width=%u height=%u pitch=%u", (ull)fb->pa.raw,
			  (ull)fb->size, fb->width, fb->height, fb->pitch);
	report_block_line(b, "pixel red=%u:%u green=%u:%u blue=%u:%u", fb->red_shift, fb->red_bits, fb->green_shift,
			  fb->green_bits, fb->blue_shift, fb->blue_bits);
	report_block_line(b, "initrd pa=%#llx bytes=%llu", (ull)boot->initrd.raw, (ull)boot->initrd_size);
	if (boot->initrd_outside_size)
		report_block_line(b, "initrd-outside pa=%#llx bytes=%llu", (ull)boot->initrd_outside.raw,
				  (ull)boot->initrd_outside_size);
	for (uint64_t i = 0; i < boot->segment_count; i++) {
		const struct boot_segment *g = &boot->segments[i];

		report_block_line(b, "segment %#llx %#llx %llu %#llx", (ull)g->va, (ull)g->pa.raw, (ull)g->pages,
				  (ull)g->prot);
	}
	report_block_line(b, "tables pa=%#llx frames=%llu spare=%llu", (ull)boot->tables.raw, (ull)boot->table_frames,
			  (ull)boot->table_spare);
	report_block_line(b, "map count=%zu excess=%#llx", machine_memmap->count, (ull)boot->hhdm_excess);
	for (size_t i = 0; i < machine_memmap->count; i++) {
		const struct mem_range *r = &machine_memmap->ranges[i];

		report_block_line(b, "range %#llx %#llx %s", (ull)r->start, (ull)r->end,
				  mem_type_name((enum mem_type)r->type));
	}
}

/* ---- the live tables ---- */

static void report_run(void *ctx, const struct leaf_run *run)
{
	char rights[RIGHTS_TEXT];

	report_block_line(ctx, "leaves %#llx %#llx %s %s 1G=%zu 2M=%zu 4K=%zu", (ull)run->start, (ull)run->last,
			  rights_format(run->prot, rights), memory_type_name(run->prot), run->leaves[2], run->leaves[1],
			  run->leaves[0]);
}

static void report_live_tables(struct report_block *b)
{
	report_block_line(b, "live-tables frames=%zu", leaf_runs_visit(&kernel_space, report_run, b));
}

/* ---- ACPI ---- */

/* Return where a table can be read, as acpi_view_at() does; NULL for memory that the allocator has taken over. */
static const void *kept_at(void *ctx, paddr_t pa, uint64_t size)
{
	const struct mem_range *r = memmap_find(machine_memmap, pa);

	if (reclaimed && r && (r->type == MEM_LOADER || r->type == MEM_BOOT_SERVICES))
		return NULL;
	return acpi_view_at(ctx, pa, size);
}

static void report_acpi_facts(struct report_block *b)
{
	/*
	 * Mappings of ACPI tables for reading; empty except while a report is made. Guard: tasks only, which the kernel
	 * does not preempt
	 */
	static struct acpi_view view;
	static const struct acpi_memory memory = { .at = kept_at, .ctx = &view };
	const struct acpi_info *a = irq_acpi();

	hwreport_acpi(b, &memory, boot->rsdp);
	acpi_view_end(&view);
	report_block_line(b, "madt present=%u cpus=%u local_apic=%#llx io_apics=%u overrides=%u 8259=%u", a->has_madt,
			  a->cpus, (ull)a->local_apic.raw, a->io_apic_count, a->override_count, a->has_8259);
	report_block_line(b, "acpi-info fadt=%u reduced=%u s5=%u hpet=%#llx mcfgs=%u faults=%u", a->has_fadt,
			  a->hardware_reduced, a->has_s5, (ull)a->hpet.raw, a->mcfg_count, a->fault_count);
}

void hwreport(print_fn *print)
{
	const char *cmdline = hhdm_ptr(boot->cmdline);
	struct report_block b;

	report_block_begin(&b, print, HWREPORT_TITLE);
	report_block_text(&b, "cmdline", cmdline, boot->cmdline_size);
	report_block_line(&b, "boot version=%u flags=%#llx efi=%#llx smbios=%#llx", boot->version, (ull)boot->flags,
			  (ull)boot->efi_system_table.raw, (ull)boot->smbios.raw);
	report_cpu_facts(&b);
	report_firmware_map(&b);
	report_handoff(&b);
	report_live_tables(&b);
	report_acpi_facts(&b);
	report_block_end(&b);
}

void hwreport_at_boot(const struct boot_info *info, const char *cmdline)
{
	int level = log_console_level();

	boot = info;
	if (cmdline_has(cmdline, "hwreport")) {
		log_set_console_level(LOG_DEBUG);
		hwreport(print_log);
		log_set_console_level(level);
	}
	reclaimed = true;
}
