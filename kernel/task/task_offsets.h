/*
 * Where assembly finds fields of struct task: offsets in bytes, which kernel/task/task.h asserts.
 */
#pragma once

#define TASK_SIGNALS_WANTED 0
