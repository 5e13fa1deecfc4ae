/*
 * The list of self-tests; how the runner counts free frames; and the last test, which audits the live page tables.
 */
#include "kernel/selftest/selftests.h"

#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/report/report.h"
#include "kernel/selftest/failure_selftest.h"
#include "kernel/selftest/irq_selftest.h"
#include "kernel/selftest/memory_selftests.h"

/* Return the number of free frames, after the heap has given back its free memory, whose size varies. */
static uint64_t free_frames(void)
{
	heap_trim();
	return frame_free_count(&machine_frames);
}

static void print_nothing(const char *format, ...)
{
	(void)format;
}

/*
 * Audit the live page tables (kernel/report/audit.h). This test comes last, so that it sees what the other tests left.
 */
static bool tables_keep_the_map(void)
{
	if (report_audit(print_nothing))
		return true;
	report_audit(print_log);
	return selftest_fail("the audit finds what must not be");
}

static const struct selftest audit_tests[] = {
	{ "the live tables keep the memory map", tables_keep_the_map },
};

static SELFTEST_SUITE(audit, audit_tests);

static const struct selftest_suite *const suites[] = {
	&frame_selftests, &window_selftests, &heap_selftests,    &mmio_selftests,  &context_selftests,
	&user_selftests,  &time_selftests,   &failure_selftests, &audit_selftests,
};

bool selftests_run(const struct boot_info *info, const char *only)
{
	const struct selftest_suite *chosen[sizeof(suites) / sizeof(suites[0])];
	size_t count = 0;

	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (!only || !strcmp(only, suites[i]->name))
			chosen[count++] = suites[i];
	if (!count) {
		log_err("self-tests: there is no suite \"%s\"\n", only);
		return false;
	}
	frame_fail_nth(frame_cache_here(), 0);
	failure_selftest_init(info);
	return selftest_run(chosen, count, free_frames) == 0;
}
