/*
 * The device /dev/rtc0; rtc_device.c says what it can do.
 */
#pragma once

/* Register the device if the machine has a battery-backed clock. Call once, at boot. */
void rtc_device_init(void);
