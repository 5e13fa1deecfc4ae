/*
 * Generates the contents of the files that show PCI to programs. For kernel/sys/pci_files.c and pci_text.c only.
 */
#pragma once

#include "kernel/dev/pci/pci.h"
#include "kernel/fs/text_file.h"

/* A file of a function in /sys. */
struct pci_file {
	const char *name;
	text_make_fn *make; /* generates the content, or a link's target */
	bool is_driver;     /* the file is the link to the driver, which exists only while the function has a driver */
};

#define PCI_SYS_FILES_MOST 16

/* The files of each function, in the order of a listing; `name` is NULL behind the last one. */
extern const struct pci_file pci_sys_files[PCI_SYS_FILES_MOST];

/* Generate a function's configuration space, and /proc/bus/pci/devices with a line for each function. */
text_make_fn pci_make_config, pci_make_devices;

/* Return the function that a node is about (pci_files.c); NULL: there is none any more. */
const struct pci_function *pci_files_function(struct node *node);

/* Return the first function whose place in the order (pci_order()) is `least` or behind; NULL: there is none. */
const struct pci_function *pci_files_first(uint64_t least);
