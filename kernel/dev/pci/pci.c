/*
 * Keeps the list of the machine's PCI functions, and starts drivers for them; see pci.h.
 */
#include "kernel/dev/pci/pci.h"

#include "kernel/arch/features.h"
#include "kernel/dev/pci/pci_config.h"
#include "kernel/dev/pci/pci_scan.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/mm/frame/machine_frames.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/space/mmio.h"

#define FAULTS_MOST 32 /* lines about faults: a broken machine must not fill the log */
#define LINE        160
/*
 * How many buses without functions one pci_look() looks at, some 11,000 instructions each. The caller lets other tasks
 * run after each call: if it did so after every one of 256 buses, that would cost more than the scan itself, since the
 * switches to a task and back both load CR3.
 */
#define EMPTY_MOST 16

/* Guard of all here: tasks only, which the kernel does not preempt. */
static struct pci_function *functions; /* the list of all, sorted by address */
static bool scanned;                   /* `functions` is complete */
static unsigned ranges;                /* how many ranges of buses have been scanned, or are being scanned */
static struct pci_scan scan;           /* the scan of the latest range; valid if `scanning` */
static bool scanning;                  /* the latest range may have more functions */
static struct pci_function **latest;   /* the pointer in the list to the function found last; NULL: none was */
static unsigned faults;                /* how many faults there were, of which FAULTS_MOST are logged */

static void log_fault(void *ctx, struct pci_address a, const char *what, uint64_t value)
{
	(void)ctx;
	if (faults++ < FAULTS_MOST)
		log_warn("PCI %04x:%02x:%02x.%x: %s: %#llx\n", a.segment, a.bus, a.device, a.function, what,
			 (unsigned long long)value);
}

const struct pci_access pci_machine = { .config_read = pci_config_read,
					.config_write = pci_config_write,
					.fault = log_fault };

static bool add(void *ctx, const struct pci_function *found)
{
	struct pci_function *function = kmalloc(sizeof(*function)), **at = latest;

	(void)ctx;
	if (!function) {
		log_err("PCI: no memory for more functions\n");
		return false;
	}
	*function = *found;
	/* Functions are found nearly in the order of their addresses: begin the search at the one found last. */
	if (!at || pci_order(found->address) < pci_order((*at)->address))
		at = &functions;
	while (*at && pci_order((*at)->address) < pci_order(found->address))
		at = &(*at)->next;
	function->next = *at;
	*at = function;
	latest = at;
	return true;
}

/* Look at buses until one has functions, or EMPTY_MOST have had none, or all have been looked at. */
static void look_at_some(void)
{
	const unsigned before = scan.count;

	for (unsigned i = 0; i < EMPTY_MOST && scanning && scan.count == before; i++)
		scanning = pci_scan_step(&scan);
}

bool pci_look(void)
{
	struct pci_range range;

	if (scanned)
		return false;
	if (scanning) {
		look_at_some();
	} else if (pci_config_range(ranges, &range)) {
		ranges++;
		scanning = true;
		scan = (struct pci_scan){ .access = &pci_machine,
					  .found = add,
					  .segment = range.segment,
					  .first = range.first,
					  .last = range.last };
	} else {
		scanned = true;
		pci_config_close();
	}
	return !scanned;
}

struct pci_function *pci_functions(void)
{
	while (pci_look())
		;
	return functions;
}

struct pci_function *pci_find(struct pci_address address)
{
	struct pci_function *f = pci_functions();

	while (f && pci_order(f->address) < pci_order(address))
		f = f->next;
	return f && pci_order(f->address) == pci_order(address) ? f : NULL;
}

void pci_end(void)
{
	while (functions) {
		struct pci_function *function = functions;

		functions = function->next;
		kfree(function);
	}
	pci_config_close();
	latest = NULL;
	scanned = scanning = false;
	ranges = 0;
}

void pci_log(const struct pci_function *function, const char *format, ...)
{
	struct pci_address a = function->address;
	char text[LINE];
	va_list args;

	va_start(args, format);
	format_v(text, sizeof(text), format, args);
	va_end(args);
	log_info("PCI %04x:%02x:%02x.%x: %s\n", a.segment, a.bus, a.device, a.function, text);
}

void pci_start_driver(const struct pci_driver *driver)
{
	for (struct pci_function *f = pci_functions(); f; f = f->next) {
		if (f->driver || f->broken || !driver->claims(f))
			continue;
		pci_size_bars(&pci_machine, f);
		f->driver = driver;
		if (f->broken || !driver->start(f))
			f->driver = NULL;
		pci_config_close();
	}
}

void pci_stop_driver(const struct pci_driver *driver)
{
	for (struct pci_function *f = functions; f; f = f->next) {
		if (f->driver != driver)
			continue;
		driver->stop(f);
		f->driver = NULL;
		pci_config_close();
	}
}

uint32_t pci_read(const struct pci_function *function, uint16_t offset)
{
	return pci_config_read(NULL, function->address, offset);
}

void pci_write(const struct pci_function *function, uint16_t offset, uint32_t value)
{
	pci_config_write(NULL, function->address, offset, value);
}

void pci_enable(const struct pci_function *function)
{
	/* The register's upper half is the status, whose bits are cleared by writing ones: write zeros there. */
	uint32_t command = pci_read(function, PCI_COMMAND) & 0xffff;

	pci_write(function, PCI_COMMAND, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTERRUPT);
}

void pci_disable(const struct pci_function *function)
{
	uint32_t command = pci_read(function, PCI_COMMAND) & 0xffff;

	pci_write(function, PCI_COMMAND, (command & ~PCI_COMMAND_MASTER) | PCI_COMMAND_NO_INTERRUPT);
}

enum status pci_map_bar(const struct pci_function *function, unsigned bar, void **ret, uint64_t *ret_size)
{
	const struct pci_bar *b = &function->bars[bar];
	const char *wrong = b->kind == PCI_BAR_IO ? "is one of ports" : NULL;
	enum status status;

	if (!wrong)
		wrong = pci_bar_wrong(b, machine_memmap, 1ULL << cpu_features()->physical_bits);
	if (wrong) {
		pci_log(function, "BAR %u at %#llx of %#llx bytes %s", bar, (unsigned long long)b->address,
			(unsigned long long)b->size, wrong);
		return ERR_RANGE;
	}
	status = mmio_map(paddr(b->address), b->size, PROT_UC, ret);
	if (status == OK)
		*ret_size = b->size;
	else
		pci_log(function, "BAR %u at %#llx cannot be mapped, status %d", bar, (unsigned long long)b->address,
			status);
	return status;
}
