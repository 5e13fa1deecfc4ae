/*
 * Makes the notes of a core file.
 */
#include "kernel/sys/core_notes.h"

#include "kernel/arch/fpu.h"
#include "kernel/fs/content.h"
#include "kernel/fs/path.h"
#include "kernel/fs/text.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/give_way.h"
#include "kernel/task/ptrace_registers.h"
#include "kernel/task/usage.h"

enum note_type {
	NT_PRSTATUS = 1,
	NT_PRFPREG = 2,
	NT_PRPSINFO = 3,
	NT_AUXV = 6,
	NT_X86_XSTATE = 0x202,
	NT_FILE = 0x46494c45,
	NT_SIGINFO = 0x53494749,
};

#define SIGINFO_SIZE 128
#define AUXV_MOST    352 /* bytes of the buffer for the auxiliary vector, which exec never makes longer */

/* Linux's struct elf_prstatus. */
struct thread_status {
	int32_t signal, code, error;
	int16_t current_signal;
	uint64_t pending, blocked;
	int32_t tid, parent, group, session;
	struct linux_timeval user, system, children_user, children_system;
	struct ptrace_registers registers;
	int32_t fpu_valid;
};

_Static_assert(sizeof(struct thread_status) == 336, "Linux's struct elf_prstatus");

/* Linux's struct elf_prpsinfo. */
struct process_status {
	char state, letter, zombie, nice;
	uint64_t flags;
	uint32_t uid, gid;
	int32_t pid, parent, group, session;
	char name[TASK_NAME];
	char arguments[80];
};

_Static_assert(sizeof(struct process_status) == 136, "Linux's struct elf_prpsinfo");

/* Add a note: its header, its owner's name, and its content, each a multiple of 4 bytes. */
static void put_note(struct core_file *to, const char *owner, enum note_type type, const void *content, size_t size)
{
	static const uint8_t zeros[4];
	const uint32_t owner_size = (uint32_t)strlen(owner) + 1;
	const uint32_t header[3] = { owner_size, (uint32_t)size, type };

	core_put(to, header, sizeof(header));
	core_put(to, owner, owner_size);
	core_put(to, zeros, -owner_size & 3);
	core_put(to, content, size);
	core_put(to, zeros, -size & 3);
}

static int parent_of(const struct process *process)
{
	return process->parent ? process->parent->pid : 0;
}

static void put_thread(struct core_file *to, struct task *task, int signal)
{
	const struct process *process = task->process;
	const struct usage used = task_usage(task);
	struct thread_status status;

	memset(&status, 0, sizeof(status));
	status.signal = signal;
	status.current_signal = (int16_t)signal;
	status.pending = task->signals.set.pending;
	status.blocked = task->signals.blocked;
	status.tid = task->tid;
	status.parent = parent_of(process);
	status.group = process->group;
	status.session = process->session;
	status.user = timeval_from_ns(used.user_ns);
	status.system = timeval_from_ns(used.system_ns);
	status.children_user = timeval_from_ns(process->children_used.user_ns);
	status.children_system = timeval_from_ns(process->children_used.system_ns);
	status.fpu_valid = 1;
	ptrace_get_registers(task, &status.registers);
	put_note(to, "CORE", NT_PRSTATUS, &status, sizeof(status));
}

static void put_fpu(struct core_file *to, const struct task *task, uint8_t *state)
{
	ptrace_get_fpu(task, state);
	put_note(to, "CORE", NT_PRFPREG, state, FPU_LEGACY_SIZE);
	if (fpu_has_header())
		put_note(to, "LINUX", NT_X86_XSTATE, state, ptrace_fpu_size());
}

static void put_process(struct core_file *to)
{
	const struct process *process = process_current();
	const struct credentials *who = rights_current();
	struct process_status status;
	const uint64_t size = process->args_end - process->args_start, most = sizeof(status.arguments) - 1;

	memset(&status, 0, sizeof(status));
	status.letter = 'R';
	status.uid = who->uid.real;
	status.gid = who->gid.real;
	status.pid = process->pid;
	status.parent = parent_of(process);
	status.group = process->group;
	status.session = process->session;
	memcpy(status.name, task_current()->name, sizeof(status.name));
	if (args_get(status.arguments, process->args_start, size < most ? size : most) != 0)
		status.arguments[0] = '\0';
	for (uint64_t i = 0; i + 1 < size && i < most; i++)
		if (!status.arguments[i])
			status.arguments[i] = ' ';
	put_note(to, "CORE", NT_PRPSINFO, &status, sizeof(status));
}

static void put_siginfo(struct core_file *to, const struct core_notes *notes)
{
	uint8_t info[SIGINFO_SIZE] = { 0 };

	memcpy(info, notes->info, sizeof(*notes->info));
	memcpy(info, &notes->signal, sizeof(notes->signal));
	put_note(to, "CORE", NT_SIGINFO, info, sizeof(info));
}

static void put_auxv(struct core_file *to)
{
	const struct process *process = process_current();
	const uint64_t size = process->aux_end - process->aux_start;
	uint8_t vector[AUXV_MOST];

	if (size <= sizeof(vector) && args_get(vector, process->aux_start, size) == 0)
		put_note(to, "CORE", NT_AUXV, vector, size);
}

void core_list_files(struct text *text)
{
	const struct process *process = process_current();
	const struct area_tree *areas = &process->space->areas;
	char *path = kmalloc(PATH_MAX);
	uint64_t words[3] = { 0, PAGE_SIZE }; /* number of files, counted up below in the text; unit of offsets */
	size_t size;

	text_add_bytes(text, words, 2 * sizeof(words[0]));
	for (const struct area *area = area_find_from(areas, 0); area; area = area_next(area)) {
		if (!content_node(area->object))
			continue;
		words[0] = area->start;
		words[1] = area->end;
		words[2] = area->offset;
		text_add_bytes(text, words, sizeof(words));
		(void)task_give_way();
	}
	text->lost |= !path;
	for (const struct area *area = area_find_from(areas, 0); area && !text->lost; area = area_next(area)) {
		if (!content_node(area->object))
			continue;
		if (path_of_node(&process->paths.root, content_node(area->object), path, PATH_MAX, &size) != 0)
			format_s(path, PATH_MAX, "?");
		text_add_bytes(text, path, strlen(path) + 1);
		++*(uint64_t *)(void *)text->bytes;
		(void)task_give_way();
	}
	kfree(path);
}

void core_put_notes(struct core_file *to, const struct core_notes *notes)
{
	struct task *first = task_current();
	uint8_t *state = kmalloc(ptrace_fpu_size());

	to->failed |= !state;
	if (!state)
		return;
	put_thread(to, first, notes->signal);
	put_process(to);
	put_siginfo(to, notes);
	put_auxv(to);
	if (!notes->files->lost)
		put_note(to, "CORE", NT_FILE, notes->files->bytes, notes->files->size);
	put_fpu(to, first, state);
	PROCESS_EACH_TASK(first->process, task) {
		if (task == first)
			continue;
		put_thread(to, task, notes->signal);
		put_fpu(to, task, state);
		(void)task_give_way();
	}
	kfree(state);
}
