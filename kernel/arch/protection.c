/*
 * Turns the CPU's protections on, once, at start.
 */
#include "kernel/arch/protection.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/features.h"
#include "kernel/arch/percpu.h"
#include "kernel/lib/panic.h"
#include "paging/pte.h"

/* Return CR4 as the kernel wants it: only the bits named here are on, and the firmware's other choices are dropped. */
static uint64_t wanted_cr4(const struct cpu_features *features)
{
	return CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | (features->mce ? CR4_MCE : 0) |
	       (features->xsave ? CR4_OSXSAVE : 0) | (features->fsgsbase ? CR4_FSGSBASE : 0) |
	       (features->smep ? CR4_SMEP : 0) | (features->smap ? CR4_SMAP : 0) | (features->umip ? CR4_UMIP : 0);
}

void protection_init(void)
{
	const struct cpu_features *features = cpu_features();

	if (!features->nx)
		panic("this CPU has no NX bit: nothing here would be safe");
	cpu_write_msr(MSR_EFER, cpu_read_msr(MSR_EFER) | EFER_NXE);
	cpu_write_cr0((cpu_read_cr0() | CR0_WP | CR0_MP | CR0_NE) & ~(CR0_EM | CR0_TS));
	cpu_write_cr4(wanted_cr4(features));
	/*
	 * No leaf uses another memory type than write-back yet, so a TLB flush is all that the change of the PAT needs.
	 * Without a PAT the same bits of a leaf mean write-through for PROT_WC and uncached for PROT_WT and PROT_UC
	 * (Intel SDM vol. 3A, "Selecting Memory Types"): slower, but correct for all that is mapped with these types.
	 */
	if (features->pat)
		cpu_write_msr(MSR_PAT, PAT_VALUE);
	cpu_write_cr3(cpu_read_cr3());
	/* Programs learn by RDTSCP on which CPU they run (vdso/vdso.c). */
	if (features->rdtscp)
		cpu_write_msr(MSR_TSC_AUX, this_cpu->number);
}
