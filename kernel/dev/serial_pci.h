/*
 * PCI cards with serial ports.
 */
#pragma once

#include "kernel/dev/pci/pci.h"

/*
 * The driver of PCI functions of the class of serial ports. The ports stay when the driver is stopped; they have no
 * interrupt, and must be polled.
 */
extern const struct pci_driver serial_pci_driver;
