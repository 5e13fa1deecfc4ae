/*
 * Where assembly finds fields of struct task (kernel/task/task.h asserts it).
 */
#pragma once

#define TASK_SIGNALS_WANTED 0
