/*
 * Starts the other CPUs of the machine.
 */
#pragma once

/*
 * Start the CPUs that the ACPI tables list, and let tasks run on them. `cmdline`: maxcpus=N limits their number, with
 * the first one, and nosmp starts none. Logs how many run, and each that does not. Call on the CPU that has started the
 * machine, in the kernel context, after task_init() and before the first program.
 */
void cpus_start(const char *cmdline);
