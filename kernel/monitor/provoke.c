/*
 * The faults that the monitor's command `panic HOW` causes on purpose. Their operands are volatile: a compiler that can
 * prove a fault may leave the faulting code out.
 */
#include "kernel/monitor/provoke.h"

#include <stdint.h>

#include "kernel/arch/cpu.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/lib/time.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/space/hhdm.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/sync/kernel_lock.h"
#include "kernel/sync/lock.h"
#include "kernel/task/sched.h"
#include "kernel/task/task.h"
#include "paging/layout.h"

/* Defined in kernel/arch/kernel.ld. */
extern char image_text[];

/* Two numbers whose values the compiler must not know. Guard: the monitor. */
static volatile uintptr_t zero, one = 1;

static void write_null(void)
{
	*(volatile int *)zero = 1;
}

static void jump_null(void)
{
	((void (*)(void))zero)();
}

static void invalid_opcode(void)
{
	__builtin_trap();
}

static void divide_by_zero(void)
{
	one = one / zero;
}

static __attribute__((noinline)) void use_stack(volatile uint64_t *deeper)
{
	volatile uint64_t here[16];

	here[0] = *deeper + 1;
	/* Always true, but the compiler cannot know. */
	if (*deeper < UINT64_MAX)
		use_stack(here);
	*deeper = here[0];
}

static void overflow_stack(void)
{
	volatile uint64_t depth = 0;

	use_stack(&depth);
}

static void write_text(void)
{
	char *volatile text = image_text;

	*(volatile char *)text = 0;
}

static void say_panic(void)
{
	panic("asked for in the monitor");
}

/* Call panic() with a string that cannot be read, so that the panic page itself faults. */
static void panic_badly(void)
{
	const char *volatile nowhere = (const char *)HEAP_BASE;

	panic("%s", nowhere);
}

struct node {
	struct node *volatile next;
};

/* LARGE: kfree unmaps a block of this size, so that a later use faults. SMALL: only the debug build notices misuse. */
#define LARGE (64 << 20)
#define SMALL 48

static void use_after_free(void)
{
	struct node *node = kmalloc(LARGE), *volatile kept = node;

	ASSERT(node);
	node->next = node;
	kfree(node);
	kept->next->next = NULL;
}

/* End a command whose fault the running build does not detect. */
static __attribute__((noreturn)) void unnoticed(void)
{
	panic("nothing noticed it: that takes DEBUG=1");
}

static void use_small_after_free(void)
{
	struct node *node = kmalloc(sizeof(*node)), *volatile kept = node;

	ASSERT(node);
	node->next = node;
	kfree(node);
	kept->next->next = NULL;
	unnoticed();
}

static void overrun(void)
{
	volatile uint8_t *block = kmalloc(SMALL);

	ASSERT(block);
	block[SMALL - 1 + one] = 0;
	kfree((void *)block);
	unnoticed();
}

static void free_twice(void)
{
	void *block = kmalloc(SMALL), *volatile kept = block;

	ASSERT(block);
	kfree(block);
	kfree(kept);
	unnoticed();
}

/* Take two locks in the order that lock_rank.h forbids. */
static void take_against_order(void)
{
	static struct lock first = LOCK_INITIAL(LOCK_TIMERS),
			   second = LOCK_INITIAL(LOCK_SCREEN); /* guard: the monitor */

	irq_close();
	lock_take_off(&second);
	lock_take_off(&first);
	unnoticed();
}

/* Set address bit 51 in a page-table entry: a CPU with fewer physical address bits faults at the next access. */
static void spoil_entry(void)
{
	volatile uint8_t *block = kmalloc(LARGE);
	struct slot slot;

	ASSERT(block);
	*block = 1;
	slot = space_find(&kernel_space, (uintptr_t)block);
	slot.pte->raw |= 1ULL << 51;
	cpu_invlpg((uintptr_t)block);
	*block = 2;
}

/*
 * Read a frame at its direct-map address while a user context is loaded, which does not map it: the mistake of a system
 * call that forgets kernel_context_enter().
 */
static void read_frame_in_user_context(void)
{
	static struct context user_context; /* guard: the monitor */
	const volatile uint8_t *byte = hhdm_ptr(kernel_space.root);

	ASSERT(context_create(&user_context) == OK);
	context_load(&user_context);
	one = *byte;
}

/* Wait in a loop that never gives up the CPU: since the kernel is not preempted, no other task runs again. */
static void wait_for_ever(void)
{
	while (!zero)
		;
}

/* Wait for ever with interrupts off. */
static void wait_deaf(void)
{
	irq_close();
	wait_for_ever();
}

static void wait_ms(uint64_t ms)
{
	const uint64_t end = time_add(clock_monotonic_ns(), ms * NS_PER_MS);

	while (clock_monotonic_ns() < end)
		cpu_pause();
}

static bool hangs; /* hang_mute() has begun to hang. Atomic */

/* Hang with interrupts off, and with the kernel lock, which every task in the kernel has. */
static void hang_deaf(void *argument)
{
	(void)argument;
	wait_deaf();
}

/* Hang with interrupts off, without the kernel lock: the other CPUs go on, until a shootdown has to be served here. */
static void hang_mute(void *argument)
{
	(void)argument;
	irq_close();
	kernel_lock_release();
	__atomic_store_n(&hangs, true, __ATOMIC_RELEASE);
	wait_for_ever();
}

/* Run a function in a task on the last CPU. Returns false when this is the only CPU, or there is no memory. */
static bool run_on_last_cpu(void (*function)(void *argument))
{
	struct cpu_set last = { { 0 } };
	struct task *task;

	cpu_set_add(&last, cpu_count - 1);
	if (cpu_count == 1 || task_create("hangs", false, &task) != 0)
		return false;
	sched_set_cpus(task, &last);
	task_start_kernel(task, function, NULL);
	return true;
}

static void make_other_deaf(void)
{
	if (!run_on_last_cpu(hang_deaf))
		return;
	while (!zero)
		kernel_lock_lend();
}

static void make_other_mute(void)
{
	void *block;

	if (!run_on_last_cpu(hang_mute))
		return;
	while (!__atomic_load_n(&hangs, __ATOMIC_ACQUIRE))
		kernel_lock_lend();
	/* Unmapping memory of the kernel takes a shootdown on every CPU, which the hanging CPU does not serve. */
	block = kmalloc(LARGE);
	kfree(block);
	heap_trim();
	unnoticed();
}

/* Keep interrupts off for 3 ms, then let no other task run for 3 ms: the debug build logs both. */
static void be_slow(void)
{
	uint64_t flags = irq_guard_enter();

	wait_ms(3);
	irq_guard_leave(flags);
	task_yield();
	wait_ms(3);
	task_yield();
}

bool provoke(const char *how)
{
	static const struct {
		const char *how;
		void (*run)(void);
	} ways[] = {
		{ "order", take_against_order },
		{ "null", write_null },
		{ "jump", jump_null },
		{ "ud", invalid_opcode },
		{ "div", divide_by_zero },
		{ "stack", overflow_stack },
		{ "text", write_text },
		{ "panic", say_panic },
		{ "twice", panic_badly },
		{ "free", use_after_free },
		{ "small", use_small_after_free },
		{ "over", overrun },
		{ "again", free_twice },
		{ "pte", spoil_entry },
		{ "slow", be_slow },
		{ "loop", wait_for_ever },
		{ "deaf", wait_deaf },
		{ "other", make_other_deaf },
		{ "mute", make_other_mute },
		{ "context", read_frame_in_user_context },
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].how, how) == 0) {
			ways[i].run();
			return true;
		}
	return false;
}
