/*
 * Offsets in bytes of fields of struct task, for assembly; kernel/task/task.h asserts them.
 */
#pragma once

#define TASK_SIGNALS_WANTED 0 /* two bytes: signals.wanted and signals.refused */
