/*
 * PCI functions and the scan for them, on a simulated configuration space: sound machines, and hostile ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/host/pci_sim.h"

static struct pci_sim sim;

static int start(void **state)
{
	(void)state;
	pci_sim_start(&sim);
	return 0;
}

static struct pci_function read_first(void)
{
	struct pci_function f;

	assert_true(pci_read_function(&sim.access, sim.functions[0].address, &f));
	return f;
}

static void expect_fault(const char *what, uint64_t value)
{
	assert_int_equal(sim.faults, 1);
	assert_string_equal(sim.fault, what);
	assert_int_equal(sim.fault_value, value);
}

/* Found: exactly these, in this order. Ends with -1; each is bus << 8 | device << 3 | function. */
static void expect_found(const int *wanted)
{
	unsigned i = 0;

	for (; wanted[i] >= 0; i++) {
		assert_true(i < sim.found_count);
		assert_int_equal(sim.found[i].address.bus << 8 | sim.found[i].address.device << 3 |
					 sim.found[i].address.function,
				 wanted[i]);
	}
	assert_int_equal(sim.found_count, i);
}

static void bridges_and_functions(void **state)
{
	(void)state;
	pci_sim_add(&sim, 0, 0, 0, 0x060000, PCI_HEADER_DEVICE);
	pci_sim_bridge(&sim, 0, 2, 1, 4);
	pci_sim_bridge(&sim, 1, 0, 3, 3);
	pci_sim_add(&sim, 3, 5, 0, 0x0c0330, PCI_HEADER_DEVICE);
	/* Functions 1 and 7 exist since function 0 says that there are more; device 30's function 1 does not. */
	pci_sim_add(&sim, 0, 31, 0, 0x060100, 0x80);
	pci_sim_add(&sim, 0, 31, 1, 0x010601, 0);
	pci_sim_add(&sim, 0, 31, 7, 0x0c0500, 0);
	pci_sim_add(&sim, 0, 30, 0, 0x020000, 0);
	pci_sim_add(&sim, 0, 30, 1, 0x020000, 0);
	/* No function 0: no device. */
	pci_sim_add(&sim, 0, 29, 3, 0x020000, 0x80);
	/* Behind another root bridge, which only ACPI's byte code tells of. */
	pci_sim_add(&sim, 0x80, 1, 0, 0x020000, 0);
	assert_int_equal(pci_sim_scan(&sim, 255), 256);
	expect_found((int[]){ 0x000, 0x010, 0x0f0, 0x0f8, 0x0f9, 0x0ff, 0x100, 0x328, 0x8008, -1 });
	assert_int_equal(sim.faults, 0);
	assert_int_equal(sim.writes, 0);
	assert_int_equal(sim.found[7].class, 0x0c0330);
	assert_int_equal(sim.found[7].vendor, 0x8086);
	assert_int_equal(sim.found[7].revision, 2);
	assert_int_equal(sim.found[1].secondary, 1);
	assert_int_equal(sim.found[1].subordinate, 4);
}

/* Some devices answer to each number: behind a port of PCI Express only number 0 is asked. */
static void one_device_behind_a_port(void **state)
{
	struct sim_function *port = pci_sim_bridge(&sim, 0, 1, 1, 1);

	(void)state;
	pci_sim_put(port, PCI_COMMAND + 2, 2, PCI_STATUS_CAPABILITIES);
	pci_sim_put(port, PCI_CAPABILITIES, 1, 0x40);
	pci_sim_put(port, 0x40, 4, 0x00420010);
	for (uint8_t device = 0; device < 32; device++)
		pci_sim_add(&sim, 1, device, 0, 0x020000, 0);
	(void)pci_sim_scan(&sim, 1);
	expect_found((int[]){ 0x008, 0x100, -1 });
}

static void bridges_in_circles(void **state)
{
	(void)state;
	pci_sim_bridge(&sim, 0, 1, 1, 255);
	pci_sim_bridge(&sim, 0, 2, 1, 1);   /* the same bus again */
	pci_sim_bridge(&sim, 0, 3, 0, 0);   /* not set up */
	pci_sim_bridge(&sim, 1, 1, 0, 255); /* not set up either */
	pci_sim_bridge(&sim, 1, 2, 1, 255); /* itself */
	pci_sim_bridge(&sim, 1, 3, 2, 1);   /* ends before it begins */
	pci_sim_bridge(&sim, 1, 4, 9, 9);   /* beyond the last bus */
	assert_int_equal(pci_sim_scan(&sim, 7), 8);
	expect_found((int[]){ 0x008, 0x010, 0x018, 0x108, 0x110, 0x118, 0x120, -1 });
	assert_int_equal(sim.faults, 4);
}

static void what_is_no_function(void **state)
{
	(void)state;
	pci_sim_put(pci_sim_add(&sim, 0, 0, 0, 0, 0), PCI_ID, 4, 0xffffffff);
	pci_sim_put(pci_sim_add(&sim, 0, 1, 0, 0, 0), PCI_ID, 4, 0);
	pci_sim_put(pci_sim_add(&sim, 0, 2, 0, 0, 0), PCI_ID, 4, 0x1234ffff);
	(void)pci_sim_scan(&sim, 0);
	assert_int_equal(sim.found_count + sim.faults, 0);
	pci_sim_put(pci_sim_add(&sim, 0, 3, 0, 0, 0), PCI_ID, 4, 0xffff0001);
	(void)pci_sim_scan(&sim, 0);
	expect_fault("not ready, its id", 0xffff0001);
	pci_sim_start(&sim);
	pci_sim_add(&sim, 0, 4, 0, 0, 0x7f);
	(void)pci_sim_scan(&sim, 0);
	expect_fault("left out, a header of unknown type", 0x7f);
	assert_int_equal(sim.found_count, 0);
}

/* A function that is all ones but for its id. */
static void all_ones(void **state)
{
	struct sim_function *f = pci_sim_add(&sim, 0, 0, 0, 0, 0);

	(void)state;
	memset(f->bytes + 4, 0xff, sizeof(f->bytes) - 4);
	(void)pci_sim_scan(&sim, 0);
	assert_int_equal(sim.found_count, 0);
	expect_fault("left out, a header of unknown type", 0x7f);
}

/* ---- capabilities ---- */

static struct sim_function *with_capabilities(uint8_t first)
{
	struct sim_function *f = pci_sim_add(&sim, 0, 0, 0, 0x0c0330, 0);

	pci_sim_put(f, PCI_COMMAND + 2, 2, PCI_STATUS_CAPABILITIES);
	pci_sim_put(f, PCI_CAPABILITIES, 1, first);
	return f;
}

static void capabilities(void **state)
{
	struct sim_function *sf = with_capabilities(0x53); /* the two lowest bits are reserved */
	struct pci_function f;

	(void)state;
	pci_sim_put(sf, 0x50, 2, 0x8005);
	pci_sim_put(sf, 0x80, 2, 0xf411);
	pci_sim_put(sf, 0xf4, 2, 0x6010);
	pci_sim_put(sf, 0x60, 2, 0x0005); /* a second one of a kind does not count */
	f = read_first();
	assert_int_equal(f.msi, 0x50);
	assert_int_equal(f.msix, 0x80);
	assert_int_equal(f.express, 0xf4);
	assert_false(f.broken || sim.faults);
	/* The status says that there are none. */
	pci_sim_put(sf, PCI_COMMAND + 2, 2, 0);
	assert_int_equal(read_first().msi, 0);
}

static void capabilities_of_hostile_devices(void **state)
{
	struct sim_function *f = with_capabilities(0x50);

	(void)state;
	pci_sim_put(f, 0x50, 2, 0x6009);
	pci_sim_put(f, 0x60, 2, 0x5009);
	assert_true(read_first().broken);
	expect_fault("the capabilities run in a circle", 0x50);

	pci_sim_start(&sim);
	pci_sim_put(with_capabilities(0x50), 0x50, 2, 0x3c09);
	assert_true(read_first().broken);
	expect_fault("a capability inside of the header", 0x3c);

	pci_sim_start(&sim);
	pci_sim_put(with_capabilities(0xf8), 0xf8, 4, 0x11);
	assert_true(read_first().broken);
	expect_fault("a capability that reaches beyond the configuration space", 0xf8);

	pci_sim_start(&sim);
	pci_sim_put(with_capabilities(0x40), 0x40, 4, 0xffffffff);
	assert_true(read_first().broken);
	expect_fault("a capability that is all ones", 0x40);
}

/* ---- BARs ---- */

static struct pci_function sized(void)
{
	struct pci_function f = read_first();

	pci_size_bars(&sim.access, &f);
	return f;
}

static void bars(void **state)
{
	struct sim_function *sf = pci_sim_add(&sim, 0, 0, 0, 0x0c0330, 0), before;
	struct pci_function f;

	(void)state;
	pci_sim_put(sf, PCI_COMMAND, 2, 7);
	pci_sim_put(sf, PCI_BAR, 4, 0xfe000004);
	pci_sim_put(sf, PCI_BAR + 4, 4, 0x12);
	pci_sim_put(sf, PCI_BAR + 8, 4, 0xc001);
	pci_sim_put(sf, PCI_BAR + 12, 4, 0xfd000008);
	sf->bar_mask[0] = 0xffff0000;
	sf->bar_mask[1] = 0xffffffff;
	sf->bar_mask[2] = 0x0000ffe0; /* ports of 16 bits only */
	sf->bar_mask[3] = 0xfffff000;
	before = *sf;
	f = sized();
	assert_memory_equal(&before, sf, sizeof(before));
	assert_int_equal(f.bars[0].kind, PCI_BAR_MEMORY_64);
	assert_int_equal(f.bars[0].address, 0x12fe000000);
	assert_int_equal(f.bars[0].size, 0x10000);
	assert_int_equal(f.bars[1].kind, PCI_BAR_NONE);
	assert_int_equal(f.bars[2].kind, PCI_BAR_IO);
	assert_int_equal(f.bars[2].address, 0xc000);
	assert_int_equal(f.bars[2].size, 0x20);
	assert_int_equal(f.bars[3].kind, PCI_BAR_MEMORY);
	assert_true(f.bars[3].prefetchable);
	assert_int_equal(f.bars[3].size, 0x1000);
	assert_int_equal(f.bars[4].kind + f.bars[5].kind, PCI_BAR_NONE);
	assert_false(f.broken || sim.faults);
}

static void bars_of_hostile_devices(void **state)
{
	struct sim_function *sf = pci_sim_add(&sim, 0, 0, 0, 0x0c0330, 0);

	(void)state;
	pci_sim_put(sf, PCI_BAR + 20, 4, 0x4);
	assert_true(read_first().broken);
	expect_fault("the last BAR has 64 bits", 5);

	pci_sim_start(&sim);
	sf = pci_sim_add(&sim, 0, 0, 0, 0x0c0330, 0);
	pci_sim_put(sf, PCI_BAR, 4, 0xfe000000);
	sf->bar_mask[0] = 0xff0ff000;
	assert_true(sized().broken);
	assert_string_equal(sim.fault, "a BAR of an impossible size");
}

static void places_of_bars(void **state)
{
	struct mem_range ranges[] = { { 0, 0x80000000, MEM_USABLE },
				      { 0x80000000, 0x90000000, MEM_RESERVED },
				      { 0x100000000, 0x200000000, MEM_USABLE } };
	const struct memmap map = { ranges, 3, 3 };
	struct pci_bar bar = { 0xfe000000, 0x10000, PCI_BAR_MEMORY, false };

	(void)state;
	assert_null(pci_bar_wrong(&bar, &map, 1ULL << 36));
	bar.address = 0x80000000;
	assert_null(pci_bar_wrong(&bar, &map, 1ULL << 36));
	bar.address = 0x7fff0000;
	assert_string_equal(pci_bar_wrong(&bar, &map, 1ULL << 36), "lies in RAM");
	bar.address = 0xf0000000;
	bar.size = 0x20000000;
	assert_string_equal(pci_bar_wrong(&bar, &map, 1ULL << 36), "is not aligned to its size");
	bar = (struct pci_bar){ 1ULL << 36, 0x10000, PCI_BAR_MEMORY_64, false };
	assert_string_equal(pci_bar_wrong(&bar, &map, 1ULL << 36), "lies beyond the CPU's physical addresses");
	bar = (struct pci_bar){ -0x10000ULL, 0x10000, PCI_BAR_MEMORY_64, false };
	assert_string_equal(pci_bar_wrong(&bar, &map, 1ULL << 52), "lies beyond the CPU's physical addresses");
	bar.address = 0;
	assert_string_equal(pci_bar_wrong(&bar, &map, 1ULL << 36), "has no address");
	bar.size = 0;
	assert_string_equal(pci_bar_wrong(&bar, &map, 1ULL << 36), "does not exist");
	bar = (struct pci_bar){ 0xfff0, 0x10, PCI_BAR_IO, false };
	assert_null(pci_bar_wrong(&bar, &map, 1ULL << 36));
	bar.address = 0x10000;
	assert_string_equal(pci_bar_wrong(&bar, &map, 1ULL << 36), "lies beyond the ports");
}

static void msix(void **state)
{
	struct sim_function *sf = with_capabilities(0x50);
	struct pci_function f;
	struct pci_msix m;

	(void)state;
	pci_sim_put(sf, PCI_BAR + 4, 4, 0xfe000000);
	sf->bar_mask[1] = 0xfffff000;
	pci_sim_put(sf, 0x50, 4, 0x000f0011); /* 16 entries */
	pci_sim_put(sf, 0x54, 4, 0xf00 | 1);  /* the last 256 bytes of BAR 1 */
	f = sized();
	assert_true(pci_read_msix(&sim.access, &f, &m));
	assert_int_equal(m.bar, 1);
	assert_int_equal(m.entries, 16);
	assert_int_equal(m.table_offset, 0xf00);
	pci_sim_put(sf, 0x50, 4, 0x00100011);
	assert_false(pci_read_msix(&sim.access, &f, &m));
	expect_fault("no BAR has its MSI-X table", 0xf01);
	for (uint32_t bir = 0; bir < 8; bir += bir == 0 ? 2 : 1) {
		pci_sim_put(sf, 0x54, 4, bir);
		assert_false(pci_read_msix(&sim.access, &f, &m));
	}
	pci_sim_put(sf, 0x54, 4, 0xfffffff9);
	assert_false(pci_read_msix(&sim.access, &f, &m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(bridges_and_functions, start),
		cmocka_unit_test_setup(one_device_behind_a_port, start),
		cmocka_unit_test_setup(bridges_in_circles, start),
		cmocka_unit_test_setup(what_is_no_function, start),
		cmocka_unit_test_setup(all_ones, start),
		cmocka_unit_test_setup(capabilities, start),
		cmocka_unit_test_setup(capabilities_of_hostile_devices, start),
		cmocka_unit_test_setup(bars, start),
		cmocka_unit_test_setup(bars_of_hostile_devices, start),
		cmocka_unit_test_setup(places_of_bars, start),
		cmocka_unit_test_setup(msix, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
