/*
 * Starts the other CPUs of the machine.
 */
#pragma once

/*
 * Start the CPUs that the ACPI tables list, and let tasks run on them. `cmdline`: maxcpus=N limits the number of CPUs,
 * the first one included, and nosmp starts none. Logs how many run, and each that does not. Call on the first CPU, in
 * the kernel context, after task_init() and before the first program.
 */
void cpus_start(const char *cmdline);
