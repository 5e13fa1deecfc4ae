/*
 * Tells whether PCIDs may be used on this CPU.
 */
#pragma once

#include "kernel/arch/features.h"

/*
 * Return whether a CPU with these features, at this microcode revision, does what the manual says when PCIDs are on.
 * False for Alder Lake, Raptor Lake and related CPUs, where INVLPG may leave global entries behind (Intel errata
 * ADL063, RPL042), until a microcode update.
 */
bool pcid_is_sound(const struct cpu_features *features, uint32_t microcode);

/* Return pcid_is_sound() of the CPU that this runs on. */
bool pcid_usable(void);
