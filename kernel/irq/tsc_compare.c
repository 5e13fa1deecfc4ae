/*
 * Reads the time-stamp counter and a reference counter together, at the beginning and at the end of a span. Computes no
 * rates: that is left to the caller.
 */
#include "kernel/irq/tsc_compare.h"

#include "kernel/arch/cpu.h"

/* How long the reference may take, in ticks of the time-stamp counter: 100 ms at 4 GHz. */
#define MOST_TICKS 400000000ULL
#define TRIES      3

/* What the reference and the time-stamp counter showed at one time. */
struct moment {
	uint32_t count;
	uint64_t tsc;
};

/*
 * Read both counters. A hypervisor may stop the CPU between the two reads, so the quickest of five tries is returned.
 */
static struct moment read_both(const struct tsc_reference *r)
{
	uint64_t quickest = UINT64_MAX;
	struct moment m = { 0 };

	for (int i = 0; i < 5; i++) {
		uint64_t before = cpu_rdtsc(), took;
		uint32_t count = r->read(r->at);

		took = cpu_rdtsc() - before;
		if (took < quickest) {
			quickest = took;
			m = (struct moment){ count, before + took / 2 };
		}
	}
	return m;
}

/* Compare the counters once. Returns false when the reference has not counted to `counts` within MOST_TICKS. */
static bool compare(const struct tsc_reference *r, uint32_t counts, struct tsc_span *ret)
{
	const struct moment start = read_both(r);

	do {
		const struct moment end = read_both(r);

		*ret = (struct tsc_span){ (end.count - start.count) & r->mask, end.tsc - start.tsc };
		if (ret->counts >= counts)
			return true;
	} while (ret->ticks <= MOST_TICKS);
	return false;
}

enum status tsc_compare(const struct tsc_reference *reference, uint32_t counts, struct tsc_span *ret)
{
	struct tsc_span span;

	/*
	 * A hypervisor may stop this CPU so long that the reference comes round, and seems to have gone a short way:
	 * try again then.
	 */
	for (int i = 0; i < TRIES; i++) {
		if (compare(reference, counts, &span)) {
			*ret = span;
			return OK;
		}
	}
	return ERR_NOT_FOUND;
}
