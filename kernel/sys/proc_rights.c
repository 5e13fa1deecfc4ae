/*
 * Adds the lines of /proc/PID/status about credentials, capabilities and seccomp.
 */
#include "kernel/sys/proc.h"
#include "kernel/task/rights.h"
#include "kernel/task/seccomp.h"

const struct credentials *proc_credentials_of(const struct proc_subject *subject)
{
	const struct credentials *who = subject->task ? rights_of_task(subject->task) : NULL;

	/* The task may have ended since it was found, and then has no credentials of its own any more. */
	return who ? who : rights_of_process(subject->process);
}

static void add_four(struct text *text, const char *words, const struct ids *ids)
{
	text_add(text, "%s%u\t%u\t%u\t%u\n", words, ids->real, ids->effective, ids->saved, ids->fs);
}

void proc_add_ids(const struct credentials *who, struct text *ret)
{
	add_four(ret, "Uid:\t", &who->uid);
	add_four(ret, "Gid:\t", &who->gid);
}

bool proc_add_groups(const struct credentials *who, uint64_t *next, size_t enough, struct text *ret)
{
	const uint64_t count = who->groups ? who->groups->count : 0;

	for (; *next < count && ret->size < enough && !ret->lost; ++*next) {
		if (*next)
			text_add_char(ret, ' ');
		text_add_number(ret, who->groups->gids[*next]);
	}
	if (*next < count)
		return false;
	text_add_string(ret, " \n");
	return true;
}

void proc_add_mask(struct text *text, const char *words, uint64_t bits)
{
	text_add_string(text, words);
	text_add_hex(text, bits, 16);
	text_add_char(text, '\n');
}

void proc_add_capabilities(const struct credentials *who, struct text *ret)
{
	proc_add_mask(ret, "CapInh:\t", who->inheritable);
	proc_add_mask(ret, "CapPrm:\t", who->permitted);
	proc_add_mask(ret, "CapEff:\t", who->effective);
	proc_add_mask(ret, "CapBnd:\t", who->bounding);
	proc_add_mask(ret, "CapAmb:\t", who->ambient);
}

void proc_add_seccomp(const struct task *task, struct text *ret)
{
	const struct seccomp_filter *filter = task ? task->rights.filter : NULL;

	text_add_line(ret, "NoNewPrivs:\t", task && task->rights.no_new_rights);
	text_add_line(ret, "Seccomp:\t", task ? task->rights.seccomp_mode : SECCOMP_OFF);
	text_add_line(ret, "Seccomp_filters:\t", filter ? filter->depth : 0);
}
