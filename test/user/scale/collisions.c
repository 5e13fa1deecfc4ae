/* Names that collide. See scale.h. */
#include <string.h>

#include "test/user/scale/scale.h"

/*
 * Names that all have one hash, if that is 32-bit FNV-1a without a seed: for each of 15 places two texts of eight bytes
 * that lead from one state to one other, so that any choice of them is a name (Joux, "Multicollisions in Iterated Hash
 * Functions").
 */
#define PLACES 15
#define BLOCK  8
static char choices[PLACES][2][BLOCK + 1];

static uint32_t fnv(uint32_t hash, const char *bytes)
{
	for (; *bytes; bytes++)
		hash = (hash ^ (uint8_t)*bytes) * 16777619;
	return hash;
}

/* Eight letters, others for each `i`. */
static void make_block(char ret[BLOCK + 1], uint32_t i)
{
	i *= 2654435761U;
	for (unsigned at = 0; at < BLOCK; at++, i >>= 4)
		ret[at] = (char)('a' + (i & 15));
	ret[BLOCK] = '\0';
}

void collisions_make(void)
{
	static uint32_t of_hash[1 << 20]; /* which text, plus one, had the low bits of a hash */
	uint32_t state = 2166136261U;

	for (unsigned place = 0; place < PLACES; place++) {
		memset(of_hash, 0, sizeof(of_hash));
		for (uint32_t i = 0;; i++) {
			uint32_t hash, *slot;

			make_block(choices[place][0], i);
			hash = fnv(state, choices[place][0]);
			slot = &of_hash[hash >> 12];
			if (*slot) {
				make_block(choices[place][1], *slot - 1);
				if (fnv(state, choices[place][1]) == hash) {
					state = hash;
					break;
				}
			}
			*slot = i + 1;
			if (i > 100000000)
				failed("search for names that collide", place);
		}
	}
}

void collision_name(char *ret, unsigned i)
{
	for (unsigned place = 0; place < PLACES; place++)
		memcpy(ret + BLOCK * place, choices[place][i >> place & 1], BLOCK + 1);
}
