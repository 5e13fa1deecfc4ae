/*
 * The monitor's reports as files: /sys/kernel/ankeos.
 */
#pragma once

/* Make them known to sysfs. Once, before it is mounted. */
void sys_reports_init(void);
