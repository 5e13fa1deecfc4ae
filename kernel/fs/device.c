/*
 * The list of registered devices, by which an open of a device node finds the driver.
 */
#include "kernel/fs/device.h"

#include "kernel/fs/credentials.h"
#include "kernel/lib/string.h"

/* List of all devices, by `next`. Guard: tasks only, which the kernel does not preempt. */
static struct device *devices;

/* The argument of device_make_first_nodes(), /dev of the first root; its reference is never dropped. Fixed when set */
static struct node *first_dev;

static struct device *find(uint64_t number)
{
	struct device *device = devices;

	while (device && device->number != number &&
	       !(device->all_minors && DEVICE_MAJOR(device->number) == DEVICE_MAJOR(number)))
		device = device->next;
	return device;
}

int device_register(struct device *device)
{
	if (find(device->number))
		return -EEXIST;
	device->next = devices;
	devices = device;
	return 0;
}

int device_open(struct node *node, struct file *file)
{
	struct device *device = node_is(node, S_IFCHR) ? find(node->device) : NULL;

	return device ? device->open(device, file) : -ENXIO;
}

/* Return the permissions of a device's node, as Linux chooses them. */
static uint32_t permissions_of(uint64_t number)
{
	if (number == DEVICE_NUMBER(DEVICE_MEM_MAJOR, DEVICE_KMSG_MINOR))
		return 0644;
	if (DEVICE_MAJOR(number) == DEVICE_MEM_MAJOR || number == DEVICE_NUMBER(DEVICE_TTYAUX_MAJOR, 0) ||
	    number == DEVICE_NUMBER(DEVICE_TTYAUX_MAJOR, 2))
		return 0666;
	/* All other devices are root's alone; login(1) gives a terminal to the user who logs in there. */
	return 0600;
}

int device_make_nodes(struct node *dev)
{
	for (struct device *device = devices; device; device = device->next) {
		struct name name = { device->name, device->all_minors ? 0 : strlen(device->name) };
		int error = device->all_minors
				    ? 0
				    : node_create(dev, name, &credentials_first,
						  S_IFCHR | permissions_of(device->number), device->number, NULL);

		if (error && error != -EEXIST)
			return error;
	}
	return 0;
}

int device_make_first_nodes(struct node *dev)
{
	first_dev = node_get(dev);
	return device_make_nodes(dev);
}

int device_make_late_nodes(void)
{
	return first_dev ? device_make_nodes(first_dev) : 0;
}
