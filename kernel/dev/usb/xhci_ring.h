/*
 * The rings in memory by which an xHCI controller and its driver talk (eXtensible Host Controller Interface for USB,
 * "Transfer Request Block (TRB) Ring"): entries of 16 bytes, each with a cycle bit that says which of the two may use
 * it. A ring is one frame. Nothing here touches the controller, so that host tests and a fuzzer can stand in for one.
 */
#pragma once

#include "kernel/dev/pci/dma.h"

/* An entry. Guard: the controller reads or writes it, as the cycle bit says. */
struct xhci_trb {
	uint64_t parameter;
	uint32_t status;
	uint32_t control;
};

#define XHCI_RING 256 /* entries in a frame; the last one of a ring that the driver writes links back to the first */

enum xhci_trb_type {
	TRB_NORMAL = 1,
	TRB_SETUP = 2,
	TRB_DATA = 3,
	TRB_STATUS = 4,
	TRB_LINK = 6,
	TRB_ENABLE_SLOT = 9,
	TRB_DISABLE_SLOT = 10,
	TRB_ADDRESS_DEVICE = 11,
	TRB_CONFIGURE_ENDPOINT = 12,
	TRB_EVALUATE_CONTEXT = 13,
	TRB_RESET_ENDPOINT = 14,
	TRB_SET_DEQUEUE = 16,
	TRB_TRANSFER_EVENT = 32,
	TRB_COMMAND_EVENT = 33,
	TRB_PORT_EVENT = 34,
	TRB_CONTROLLER_EVENT = 37,
};

#define TRB_TYPE(type)     ((uint32_t)(type) << 10)
#define TRB_CYCLE          (1u << 0)
#define TRB_TOGGLE         (1u << 1) /* of a link: behind it the meaning of the cycle bit is inverted */
#define TRB_INTERRUPT      (1u << 5) /* an event tells when this entry is done */
#define TRB_IMMEDIATE      (1u << 6) /* the parameter is the data */
#define TRB_IN             (1u << 16)
#define TRB_SETUP_OUT_DATA (2u << 16)
#define TRB_SETUP_IN_DATA  (3u << 16)

enum xhci_code { XHCI_SUCCESS = 1, XHCI_STALL = 6, XHCI_SHORT_PACKET = 13 };

/* A ring that the driver writes: for commands, or for an endpoint's transfers. Guard: usb_lock. */
struct xhci_ring {
	struct dma_page page;
	unsigned next; /* the index of the next entry to write */
	bool cycle;    /* the cycle bit that gives an entry to the controller */
};

/* Make an empty ring of a page of zeros, which the ring owns from then on. */
void xhci_ring_init(struct xhci_ring *ring, struct dma_page page);

/*
 * Write an entry, whose cycle bit this function sets, and return its address. The caller makes sure that the controller
 * has fewer than XHCI_RING - 1 entries that it has not done yet.
 */
dma_t xhci_ring_put(struct xhci_ring *ring, uint64_t parameter, uint32_t status, uint32_t control);

/* Return the address of the next entry, with its cycle bit in bit 0: the form in which a controller takes it. */
uint64_t xhci_ring_place(const struct xhci_ring *ring);

/* The ring into which the controller writes events. Guard: usb_lock. */
struct xhci_events {
	struct dma_page page;
	unsigned next; /* the index of the next entry to read */
	bool cycle;    /* the cycle bit of entries that the controller has written and the driver has not read */
};

/* Make an empty ring of events of a page of zeros, which the ring owns from then on. */
void xhci_events_init(struct xhci_events *events, struct dma_page page);

/* An event, as the controller wrote it: no value is checked. Which fields mean something depends on the type. */
struct xhci_event {
	uint8_t type;     /* enum xhci_trb_type */
	uint8_t code;     /* enum xhci_code */
	uint8_t slot;     /* the device's number */
	uint8_t endpoint; /* the endpoint's index in the device's context: 1 to 31, or 0 */
	uint64_t trb;     /* the address of the entry that is done */
	uint32_t left;    /* bytes of that entry that were not transferred */
};

/* Take the next event. Returns false when there is none. */
bool xhci_events_take(struct xhci_events *events, struct xhci_event *ret);

/* Return the address of the next event to be read. */
dma_t xhci_events_place(const struct xhci_events *events);
