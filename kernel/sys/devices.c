/*
 * Has the list of drivers for devices on PCI, and the task that starts and serves the devices; see devices.h.
 */
#include "kernel/sys/devices.h"

#include "kernel/dev/hvc.h"
#include "kernel/dev/keyboard.h"
#include "kernel/dev/screen.h"
#include "kernel/dev/serial_choice.h"
#include "kernel/dev/serial_pci.h"
#include "kernel/dev/usb/usb.h"
#include "kernel/fs/sysfs.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/log.h"
#include "kernel/lib/time.h"
#include "kernel/sys/terminals.h"
#include "kernel/task/sched.h"
#include "kernel/task/wait_until.h"

/* All drivers, in the order in which they are started, and their directories in /sys, which are empty. */
static const struct {
	const struct pci_driver *driver;
	const char *path;
} drivers[] = { { &serial_pci_driver, "bus/pci/drivers/serial" },
		{ &hvc_driver, "bus/pci/drivers/virtio-pci" },
		{ &usb_xhci_driver, "bus/pci/drivers/xhci_hcd" } };

#define DRIVERS (sizeof(drivers) / sizeof(drivers[0]))

/* Guard of the next variables: tasks only, which the kernel does not preempt. */
static bool running;                                   /* the task that runs serve() exists */
static bool ending;                                    /* the task is to end */
static struct wait_queue changes = WAIT_QUEUE_INITIAL; /* waiters for `ending` to be set or `running` to be cleared */

static void wait(bool (*ready)(void *ctx), void *ctx, uint64_t deadline_ns)
{
	(void)WAIT_IN_QUEUE(&usb_queue, ready(ctx), deadline_ns);
}

/* If there is no keyboard, log where one was looked for: as an error if there is no serial port to type at, either. */
static void settled(void)
{
	if (keyboard_present() || usb_keyboards())
		return;
	if (serial_leading() || hvc_present())
		log_warn("no keyboard: no controller at port 0x60, none at USB (xHCI controllers: %u); "
			 "the serial port takes what is typed\n",
			 usb_controllers());
	else
		log_err("nothing to type at: no keyboard controller at port 0x60, "
			"no keyboard at USB (xHCI controllers: %u), no serial port\n",
			usb_controllers());
}

static bool has_devices(void)
{
	for (const struct pci_function *f = pci_functions(); f; f = f->next)
		if (f->driver)
			return true;
	return false;
}

/*
 * Find all functions on PCI. That takes millions of instructions, and programs that compute meanwhile should hardly
 * notice: if any task waits for the CPU, this one sleeps after each piece of the work, four times as long as it took.
 */
static void look_at_buses(void)
{
	uint64_t begun = clock_monotonic_ns(), now;

	while (!ending && pci_look()) {
		now = clock_monotonic_ns();
		if (sched_is_alone())
			task_give_cpu();
		else
			(void)WAIT_IN_QUEUE(&changes, ending, time_add_times(now, 4, now - begun));
		begun = clock_monotonic_ns();
	}
}

static void serve(void *argument)
{
	(void)argument;
	look_at_buses();
	for (size_t i = 0; i < DRIVERS && !ending; i++)
		pci_start_driver(drivers[i].driver);
	terminals_add_ports();
	usb_run(settled);
	if (has_devices())
		(void)WAIT_IN_QUEUE(&changes, ending, TASK_NO_DEADLINE);
	for (size_t i = DRIVERS; i > 0; i--)
		pci_stop_driver(drivers[i - 1].driver);
	pci_end();
	running = false;
	wait_queue_wake(&changes);
}

void devices_files_init(void)
{
	static struct text_entry entries[DRIVERS]; /* fixed after boot */
	/* Directories of block devices, empty as there are none; programs expect the directories. Fixed after boot. */
	static struct text_entry no_disks[] = {
		{ .path = "block", .mode = S_IFDIR | 0555 },
		{ .path = "class/block", .mode = S_IFDIR | 0555 },
		{ .path = "dev/block", .mode = S_IFDIR | 0555 },
	};

	for (size_t i = 0; i < DRIVERS; i++)
		entries[i] = (struct text_entry){ .path = drivers[i].path, .mode = S_IFDIR | 0555 };
	sysfs_add(entries, DRIVERS);
	sysfs_add(no_disks, sizeof(no_disks) / sizeof(no_disks[0]));
}

void devices_start(void)
{
	static const struct usb_host usb = { .wait = wait, .keys = terminals_take_keys };
	struct task *task;

	if (running)
		return;
	if (task_create("devices", false, &task) != 0) {
		log_err("devices: no memory to look for them\n");
		return;
	}
	usb_init(&usb);
	ending = false;
	running = true;
	task_start_kernel(task, serve, NULL);
}

void devices_end(void)
{
	ending = true;
	usb_end();
	wait_queue_wake(&changes);
	(void)WAIT_IN_QUEUE(&changes, !running, TASK_NO_DEADLINE);
}
