/*
 * Finds the serial ports and chooses the consoles; see serial_choice.h.
 */
#include "kernel/dev/serial_choice.h"

#include "kernel/dev/serial_internal.h"
#include "kernel/dev/serial_pci.h"
#include "kernel/irq/irq.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/digit.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mm/space/mmio.h"

#define BAUD_MAX     115200
#define WORD_MOST    48
#define ADDRESS_MOST ((1ULL << 52) - 1) /* the largest physical address of any CPU */

/* What console= or earlycon= asks for. */
struct wanted {
	unsigned number; /* the N of ttySN; SERIAL_PORTS: the port at `place` is meant */
	struct serial_place place;
	uint16_t divisor; /* what 115,200 baud is divided by; 0: leave the rate as it is */
};

static const struct {
	uint16_t base;
	int isa;
} legacy[LEGACY_PORTS] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };

static bool can_map;                /* mmio_map() works. Guard: only during the boot */
static struct serial_port *leading; /* see serial_leading(). Guard: tasks only, which the kernel does not preempt */

struct serial_port *serial_leading(void)
{
	return leading && leading->present ? leading : NULL;
}

/* Start the port of a PC with this number, unless it is present. Returns the port, or NULL when it is not there. */
static struct serial_port *start_legacy(unsigned number, uint16_t divisor)
{
	struct serial_port *port = &serial_ports[number];

	if (port->present)
		return port;
	port->place = (struct serial_place){ legacy[number].base, 0 };
	port->isa = legacy[number].isa;
	return serial_start(port, divisor) ? port : NULL;
}

static bool is_same(struct serial_place a, struct serial_place b)
{
	return a.address == b.address && !a.width == !b.width;
}

/* Map the registers of a port in memory. Returns false at an impossible place, as in RAM, or too early in the boot. */
static bool map(struct serial_port *port)
{
	struct serial_place place = port->place;

	return can_map && place.address % place.width == 0 &&
	       mmio_map(paddr(place.address), (uint64_t)PORTS_OF_16550 * place.width, PROT_UC, &port->registers) == OK;
}

struct serial_port *serial_add(struct serial_place place, uint16_t divisor)
{
	struct serial_port *port = &serial_ports[LEGACY_PORTS];

	for (unsigned i = 0; i < LEGACY_PORTS; i++)
		if (!place.width && legacy[i].base == place.address)
			return start_legacy(i, divisor);
	while (port < serial_ports + SERIAL_PORTS && port->present && !is_same(port->place, place))
		port++;
	if (port == serial_ports + SERIAL_PORTS) {
		log_warn("serial port at %#llx: left alone, there are %u others\n", (unsigned long long)place.address,
			 SERIAL_PORTS);
		return NULL;
	}
	if (port->present)
		return port;
	port->place = place;
	port->isa = -1;
	/* A table may name the last I/O ports, at which some of the registers would wrap around to port 0 on. */
	if (place.width ? !map(port) : place.address > UINT16_MAX + 1 - PORTS_OF_16550)
		return NULL;
	if (serial_start(port, divisor))
		return port;
	if (port->registers) {
		mmio_unmap(port->registers);
		port->registers = NULL;
	}
	return NULL;
}

/* Make a port a console, and the leading one: see serial_leading(). */
static void make_console(struct serial_port *port)
{
	port->console = true;
	leading = port;
}

void serial_find_first(void)
{
	for (unsigned i = 0; i < LEGACY_PORTS; i++) {
		struct serial_port *port = start_legacy(i, 1);

		if (port) {
			make_console(port);
			return;
		}
	}
}

void serial_find_rest(void)
{
	for (unsigned i = 0; i < LEGACY_PORTS; i++)
		if (!serial_ports[i].present)
			(void)start_legacy(i, 1);
}

/* Take a number, hexadecimal after "0x", from *at on. Returns false when there is none, or when it is beyond `most`. */
static bool take_number(const char **at, uint64_t most, uint64_t *ret)
{
	const char *p = *at;
	uint64_t base = 10, value = 0, digit;

	if (p[0] == '0' && p[1] == 'x') {
		base = 16;
		p += 2;
	}
	if (digit_value(*p) >= base)
		return false;
	while ((digit = digit_value(*p)) < base) {
		value = value * base + digit;
		if (value > most)
			return false;
		p++;
	}
	*at = p;
	*ret = value;
	return true;
}

/*
 * Read the place in "uart8250,io,ADDRESS", from *at on, and set *at behind it; also with "uart", and with "mmio",
 * "mmio16" or "mmio32" for registers in memory that are 1, 2 or 4 bytes wide.
 */
static bool take_place(const char **at, struct serial_place *ret)
{
	static const struct {
		const char *name;
		uint8_t width;
	} kinds[] = { { "io,", 0 }, { "mmio,", 1 }, { "mmio16,", 2 }, { "mmio32,", 4 } };
	const char *text = *at + (strncmp(*at, "uart8250,", 9) == 0 ? 9 : 5);

	if (text == *at + 5 && strncmp(*at, "uart,", 5) != 0)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const size_t size = strlen(kinds[i].name);
		const uint64_t most = kinds[i].width ? ADDRESS_MOST : UINT16_MAX - PORTS_OF_16550;

		if (strncmp(text, kinds[i].name, size) != 0)
			continue;
		text += size;
		*ret = (struct serial_place){ .width = kinds[i].width };
		*at = text;
		return take_number(at, most, &ret->address) && ret->address;
	}
	return false;
}

/*
 * Read "ttySN,SPEED" or "uart8250,io,ADDRESS,SPEED". The speed may be missing, and parity and bits may follow it.
 * Returns false when the text is no such word, or names a speed that the chip does not have.
 */
static bool read_word(const char *text, struct wanted *ret)
{
	struct wanted w = { .number = SERIAL_PORTS, .divisor = 1 };
	uint64_t value;

	if (strncmp(text, "ttyS", 4) == 0) {
		text += 4;
		if (!take_number(&text, SERIAL_PORTS - 1, &value))
			return false;
		w.number = (unsigned)value;
	} else if (!take_place(&text, &w.place)) {
		return false;
	}
	/* A chip in memory may have another clock than a PC's: leave the rate as it is if none is named. */
	if (w.place.width || (w.number >= LEGACY_PORTS && w.number < SERIAL_PORTS))
		w.divisor = 0;
	if (*text == ',') {
		text++;
		if (!take_number(&text, BAUD_MAX, &value) || value < 2 || BAUD_MAX % value)
			return false;
		w.divisor = (uint16_t)(BAUD_MAX / value);
	} else if (*text) {
		return false;
	}
	*ret = w;
	return true;
}

static bool is_serial_word(const char *text)
{
	return strncmp(text, "ttyS", 4) == 0 || strncmp(text, "uart", 4) == 0;
}

enum key { EARLYCON, CONSOLE };

static const char *const keys[] = { [EARLYCON] = "earlycon", [CONSOLE] = "console" };

/*
 * Get the next word of the key that names a serial port, from *at on, and set *at behind it. Returns false when there
 * is none.
 */
static bool next_word(const char **at, enum key key, char ret[WORD_MOST])
{
	while (key == CONSOLE ? cmdline_next(at, "console", ret, WORD_MOST)
			      : cmdline_next(at, "earlycon", ret, WORD_MOST))
		if (is_serial_word(ret))
			return true;
	return false;
}

/*
 * Return the port that is wanted, started at the wanted speed, or NULL when it is not there or has not been found yet.
 */
static struct serial_port *start_wanted(const struct wanted *w)
{
	struct serial_port *port;

	if (w->number < LEGACY_PORTS)
		port = start_legacy(w->number, w->divisor);
	else if (w->number < SERIAL_PORTS)
		port = serial_port(w->number);
	else
		port = serial_add(w->place, w->divisor);
	if (!port || !w->divisor || port->divisor == w->divisor)
		return port;
	return serial_start(port, w->divisor) ? port : NULL;
}

/*
 * Make the ports consoles that the key's words name and that have been found, and no others. Changes nothing, and
 * returns false, when there is no such port.
 */
static bool choose_named(const char *cmdline, enum key key)
{
	bool named[SERIAL_PORTS] = { false }, found = false;
	char word[WORD_MOST];
	struct wanted w;

	for (const char *at = cmdline; next_word(&at, key, word);) {
		struct serial_port *port = read_word(word, &w) ? start_wanted(&w) : NULL;

		if (!port)
			continue;
		named[serial_number(port)] = found = true;
		make_console(port);
	}
	for (unsigned i = 0; found && i < SERIAL_PORTS; i++)
		serial_ports[i].console = named[i];
	return found;
}

void serial_choose(const char *cmdline)
{
	if (!choose_named(cmdline, CONSOLE))
		(void)choose_named(cmdline, EARLYCON);
}

/* Start the ports that the ACPI tables name. */
static void add_acpi(void)
{
	const struct acpi_info *acpi = irq_acpi();

	for (unsigned i = 0; i < acpi->serial_count; i++) {
		struct acpi_register r = acpi->serials[i];
		struct serial_place place = { r.address, r.space == ACPI_SPACE_IO ? 0 : r.bits / 8 };

		if (!serial_add(place, place.width ? 0 : 1))
			log_info("serial port at %#llx, of ACPI's tables: none answers there\n",
				 (unsigned long long)place.address);
	}
}

/* Return whether the port that is wanted has been found. */
static bool is_there(const struct wanted *w)
{
	if (w->number < SERIAL_PORTS)
		return serial_ports[w->number].present;
	for (unsigned i = 0; i < SERIAL_PORTS; i++)
		if (serial_ports[i].present && is_same(serial_ports[i].place, w->place))
			return true;
	return false;
}

/* Return whether console= names a port that is not there, and may be one of a PCI card. */
static bool asks_for_more(const char *cmdline)
{
	char word[WORD_MOST];
	struct wanted w;

	for (const char *at = cmdline; next_word(&at, CONSOLE, word);)
		if (read_word(word, &w) && (!serial_leading() || w.number >= LEGACY_PORTS) && !is_there(&w))
			return true;
	return false;
}

/* Log which words of a key name no port, or one that is not there. */
static void log_missing(const char *cmdline, enum key key)
{
	char word[WORD_MOST];
	struct wanted w;

	for (const char *at = cmdline; next_word(&at, key, word);) {
		if (!read_word(word, &w))
			log_err("%s=%s: not ttyS0 to ttyS%u, or uart8250,io,ADDRESS or mmio32,ADDRESS, with a baud "
				"rate that divides 115200\n",
				keys[key], word, SERIAL_PORTS - 1);
		else if (!is_there(&w))
			log_err("%s=%s: there is no such port\n", keys[key], word);
	}
}

static struct serial_port *late; /* where write_late() sends text. Guard: only during serial_find_more() */

static void write_late(const char *text, size_t size)
{
	serial_send_message(late, text, size);
}

void serial_find_more(const char *cmdline)
{
	bool was_console[SERIAL_PORTS];

	for (unsigned i = 0; i < SERIAL_PORTS; i++)
		was_console[i] = serial_ports[i].console;
	can_map = true;
	add_acpi();
	if (asks_for_more(cmdline))
		pci_start_driver(&serial_pci_driver);
	serial_choose(cmdline);
	for (unsigned i = 0; i < SERIAL_PORTS && !serial_leading(); i++)
		if (serial_ports[i].present)
			make_console(&serial_ports[i]);
	for (unsigned i = 0; i < SERIAL_PORTS; i++) {
		late = &serial_ports[i];
		if (!late->console || was_console[i])
			continue;
		log_read(write_late);
		log_info("serial port ttyS%u: %s %#llx\n", i, late->registers ? "in memory at" : "at I/O port",
			 (unsigned long long)late->place.address);
	}
	log_missing(cmdline, EARLYCON);
	log_missing(cmdline, CONSOLE);
}
