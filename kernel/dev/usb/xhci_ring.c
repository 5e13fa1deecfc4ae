/*
 * Writes and reads the rings in memory of an xHCI controller; see xhci_ring.h.
 */
#include "kernel/dev/usb/xhci_ring.h"

static struct xhci_trb *entry_of(const struct dma_page *page, unsigned index)
{
	return (struct xhci_trb *)page->bytes + index;
}

void xhci_ring_init(struct xhci_ring *ring, struct dma_page page)
{
	struct xhci_trb *link = entry_of(&page, XHCI_RING - 1);

	*ring = (struct xhci_ring){ .page = page, .cycle = true };
	link->parameter = page.at.raw;
	link->control = TRB_TYPE(TRB_LINK) | TRB_TOGGLE;
}

/* Give an entry to the controller by its cycle bit, after all else in it has been written. */
static void give(struct xhci_trb *entry, uint32_t control, bool cycle)
{
	__atomic_store_n(&entry->control, control | (cycle ? TRB_CYCLE : 0), __ATOMIC_RELEASE);
}

dma_t xhci_ring_put(struct xhci_ring *ring, uint64_t parameter, uint32_t status, uint32_t control)
{
	struct xhci_trb *entry = entry_of(&ring->page, ring->next);
	dma_t at = dma_add(ring->page.at, ring->next * sizeof(*entry));

	entry->parameter = parameter;
	entry->status = status;
	give(entry, control, ring->cycle);
	ring->next++;
	if (ring->next == XHCI_RING - 1) {
		give(entry_of(&ring->page, ring->next), TRB_TYPE(TRB_LINK) | TRB_TOGGLE, ring->cycle);
		ring->next = 0;
		ring->cycle = !ring->cycle;
	}
	return at;
}

uint64_t xhci_ring_place(const struct xhci_ring *ring)
{
	return dma_add(ring->page.at, ring->next * sizeof(struct xhci_trb)).raw | ring->cycle;
}

void xhci_events_init(struct xhci_events *events, struct dma_page page)
{
	*events = (struct xhci_events){ .page = page, .cycle = true };
}

bool xhci_events_take(struct xhci_events *events, struct xhci_event *ret)
{
	const struct xhci_trb *entry = entry_of(&events->page, events->next);
	/* Read nothing else of the entry before its cycle bit, which says that the controller has written all of it. */
	uint32_t control = __atomic_load_n(&entry->control, __ATOMIC_ACQUIRE), status;

	if ((control & TRB_CYCLE) != events->cycle)
		return false;
	status = entry->status;
	*ret = (struct xhci_event){ .type = control >> 10 & 0x3f,
				    .code = (uint8_t)(status >> 24),
				    .slot = (uint8_t)(control >> 24),
				    .endpoint = control >> 16 & 0x1f,
				    .trb = entry->parameter,
				    .left = status & 0xffffff };
	events->next++;
	if (events->next == XHCI_RING) {
		events->next = 0;
		events->cycle = !events->cycle;
	}
	return true;
}

dma_t xhci_events_place(const struct xhci_events *events)
{
	return dma_add(events->page.at, events->next * sizeof(struct xhci_trb));
}
