/*
 * Devices: which driver serves which device number. The drivers without hardware (null, zero, full, random, urandom,
 * kmsg) are in memory_devices.c and kmsg.c.
 */
#pragma once

#include "kernel/fs/file.h"

/* Linux's numbers of character devices (Documentation/admin-guide/devices.txt). */
enum device_numbers {
	DEVICE_MEM_MAJOR = 1, /* minors: 3 null, 5 zero, 7 full, 8 random, 9 urandom, 11 kmsg */
	DEVICE_KMSG_MINOR = 11,
	DEVICE_TTY_MAJOR = 4,    /* minors: 0 the console's screen, 64 the first serial port */
	DEVICE_TTYAUX_MAJOR = 5, /* minors: 0 the task's own terminal, 1 the console, 2 ptmx */
	DEVICE_FB_MAJOR = 29,    /* minor 0 fb0 */
	DEVICE_RTC_MAJOR = 254,  /* the first major number that Linux assigns at boot; minor 0 rtc0 */
};

/* A device that a driver registers. Guard: fixed when it is added. */
struct device {
	const char *name; /* the node's name in /dev */
	uint64_t number;  /* made by DEVICE_NUMBER */
	/* Set `ops`, `data` and `properties` of a file being opened. Returns 0 or the error that open(2) returns. */
	int (*open)(struct device *device, struct file *file);
	void *data;          /* for the driver's own use */
	bool all_minors;     /* the device has all minor numbers of its major number, and no node in /dev */
	struct device *next; /* next in the list of devices; set by device_register() */
};

/*
 * Have device nodes with device->number open `device` from now on. `device` must stay valid for ever. Returns 0, or
 * -EEXIST when the number is taken.
 */
int device_register(struct device *device);

/* Open the device of `node`; file_open calls this. Returns -ENXIO when no device has the number. */
int device_open(struct node *node, struct file *file);

/* Register the devices of DEVICE_MEM_MAJOR. Call once. */
void device_init(void);

/* Make a node in `dev` for each registered device that has none there. Returns 0, -ENOMEM or -ENOSPC. */
int device_make_nodes(struct node *dev);

/*
 * device_make_first_nodes() does device_make_nodes() in `dev`, /dev of the first root, and remembers that directory;
 * call it once. device_make_late_nodes() makes nodes there for the devices registered since. A file system that a
 * program has mounted at /dev does not get these.
 */
int device_make_first_nodes(struct node *dev);
int device_make_late_nodes(void);
