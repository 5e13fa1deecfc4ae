/*
 * The reports of the monitor (the kernel's own prompt) as files, under /sys/kernel/ankeos.
 */
#pragma once

/* Add the files to sysfs. Called once, before sysfs is mounted. */
void sys_reports_init(void);
