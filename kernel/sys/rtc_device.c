/*
 * /dev/rtc0: the battery-backed clock, read by RTC_RD_TIME (rtc(4)). There is no device when there was no such clock at
 * boot. The clock is never set, and gives no interrupts.
 */
#include "kernel/sys/rtc_device.h"

#include "kernel/fs/device.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/rtc.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/task/refused_feature.h"

/* Linux's requests, of <linux/rtc.h>. */
enum rtc_request {
	RTC_ALARM_ON = 0x7001,
	RTC_ALARM_OFF = 0x7002,
	RTC_UPDATES_ON = 0x7003,
	RTC_UPDATES_OFF = 0x7004,
	RTC_SET_TIME = 0x4024700a,
};

#define RTC_RD_TIME 0x80247009U

/* Linux's struct rtc_time. */
struct linux_rtc_time {
	int32_t second, minute, hour, day, month, year; /* January is month 0; year 1900 is 0 */
	int32_t weekday, day_of_year, is_dst;           /* Sunday is 0; the first of January is day 0 */
};

_Static_assert(sizeof(struct linux_rtc_time) == 36, "Linux's struct rtc_time");

#define DAY_SECONDS  86400
#define WEEKDAY_1970 4 /* the first of January of 1970 was a Thursday */
#define DAYS_IN_WEEK 7
#define FIRST_YEAR   1900

static int64_t read_time(struct user_io *io)
{
	struct linux_rtc_time time = { 0 };
	uint64_t seconds, new_year;
	struct rtc_date date;

	if (rtc_read_again(&seconds) != OK)
		return -EINVAL;
	date = rtc_date(seconds);
	new_year = rtc_year_start(date.year);
	time.second = (int32_t)date.second;
	time.minute = (int32_t)date.minute;
	time.hour = (int32_t)date.hour;
	time.day = (int32_t)date.day;
	time.month = (int32_t)date.month - 1;
	time.year = (int32_t)date.year - FIRST_YEAR;
	time.weekday = (int32_t)((seconds / DAY_SECONDS + WEEKDAY_1970) % DAYS_IN_WEEK);
	time.day_of_year = (int32_t)((seconds - new_year) / DAY_SECONDS);
	return copy_errno(user_io_put_all(io, &time, sizeof(time)));
}

static int64_t rtc_ioctl(struct file *file, unsigned request, uint64_t arg, struct user_io *io)
{
	(void)file;
	(void)arg;
	switch (request) {
	case RTC_RD_TIME:
		return read_time(io);
	case RTC_SET_TIME:
	case RTC_ALARM_ON:
	case RTC_ALARM_OFF:
	case RTC_UPDATES_ON:
	case RTC_UPDATES_OFF:
		return refuse_feature(-EINVAL, "ioctl of /dev/rtc0", request);
	}
	return -ENOTTY;
}

static const struct file_ops rtc_ops = { .ioctl = rtc_ioctl };

static int open_rtc(struct device *device, struct file *file)
{
	(void)device;
	file->ops = &rtc_ops;
	return 0;
}

void rtc_device_init(void)
{
	/* Fixed after boot. */
	static struct device device = { .name = "rtc0",
					.number = DEVICE_NUMBER(DEVICE_RTC_MAJOR, 0),
					.open = open_rtc };

	if (rtc_is_there())
		ASSERT(device_register(&device) == 0);
}
