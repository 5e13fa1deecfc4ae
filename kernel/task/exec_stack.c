/*
 * Writes the content of a program's first stack: from its end downwards the strings, the auxiliary vector, environment
 * and arguments (System V ABI, AMD64 supplement, "Initial Process Stack"; getauxval(3)). The content is written into a
 * buffer of the kernel; exec_load.c copies it to the program's memory.
 */
#include "kernel/arch/cpu.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/task/exec_internal.h"

enum {
	AT_NULL = 0,
	AT_PHDR = 3,
	AT_PHENT = 4,
	AT_PHNUM = 5,
	AT_PAGESZ = 6,
	AT_BASE = 7,
	AT_FLAGS = 8,
	AT_ENTRY = 9,
	AT_UID = 11,
	AT_EUID = 12,
	AT_GID = 13,
	AT_EGID = 14,
	AT_PLATFORM = 15,
	AT_HWCAP = 16,
	AT_CLKTCK = 17,
	AT_SECURE = 23,
	AT_RANDOM = 25,
	AT_HWCAP2 = 26,
	AT_EXECFN = 31,
	AT_SYSINFO_EHDR = 33,
	AT_MINSIGSTKSZ = 51,
};

#define PROGRAM_HEADER_SIZE 56
#define CLOCK_TICKS         100
#define RANDOM_BYTES        16
#define AUX_WORDS           (2 * 21)
#define HWCAP2_FSGSBASE     2
#define SIGNAL_FRAME_MIN    4096 /* value of AT_MINSIGSTKSZ: more than a signal frame with AVX-512's state takes */

static const char platform[] = "x86_64";

/* The auxiliary vector that is being written. */
struct aux {
	uint64_t *at; /* where the next entry goes */
};

static void add(struct aux *aux, uint64_t type, uint64_t value)
{
	*aux->at++ = type;
	*aux->at++ = value;
}

/*
 * Find how many bytes all strings of a list have, and how many strings there are. Returns false when the task must end.
 */
static bool list_size(const char *const *list, uint64_t *ret_size, size_t *ret_count)
{
	*ret_size = 0;
	for (*ret_count = 0; list[*ret_count]; ++*ret_count) {
		*ret_size += strlen(list[*ret_count]) + 1;
		if (exec_give_way())
			return false;
	}
	return true;
}

bool exec_stack_measure(const struct exec_strings *strings, struct exec_sizes *ret)
{
	struct exec_sizes s;

	if (!list_size(strings->argv, &s.args, &s.argc) || !list_size(strings->envp, &s.env, &s.envc))
		return false;
	s.path = strlen(strings->path) + 1;
	/* 8 more bytes are for a last word of 0, as on Linux. */
	s.strings = align_up(s.args + s.env + s.path + sizeof(platform) + RANDOM_BYTES + 8, 16);
	s.words = align_up((1 + s.argc + 1 + s.envc + 1 + AUX_WORDS) * 8, 16);
	*ret = s;
	return true;
}

/* Where the next bytes go: address in the buffer, and address in the program's memory. */
struct string_place {
	uint8_t *at;
	vaddr_t va;
};

static vaddr_t put(struct string_place *place, const void *bytes, size_t size)
{
	vaddr_t va = place->va;

	memcpy(place->at, bytes, size);
	place->at += size;
	place->va += size;
	return va;
}

/* Put the strings of a list, and at `words` their addresses and a 0. Returns the next word; NULL: the task must end. */
static uint64_t *put_list(struct string_place *place, uint64_t *words, const char *const *list)
{
	size_t done = 0; /* bytes of strings and words since other tasks could run */

	for (; *list; list++) {
		const size_t size = strlen(*list) + 1;

		*words++ = put(place, *list, size);
		done += size + sizeof(*words);
		if (done < EXEC_STACK_STEP)
			continue;
		done = 0;
		if (exec_give_way())
			return NULL;
	}
	*words++ = 0;
	return words;
}

bool exec_stack_fill(uint8_t *content, const struct exec_sizes *sizes, const struct exec_strings *strings,
		     const struct exec_start *start, struct exec_image *ret)
{
	uint64_t size = sizes->words + sizes->strings;
	struct string_place place = { content + sizes->words, start->top - sizes->strings };
	uint64_t *words = (uint64_t *)content;
	uint8_t random[RANDOM_BYTES];
	vaddr_t random_va, platform_va, path_va;
	struct aux aux;

	random_bytes(random, sizeof(random));
	random_va = put(&place, random, sizeof(random));
	platform_va = put(&place, platform, sizeof(platform));
	ret->stack = start->top - size;
	*words++ = sizes->argc;
	ret->args_start = place.va;
	words = put_list(&place, words, strings->argv);
	if (!words)
		return false;
	ret->args_end = ret->env_start = place.va;
	words = put_list(&place, words, strings->envp);
	if (!words)
		return false;
	ret->env_end = place.va;
	path_va = put(&place, strings->path, sizes->path);

	aux.at = words;
	ret->aux_start = ret->stack + (uint64_t)((uint8_t *)words - content);
	add(&aux, AT_SYSINFO_EHDR, start->vdso);
	add(&aux, AT_HWCAP, cpu_cpuid(1, 0).edx);
	add(&aux, AT_PAGESZ, PAGE_SIZE);
	add(&aux, AT_CLKTCK, CLOCK_TICKS);
	add(&aux, AT_PHDR, start->headers);
	add(&aux, AT_PHENT, PROGRAM_HEADER_SIZE);
	add(&aux, AT_PHNUM, start->header_count);
	add(&aux, AT_BASE, start->base);
	add(&aux, AT_FLAGS, 0);
	add(&aux, AT_ENTRY, start->entry);
	add(&aux, AT_UID, ret->who->uid.real);
	add(&aux, AT_EUID, ret->who->uid.effective);
	add(&aux, AT_GID, ret->who->gid.real);
	add(&aux, AT_EGID, ret->who->gid.effective);
	add(&aux, AT_SECURE, ret->secure);
	add(&aux, AT_RANDOM, random_va);
	add(&aux, AT_HWCAP2, cpu_read_cr4() & CR4_FSGSBASE ? HWCAP2_FSGSBASE : 0);
	add(&aux, AT_EXECFN, path_va);
	add(&aux, AT_PLATFORM, platform_va);
	add(&aux, AT_MINSIGSTKSZ, SIGNAL_FRAME_MIN);
	add(&aux, AT_NULL, 0);
	ret->aux_end = ret->aux_start + (uint64_t)(aux.at - words) * sizeof(*words);
	ASSERT(aux.at - words <= AUX_WORDS && place.at <= content + size);
	return true;
}
