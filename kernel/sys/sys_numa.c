/*
 * System calls about memory policies (numa(7)): on which nodes memory is to lie. All memory is one node, number 0, so a
 * policy is checked, kept and told, and has no effect; pages are where they are to be moved. Of the nodes that a policy
 * names only node 0 is kept.
 */
#include "kernel/mm/user/user_advice.h"
#include "kernel/mm/user/user_usage.h"
#include "kernel/sys/memory_steps.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/give_way.h"
#include "kernel/task/space_work.h"

enum policy_mode { MPOL_DEFAULT, MPOL_PREFERRED, MPOL_BIND, MPOL_INTERLEAVE, MPOL_LOCAL, MPOL_PREFERRED_MANY };

/* Flags of a mode. */
#define MPOL_BALANCING 0x2000U
#define MPOL_RELATIVE  0x4000U
#define MPOL_STATIC    0x8000U
#define MPOL_FLAGS     (MPOL_BALANCING | MPOL_RELATIVE | MPOL_STATIC)

/* A packed policy, for task->memory_policy and AREA_POLICY: the mode in the lowest bits, and its flags behind it. */
#define PACKED_MODE       7U
#define PACKED_FLAG_SHIFT 10

enum get_flag { MPOL_F_NODE = 1, MPOL_F_ADDR = 2, MPOL_F_MEMS_ALLOWED = 4 };

enum move_flag { MPOL_MF_STRICT = 1, MPOL_MF_MOVE = 2, MPOL_MF_MOVE_ALL = 4 };

#define WORD_BITS  64
#define NODES_MOST 1024 /* bits of a set of nodes that a program may set, as on Debian's Linux */
#define NODE_HERE  1ULL /* node 0 in the first word of a set */
#define PAGES_STEP 64   /* pages that move_pages(2) looks at before other tasks may run */

/* What get_nodes() has found in a set of nodes. */
struct nodes {
	bool any;  /* the set is not empty */
	bool here; /* node 0 is in the set */
};

/* Get a set of nodes from user memory, of `bits` - 1 bits, as Linux counts them. Returns 0, -EINVAL, -EFAULT. */
static int get_nodes(uint64_t from, uint64_t bits, struct nodes *ret)
{
	uint64_t word;
	int error;

	*ret = (struct nodes){ 0 };
	bits--;
	if (!bits || !from)
		return 0;
	if (bits > PAGE_SIZE * 8)
		return -EINVAL;
	for (uint64_t bit = 0; bit < bits; bit += WORD_BITS) {
		error = args_get(&word, from + bit / 8, sizeof(word));
		if (error)
			return error;
		if (bits - bit < WORD_BITS)
			word &= (1ULL << (bits - bit)) - 1;
		if (word && bit >= NODES_MOST)
			return -EINVAL;
		ret->any |= word != 0;
		ret->here |= !bit && word & NODE_HERE;
	}
	return 0;
}

/* Write the set of node 0, or an empty one, to user memory. Returns 0, -EINVAL, -EFAULT. */
static int put_nodes(uint64_t to, uint64_t bits, bool here)
{
	const uint64_t bytes = align_up(bits - 1, WORD_BITS) / 8;
	uint64_t word = here ? NODE_HERE : 0;
	int error = 0;

	if (bytes > PAGE_SIZE)
		return -EINVAL;
	for (uint64_t at = 0; at < bytes && !error; at += sizeof(word), word = 0)
		error = args_put(to + at, &word, sizeof(word));
	return error;
}

/* Return whether policies of the mode name nodes. */
static bool has_nodes(unsigned mode)
{
	return mode != MPOL_DEFAULT && mode != MPOL_LOCAL;
}

/* Make a packed policy of a mode with flags, and of a set of nodes. Returns 0, -EINVAL, -EFAULT. */
static int get_policy(uint64_t mode_and_flags, uint64_t from, uint64_t bits, unsigned *ret)
{
	const unsigned flags = (unsigned)mode_and_flags & MPOL_FLAGS;
	unsigned mode = (unsigned)mode_and_flags & ~MPOL_FLAGS;
	struct nodes nodes;
	int error;

	if (mode > MPOL_PREFERRED_MANY || (flags & MPOL_RELATIVE && flags & MPOL_STATIC) ||
	    (flags & MPOL_BALANCING && mode != MPOL_BIND))
		return -EINVAL;
	error = get_nodes(from, bits, &nodes);
	if (error)
		return error;
	/* As on Linux a policy that prefers no node is the one that prefers the CPU's own. */
	if (mode == MPOL_PREFERRED && !nodes.any)
		mode = MPOL_LOCAL;
	if (has_nodes(mode) ? !nodes.any : nodes.any || (mode == MPOL_LOCAL && flags))
		return -EINVAL;
	/* Relative nodes are counted around those that there are; others must be among them. */
	if (has_nodes(mode) && !nodes.here && !(flags & MPOL_RELATIVE))
		return -EINVAL;
	*ret = mode == MPOL_DEFAULT ? 0 : mode | flags >> PACKED_FLAG_SHIFT;
	return 0;
}

SYSCALL_3(set_mempolicy, mode, from, bits)
{
	unsigned policy;
	int error = get_policy(mode, from, bits, &policy);

	if (!error)
		task_current()->memory_policy = policy;
	return error;
}

SYSCALL_6(mbind, va, size, mode, from, bits, flags)
{
	struct user_space *space = process_current()->space;
	const uint64_t whole = page_round_up(size);
	unsigned policy;
	int error;

	if (flags & ~(uint64_t)(MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
		return -EINVAL;
	if (flags & MPOL_MF_MOVE_ALL && !rights_can(CAP_SYS_NICE))
		return -EPERM;
	if (va % PAGE_SIZE || va + whole < va || (size && !whole))
		return -EINVAL;
	if (!whole)
		return 0;
	error = get_policy(mode, from, bits, &policy);
	if (error)
		return error;
	if (!memory_is_mapped(space, va, whole))
		return -EFAULT;
	return errno_of(memory_advise(space, va, whole, (enum user_advice)(USER_POLICY + policy)));
}

/* Return the node of the page at `va`, which is brought into memory; or -EFAULT, -ENOMEM. */
static int node_of(vaddr_t va)
{
	switch (memory_populate(process_current()->space, align_down(va, PAGE_SIZE), PAGE_SIZE, USER_READ)) {
	case OK:
		return 0;
	case ERR_NO_MEMORY:
		return -ENOMEM;
	default:
		return -EFAULT;
	}
}

/* Find what get_mempolicy(2) tells: *ret is its first result. Returns 0, -EINVAL, -EFAULT, -ENOMEM. */
static int find_policy(vaddr_t va, uint64_t flags, unsigned *ret, bool *ret_nodes)
{
	unsigned policy = task_current()->memory_policy;
	const struct area *area;

	*ret_nodes = true;
	*ret = 0;
	if (flags & MPOL_F_MEMS_ALLOWED)
		return flags & (MPOL_F_NODE | MPOL_F_ADDR) ? -EINVAL : 0;
	if (flags & MPOL_F_ADDR) {
		area = area_find(&process_current()->space->areas, va);
		if (!area)
			return -EFAULT;
		policy = (area->flags & AREA_POLICY) >> AREA_POLICY_SHIFT;
	} else if (va) {
		return -EINVAL;
	}
	*ret_nodes = has_nodes(policy & PACKED_MODE);
	if (!(flags & MPOL_F_NODE)) {
		*ret = (policy & PACKED_MODE) | (policy & ~PACKED_MODE) << PACKED_FLAG_SHIFT;
		return 0;
	}
	if (flags & MPOL_F_ADDR)
		return node_of(va);
	/* The node of the next page that is dealt out. */
	return (policy & PACKED_MODE) == MPOL_INTERLEAVE ? 0 : -EINVAL;
}

SYSCALL_5(get_mempolicy, mode_to, nodes_to, bits, va, flags)
{
	unsigned told;
	bool nodes;
	int error;

	if (flags & ~(uint64_t)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED) || (nodes_to && !bits))
		return -EINVAL;
	error = find_policy(va, flags, &told, &nodes);
	if (!error && mode_to)
		error = args_put(mode_to, &told, sizeof(told));
	return error || !nodes_to ? error : put_nodes(nodes_to, bits, nodes);
}

/*
 * Find the memory of process `pid`, whose pages the caller wants to move; 0: its own. *ret is a reference. Returns 0,
 * -ESRCH, -EPERM, -EINVAL (it has none).
 */
static int find_space(uint64_t pid, struct user_space **ret)
{
	HELD_TASK struct task *task = (int)pid ? task_find((int)pid) : task_get(task_current());

	if (!task || !task->process)
		return -ESRCH;
	if (!rights_may_trace(task->process))
		return -EPERM;
	*ret = process_get_space(task->process);
	return *ret ? 0 : -EINVAL;
}

/* migrate_pages(2): all pages are on the one node already. */
SYSCALL_4(migrate_pages, pid, bits, from, to)
{
	HELD_SPACE struct user_space *space = NULL;
	struct nodes old, new;
	int error = get_nodes(from, bits, &old);

	if (!error)
		error = get_nodes(to, bits, &new);
	if (!error)
		error = find_space(pid, &space);
	if (error)
		return error;
	if (new.any && !new.here && !rights_can(CAP_SYS_NICE))
		return -EPERM;
	return new.here ? 0 : -EINVAL;
}

/*
 * Return the node of a page of the space; or -EFAULT (nothing is mapped there, or untouched anonymous memory),
 * -ENOENT (an untouched page of a file).
 */
static int32_t state_of(struct user_space *space, vaddr_t va)
{
	const struct area *area = area_find(&space->areas, va);
	struct user_usage usage = { 0 };
	size_t budget = 1;
	struct area page;

	if (!area)
		return -EFAULT;
	page = *area;
	page.start = va = align_down(va, PAGE_SIZE);
	page.end = va + PAGE_SIZE;
	user_usage_add(space, &page, &va, &budget, &usage);
	return usage.resident ? 0 : area->object ? -ENOENT : -EFAULT;
}

/* Do one page of move_pages(2). Returns 0, -EFAULT, -ENODEV (there is no such node). */
static int move_page(struct user_space *space, uint64_t page_at, uint64_t node_at, uint64_t status_at)
{
	uint64_t va;
	int32_t node = 0, status;
	int error = args_get(&va, page_at, sizeof(va));

	if (!error)
		error = args_get_if(&node, node_at, sizeof(node));
	if (error)
		return error;
	if (node)
		return -ENODEV;
	status = state_of(space, va);
	return args_put(status_at, &status, sizeof(status));
}

/* move_pages(2): tells where pages are, or moves each to a node, which is the one where it is. */
SYSCALL_6(move_pages, pid, count, pages, nodes, statuses, flags)
{
	HELD_SPACE struct user_space *space = NULL;
	int error;

	if (flags & ~(uint64_t)(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
		return -EINVAL;
	if (flags & MPOL_MF_MOVE_ALL && !rights_can(CAP_SYS_NICE))
		return -EPERM;
	error = find_space(pid, &space);
	for (uint64_t i = 0; i < count && !error; i++) {
		error = move_page(space, pages + i * sizeof(uint64_t), nodes ? nodes + i * sizeof(int32_t) : 0,
				  statuses + i * sizeof(int32_t));
		/* After -ERESTART_MEMORY the call must return before another task runs (see args_get()). */
		if (!error && i % PAGES_STEP == PAGES_STEP - 1 && task_give_way())
			error = -EINTR;
	}
	/* The process may have ended meanwhile: then its memory is freed here. */
	if (space)
		space_shed(space);
	return error;
}
