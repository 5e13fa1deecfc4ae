/*
 * Patches STAC and CLAC into user_copy.S at boot. A test for SMAP at each access would cost more: the copy of a single
 * word is only a few instructions.
 */
#include "kernel/arch/smap.h"

#include "kernel/arch/features.h"
#include "kernel/arch/text_patch.h"
#include "kernel/arch/user_copy.h"
#include "kernel/lib/panic.h"

void smap_init(void)
{
	static const uint8_t instructions[2][3] = { { 0x0f, 0x01, 0xcb }, { 0x0f, 0x01, 0xca } };

	if (!cpu_features()->smap)
		return;
	for (uint64_t i = 0; i < smap_site_count; i++) {
		const uint8_t *instruction = instructions[smap_sites[i].clears];

		ASSERT(text_patch(smap_sites[i].at, instruction, sizeof(instructions[0])) == OK);
	}
}
