/*
 * Contexts on the host: CR3 is a variable, and the CPU's TLB a model that never forgets by itself. An access through
 * it that a flush should have stopped ends the test.
 */
#pragma once

#include "kernel/mm/user/memory_object.h"
#include "kernel/mm/user/user_space.h"

/* CR3 writes so far. */
extern unsigned host_cr3_writes;

/* Start over: the kernel context, with no space of its own; frames come from machine_frame_cache, seen at direct + pa. */
void context_host_start(uintptr_t direct);

/*
 * What a program in `space` does: the access, a fault if the CPU refuses, the access again. *ret is where the byte
 * at `va` is. Returns what user_fault returned. The space is loaded as long as it takes.
 */
enum status user_touch(struct user_space *space, vaddr_t va, enum user_rights access, void **ret);

/* For uaccess: whose pointers are used. */
extern struct user_space *host_user_space;
