/*
 * Decides on which CPUs PCIDs must stay off. context_init() in kernel/mm/space/context.c turns them on elsewhere.
 */
#include "kernel/arch/pcid.h"

#include "kernel/arch/cpu.h"
#include "kernel/lib/string.h"

/*
 * Models of Intel's family 6 on which INVLPG may fail to invalidate global entries, each with the first microcode
 * revision that corrects this.
 */
static const struct {
	uint8_t model;
	uint32_t fixed;
} missing_invlpg[] = {
	{ 0x97, 0x2e },   /* Alder Lake */
	{ 0x9a, 0x42c },  /* Alder Lake, mobile */
	{ 0xbe, 0x11 },   /* Alder Lake N, Gracemont */
	{ 0xb7, 0x118 },  /* Raptor Lake */
	{ 0xba, 0x4117 }, /* Raptor Lake P */
	{ 0xbf, 0x2e },   /* Raptor Lake S */
};

bool pcid_is_sound(const struct cpu_features *features, uint32_t microcode)
{
	if (!features->pcid || !features->pge)
		return false;
	if (strcmp(features->vendor, "GenuineIntel") != 0 || features->family != 6)
		return true;
	for (size_t i = 0; i < sizeof(missing_invlpg) / sizeof(missing_invlpg[0]); i++)
		if (missing_invlpg[i].model == features->model)
			return microcode >= missing_invlpg[i].fixed;
	return true;
}

/*
 * Return the microcode revision, or 0 when it cannot be found out (Intel SDM vol. 3A, "Microcode Update Signature and
 * Verification").
 */
static uint32_t microcode_revision(void)
{
	/* A hypervisor may report any revision, whatever the CPU really has. */
	if (cpu_features()->hypervisor)
		return 0;
	cpu_write_msr(MSR_MICROCODE, 0);
	(void)cpu_cpuid(1, 0);
	return (uint32_t)(cpu_read_msr(MSR_MICROCODE) >> 32);
}

bool pcid_usable(void)
{
	const struct cpu_features *features = cpu_features();

	/*
	 * Read the microcode revision only on the models of the table, where the answer depends on it: on other
	 * vendors' CPUs this MSR is a different register.
	 */
	return pcid_is_sound(features, UINT32_MAX) &&
	       (pcid_is_sound(features, 0) || pcid_is_sound(features, microcode_revision()));
}
