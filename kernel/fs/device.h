/*
 * Devices: which driver a device node's number stands for; and the drivers that need no hardware: null, zero, full,
 * random, urandom, kmsg.
 */
#pragma once

#include "kernel/fs/file.h"

/* Linux's device numbers (Documentation/admin-guide/devices.txt); all are character devices'. */
enum device_numbers {
	DEVICE_MEM_MAJOR = 1,    /* minors: 3 null, 5 zero, 7 full, 8 random, 9 urandom, 11 kmsg */
	DEVICE_TTY_MAJOR = 4,    /* minors: 0 the console's screen, 64 the first serial port */
	DEVICE_TTYAUX_MAJOR = 5, /* minors: 0 the task's own terminal, 1 the console */
};

/* A driver's device. Guard: fixed when it is added. */
struct device {
	const char *name; /* the node's name in /dev */
	uint64_t number;  /* made by DEVICE_NUMBER */
	/* Give the new open file its `ops`, `data`, `properties`. Returns 0 or the error that open(2) returns. */
	int (*open)(struct device *device, struct file *file);
	void *data;          /* the driver's own */
	struct device *next; /* used by device.c */
};

/*
 * Have nodes of device->number lead to `device` from now on; it must last. Returns 0 or -EEXIST: the number is taken.
 */
int device_register(struct device *device);

/* Open the device of `node`; file_open calls this. Returns -ENXIO when no device has the number. */
int device_open(struct node *node, struct file *file);

/* Register the devices of DEVICE_MEM_MAJOR. Once. */
void device_init(void);

/*
 * Make a node (mode 0666, /dev/console 0600) in `dev` for each registered device that has none there. Returns 0,
 * -ENOMEM or -ENOSPC.
 */
int device_make_nodes(struct node *dev);
