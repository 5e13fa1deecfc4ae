/*
 * PCI cards with serial ports.
 */
#pragma once

#include "kernel/dev/pci/pci.h"

/*
 * The driver of all serial ports that are no driver's own, by their class. The ports stay when it is stopped; they have
 * no interrupt, and must be polled.
 */
extern const struct pci_driver serial_pci_driver;
