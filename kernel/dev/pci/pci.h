/*
 * The machine's PCI functions and their drivers. Only a function that a driver claims is changed in any way. The
 * function's bus mastering is on from pci_enable() to pci_disable().
 *
 * Guard of all here: tasks only, which the kernel does not preempt. Call in the kernel context, never in an interrupt
 * handler.
 */
#pragma once

#include "kernel/dev/pci/pci_function.h"
#include "kernel/irq/irq.h"

/* A driver of PCI functions. Its fields never change. */
struct pci_driver {
	const char *name;
	/* Return whether the driver is for this function. */
	bool (*claims)(const struct pci_function *function);
	/*
	 * Take a claimed function into use, whose BARs have been sized; may wait. Logs what is wrong, and returns
	 * false, with the function as before, when it cannot be used.
	 */
	bool (*start)(struct pci_function *function);
	/* Stop the function that `start` has started, and give back all that it took. */
	void (*stop)(struct pci_function *function);
};

/* The machine's configuration space, for the functions of pci_function.h that take a struct pci_access. */
extern const struct pci_access pci_machine;

/*
 * Look for functions on some more buses, of the 256 that a machine usually has: up to one that has any, 16 at the most,
 * which takes 200,000 instructions. Returns false when there is nothing left to look at: then pci_functions() takes no
 * time. The caller may let other tasks run between two calls.
 */
bool pci_look(void);

/*
 * Return the first function of the list of all, or NULL when there is none. Scans what pci_look() has not looked at
 * yet; starts no driver. The list stays as it is until pci_end().
 */
struct pci_function *pci_functions(void);

/* Return the function at an address, as pci_functions() lists it; NULL: there is none. */
struct pci_function *pci_find(struct pci_address address);

/* Return a number by which addresses are sorted: segment, bus, device, function. */
static inline uint32_t pci_order(struct pci_address a)
{
	return (uint32_t)a.segment << 16 | (uint32_t)a.bus << 8 | (uint32_t)a.device << 3 | a.function;
}

/* Forget all functions; their drivers must have been stopped. The next pci_functions() finds them again. */
void pci_end(void);

/*
 * Start a driver for all functions that it claims and no other driver has; or stop it for all functions that it has
 * started.
 */
void pci_start_driver(const struct pci_driver *driver);
void pci_stop_driver(const struct pci_driver *driver);

/* Read or write 4 bytes of a function's configuration space; `offset` is a multiple of 4. */
uint32_t pci_read(const struct pci_function *function, uint16_t offset);
void pci_write(const struct pci_function *function, uint16_t offset, uint32_t value);

/*
 * Let a function answer at its memory BARs, and read and write memory by itself (bus mastering), without its INTx
 * interrupt; pci_disable() turns bus mastering off, with which MSI and MSI-X end, too.
 */
void pci_enable(const struct pci_function *function);
void pci_disable(const struct pci_function *function);

/*
 * Map a memory BAR as uncached device memory: *ret is the mapping, *ret_size its size in bytes. Undo with mmio_unmap().
 * Returns ERR_RANGE when the BAR is one of ports, or pci_bar_wrong() finds fault with it; or mmio_map()'s errors. An
 * error is logged, and leaves nothing mapped.
 */
MUST_CHECK enum status pci_map_bar(const struct pci_function *function, unsigned bar, void **ret, uint64_t *ret_size);

/* Log a line about a function, and put its name in front: "PCI 0000:00:03.0: ". */
__attribute__((format(printf, 2, 3))) void pci_log(const struct pci_function *function, const char *format, ...);

/* The interrupt of a function by messages (MSI-X or MSI). Fixed when made. */
struct pci_interrupt {
	unsigned vector;
	void *table; /* the mapped table of MSI-X; NULL: the function uses MSI */
};

/*
 * Have `handler` called for the function's interrupts, all of which use one vector of this CPU: by MSI-X if the
 * function has it, or else by MSI. Returns ERR_NOT_FOUND when the function has neither, or when this CPU's APIC ID is
 * too large for messages: then the caller has to poll; or the errors of irq_vector_alloc() and mmio_map(). After an
 * error no interrupt is turned on. pci_interrupt_stop() undoes it.
 */
MUST_CHECK enum status pci_interrupt_start(const struct pci_function *function, irq_handler_fn *handler, void *ctx,
					   struct pci_interrupt *ret);
void pci_interrupt_stop(const struct pci_function *function, struct pci_interrupt *interrupt);
