/*
 * A PCI configuration space that the input is: for each function where it is, and its first bytes. Whatever it says, the
 * scan ends, looks at no bus twice, and what it hands on fits into the configuration space.
 */
#include <string.h>

#include "test/fuzz/fuzz.h"
#include "test/host/pci_sim.h"

#define PLACE 4  /* bytes: bus, device, function, which BAR's bits can be written */
#define BYTES 96 /* of a function, from its header to its capabilities */

static void expect_sane(struct pci_sim *sim, struct pci_function *f)
{
	struct pci_msix msix;

	FUZZ_EXPECT(f->header <= PCI_HEADER_CARDBUS && f->interrupt_pin <= 4);
	FUZZ_EXPECT(!f->msi || (f->msi >= 0x40 && f->msi + 10 <= 256));
	FUZZ_EXPECT(!f->msix || (f->msix >= 0x40 && f->msix + 12 <= 256));
	pci_size_bars(&sim->access, f);
	for (unsigned i = 0; i < PCI_BARS; i++)
		FUZZ_EXPECT(!(f->bars[i].size & (f->bars[i].size - 1)));
	if (!f->broken && pci_read_msix(&sim->access, f, &msix))
		FUZZ_EXPECT(msix.table_offset + (uint64_t)msix.entries * 16 <= f->bars[msix.bar].size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pci_sim sim;

	pci_sim_start(&sim);
	while (size >= PLACE + BYTES && sim.count < 16) {
		struct sim_function *f = pci_sim_add(&sim, data[0] & 7, data[1] & 31, data[2] & 7, 0, 0);

		memcpy(f->bytes, data + PLACE, 64);
		/* The rest lies where capabilities are. */
		memcpy(f->bytes + 0x40 + (data[1] & 0xe0), data + PLACE + 64, BYTES - 64);
		for (unsigned i = 0; i < PCI_BARS; i++)
			f->bar_mask[i] = data[3] >> i & 1 ? 0xffffffffu << (8 + i) : data[3] * 0x01010101u;
		data += PLACE + BYTES;
		size -= PLACE + BYTES;
	}
	FUZZ_EXPECT(pci_sim_scan(&sim, 7) <= 8);
	FUZZ_EXPECT(sim.found_count <= sim.count && !sim.writes);
	for (unsigned i = 0; i < sim.found_count; i++) {
		for (unsigned j = 0; j < i; j++)
			FUZZ_EXPECT(memcmp(&sim.found[i].address, &sim.found[j].address, sizeof(struct pci_address)));
		expect_sane(&sim, &sim.found[i]);
	}
	return 0;
}
