/*
 * May PCIDs be used on this CPU?
 */
#pragma once

#include "kernel/arch/features.h"

/*
 * Whether a CPU with these features, at this microcode revision, keeps its promises with PCIDs on. Not on Alder
 * Lake, Raptor Lake and their kin, where INVLPG may leave global entries behind (Intel errata ADL063, RPL042), until a
 * microcode update.
 */
bool pcid_is_sound(const struct cpu_features *features, uint32_t microcode);

/* The same for the CPU that this runs on. */
bool pcid_usable(void);
