/*
 * The rarer operations of fair_queue.h. To find the level (nice value) that is served next, only levels with waiting
 * members are compared: mostly there is only one.
 */
#include "kernel/task/fair_queue.h"

_Static_assert(FAIR_LEVELS <= 64, "a bit for each");

const uint32_t fair_weights[FAIR_LEVELS] = {
	88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904,
	3906,  3121,  2501,  1991,  1586,  1277,  1024,  820,   655,   526,   423,  335,  272,  215,
	172,   137,   110,   87,    70,    56,    45,    36,    29,    23,    18,   15,   3,
};

/*
 * Return by how much the virtual time of a level grows when one of its members was served for `ns`: that time divided
 * by the weight of all members, which are those that wait and the one that was served.
 */
static uint64_t virtual_time(const struct fair_level *l, unsigned level, uint64_t ns)
{
	return ns * FAIR_UNIT / ((uint64_t)fair_weights[level] * (l->count + 1));
}

unsigned fair_behind(struct fair_queue *queue, unsigned first, uint64_t others)
{
	unsigned behind = first;

	for (; others; others &= others - 1) {
		unsigned level = (unsigned)__builtin_ctzll(others);

		if (queue->levels[level].time < queue->levels[behind].time)
			behind = level;
	}
	if (queue->time < queue->levels[behind].time)
		queue->time = queue->levels[behind].time;
	return behind;
}

void fair_charge_level(struct fair_queue *queue, unsigned level, uint64_t ns)
{
	struct fair_level *l = &queue->levels[level];

	l->time += virtual_time(l, level, ns);
}
