/*
 * Reads the CMOS clock, and computes dates (Motorola, "MC146818A Real-Time Clock"). Never sets the clock.
 */
#include "kernel/irq/rtc.h"

#include "kernel/arch/cpu.h"
#include "kernel/lib/string.h"

#define CMOS_INDEX 0x70 /* bit 7 masks NMI, so it stays 0 */
#define CMOS_DATA  0x71

enum cmos {
	CMOS_SECOND = 0,
	CMOS_MINUTE = 2,
	CMOS_HOUR = 4,
	CMOS_DAY = 7,
	CMOS_MONTH = 8,
	CMOS_YEAR = 9,
	CMOS_STATUS_A = 10,
	CMOS_STATUS_B = 11,
};

#define STATUS_A_UPDATING 0x80
#define STATUS_B_24_HOURS 0x02
#define STATUS_B_BINARY   0x04
#define HOUR_PM           0x80
#define HOUR_12           0x7f /* the hour itself, without HOUR_PM, in 12-hour mode */

/*
 * How many times to look in all whether an update is over: an update takes about 2 ms, a look about 2 us. Updates come
 * once a second, so that the readings meet one at the most.
 */
#define MOST_LOOKS   5000
#define MOST_READING 8 /* how many times to read all registers until two readings agree */

#define DAY_SECONDS 86400ULL

/* ---- dates; a year is taken to begin in March, so that the leap day is its last day ---- */

/* Return the days from 0000-03-01 to the first of March of `year`. */
static uint64_t days_before(uint64_t year)
{
	return 365 * year + year / 4 - year / 100 + year / 400;
}

/* Return the days from the first of March to the first of the month that is `n` months later. */
static unsigned month_start(unsigned n)
{
	return (153 * n + 2) / 5;
}

/* The days from 0000-03-01 to 1970-01-01. */
#define DAYS_1970 719468ULL

static uint64_t days_from_date(unsigned year, unsigned month, unsigned day)
{
	uint64_t y = month > 2 ? year : year - 1;

	return days_before(y) + month_start((month + 9) % 12) + day - 1 - DAYS_1970;
}

struct rtc_date rtc_date(uint64_t seconds)
{
	uint64_t days = seconds / DAY_SECONDS + DAYS_1970;
	unsigned of_day = (unsigned)(seconds % DAY_SECONDS);
	uint64_t year = days * 400 / 146097;
	unsigned rest, month = 11;

	/* The first value of `year` is wrong by one at the most: correct it. */
	while (days_before(year + 1) <= days)
		year++;
	while (days_before(year) > days)
		year--;
	rest = (unsigned)(days - days_before(year));
	while (month_start(month) > rest)
		month--;
	return (struct rtc_date){
		.year = (unsigned)(month >= 10 ? year + 1 : year),
		.month = (month + 2) % 12 + 1,
		.day = rest - month_start(month) + 1,
		.hour = of_day / 3600,
		.minute = of_day / 60 % 60,
		.second = of_day % 60,
	};
}

uint64_t rtc_year_start(unsigned year)
{
	return days_from_date(year, 1, 1) * DAY_SECONDS;
}

/* ---- registers ---- */

/* Return the number in a register; 255, which no field may have, when it should hold BCD digits and does not. */
static unsigned number(uint8_t value, bool binary)
{
	if (binary)
		return value;
	return (value & 15) > 9 || value >> 4 > 9 ? 255 : (value >> 4) * 10u + (value & 15);
}

static unsigned hour_of(const struct rtc_registers *r, bool binary)
{
	unsigned hour;

	if (r->status_b & STATUS_B_24_HOURS)
		return number(r->hour, binary);
	hour = number(r->hour & HOUR_12, binary);
	if (hour < 1 || hour > 12)
		return 255;
	return hour % 12 + (r->hour & HOUR_PM ? 12 : 0);
}

static unsigned days_in(unsigned year, unsigned month)
{
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	if (month == 2)
		return leap ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

enum status rtc_decode(const struct rtc_registers *r, uint64_t *ret_seconds)
{
	bool binary = r->status_b & STATUS_B_BINARY;
	unsigned second = number(r->second, binary), minute = number(r->minute, binary), hour = hour_of(r, binary);
	unsigned day = number(r->day, binary), month = number(r->month, binary), year = number(r->year, binary);
	unsigned century = number(r->century, binary);

	/* Second 60 is a leap second, in case a machine's clock has them. */
	if (second > 60 || minute > 59 || hour > 23 || month < 1 || month > 12 || year > 99)
		return ERR_FORMAT;
	/*
	 * Use the century only if it is 19, 20 or 21: with another value the register holds something else than a
	 * century.
	 */
	if (century != 19 && century != 20 && century != 21)
		century = year >= 70 ? 19 : 20;
	year += century * 100;
	if (year < 1970 || day < 1 || day > days_in(year, month))
		return ERR_FORMAT;
	*ret_seconds = days_from_date(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second;
	return OK;
}

static uint8_t cmos(uint8_t index)
{
	cpu_out8(CMOS_INDEX, index);
	return cpu_in8(CMOS_DATA);
}

/* Wait until no update is going on. Returns false when *looks, which counts down, has become 0 before that. */
static bool wait_for_update(unsigned *looks)
{
	for (; *looks; --*looks)
		if (!(cmos(CMOS_STATUS_A) & STATUS_A_UPDATING))
			return true;
	return false;
}

static struct rtc_registers read_registers(uint8_t century)
{
	return (struct rtc_registers){
		.second = cmos(CMOS_SECOND),
		.minute = cmos(CMOS_MINUTE),
		.hour = cmos(CMOS_HOUR),
		.day = cmos(CMOS_DAY),
		.month = cmos(CMOS_MONTH),
		.year = cmos(CMOS_YEAR),
		.century = century ? cmos(century & 0x7f) : 0,
		.status_b = cmos(CMOS_STATUS_B),
	};
}

static enum status read_clock(uint8_t century, uint64_t *ret_seconds)
{
	struct rtc_registers now, before = { 0 };
	unsigned looks = MOST_LOOKS;

	/* An update may begin between two registers: use only values that are the same when read twice. */
	for (int i = 0; i < MOST_READING; i++) {
		if (!wait_for_update(&looks))
			return ERR_NOT_FOUND;
		now = read_registers(century);
		if (i > 0 && memcmp(&now, &before, sizeof(now)) == 0)
			return rtc_decode(&now, ret_seconds);
		before = now;
	}
	return ERR_NOT_FOUND;
}

/* The argument of rtc_read(), and whether rtc_read() has found a clock. Fixed after boot. */
static uint8_t century_register;
static bool is_there;

enum status rtc_read(uint8_t century, uint64_t *ret_seconds)
{
	enum status status = read_clock(century, ret_seconds);

	century_register = century;
	is_there = status == OK;
	return status;
}

bool rtc_is_there(void)
{
	return is_there;
}

enum status rtc_read_again(uint64_t *ret_seconds)
{
	return is_there ? read_clock(century_register, ret_seconds) : ERR_NOT_FOUND;
}
