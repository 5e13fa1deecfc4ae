/*
 * The files that show PCI to programs: /proc/bus/pci and /sys/bus/pci/devices.
 */
#pragma once

#include "kernel/fs/text_fs.h"

/* Add the files to the kind of file system of /proc, and to sysfs. Call once, before these are mounted. */
void pci_files_init(struct text_fs_type *proc);
