/* Random calls with arguments of the right kind, and with others; see storm.h. */
#define _GNU_SOURCE
#include "test/user/attack/storm.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "paging/layout.h"
#include "test/user/attack/victim.h"

#define ARENA_PAGES   64
#define SPARE_PAGES   32 /* behind the arena: a range that starts in it may end here */
#define MOST_FD       40
#define MOST_NUMBER   460
#define FUTEX_PRIVATE 128 /* futex(2) */
#define SA_RESTORER   0x04000000
#define DEV_ZERO      0x105 /* its device number: 1, 5 */

/*
 * The kinds of arguments, a letter each: f descriptor, d directory, p pointer, P page, s size, L length in pages,
 * o offset, n small number, b one bit or two, z path, x where to mount, y kind of file system, v vectors, t time,
 * g signal, a action, i descriptors for poll, u this process, q one of its threads, k a key or an id
 * of System V's, m a message queue's name, 0 nothing.
 */
static const struct call {
	short number;
	char kinds[7];
} calls[] = {
	{ SYS_read, "fps" },
	{ SYS_write, "fps" },
	{ SYS_readv, "fvn" },
	{ SYS_writev, "fvn" },
	{ SYS_pread64, "fpso" },
	{ SYS_pwrite64, "fpso" },
	{ SYS_preadv2, "fvno0b" },
	{ SYS_pwritev2, "fvno0b" },
	{ SYS_sendfile, "ffps" },
	{ SYS_lseek, "fon" },
	{ SYS_close, "f" },
	{ SYS_close_range, "ffb" },
	{ SYS_dup, "f" },
	{ SYS_dup2, "ff" },
	{ SYS_dup3, "ffb" },
	{ SYS_open, "zbo" },
	{ SYS_open, "znb" },
	{ SYS_openat, "dzbo" },
	{ SYS_creat, "zo" },
	{ SYS_pipe2, "pb" },
	{ SYS_eventfd2, "nb" },
	{ SYS_memfd_create, "zb" },
	{ SYS_timerfd_create, "nb" },
	{ SYS_timerfd_settime, "fntp" },
	{ SYS_timerfd_gettime, "fp" },
	{ SYS_epoll_create1, "0" },
	{ SYS_epoll_ctl, "fnfp" },
	{ SYS_epoll_wait, "fpnn" },
	{ SYS_epoll_pwait2, "fpntpn" },
	{ SYS_poll, "inn" },
	{ SYS_ppoll, "intpn" },
	{ SYS_select, "npppt" },
	{ SYS_pselect6, "npppt0" },
	{ SYS_ioctl, "fop" },
	{ SYS_fcntl, "fno" },
	{ SYS_fcntl, "fnp" },
	{ SYS_flock, "fb" },
	{ SYS_fstat, "fp" },
	{ SYS_stat, "zp" },
	{ SYS_statx, "dzbbp" },
	{ SYS_statfs, "zp" },
	{ SYS_fstatfs, "fp" },
	{ SYS_getdents64, "fps" },
	{ SYS_ftruncate, "fo" },
	{ SYS_truncate, "zo" },
	{ SYS_fallocate, "fnoo" },
	{ SYS_fsync, "f" },
	{ SYS_fadvise64, "foon" },
	{ SYS_readahead, "fos" },
	{ SYS_getcwd, "ps" },
	{ SYS_chdir, "z" },
	{ SYS_fchdir, "f" },
	{ SYS_rename, "zz" },
	{ SYS_renameat2, "dzdzn" },
	{ SYS_mkdir, "zo" },
	{ SYS_rmdir, "z" },
	{ SYS_link, "zz" },
	{ SYS_linkat, "dzdzb" },
	{ SYS_unlink, "z" },
	{ SYS_unlinkat, "dzb" },
	{ SYS_symlink, "zz" },
	{ SYS_readlink, "zps" },
	{ SYS_mknod, "zbn" },
	{ SYS_chmod, "zo" },
	{ SYS_fchmod, "fo" },
	{ SYS_access, "zn" },
	{ SYS_utimensat, "dztb" },
	{ SYS_umask, "n" },
	{ SYS_mount, "zxyb0" },
	{ SYS_mount, "yxy00" },
	{ SYS_umount2, "xn" },
	{ SYS_mmap, "PLnbfo" },
	{ SYS_mmap, "PLn\x01"
		    "0" },
	{ SYS_munmap, "PL" },
	{ SYS_mprotect, "PLn" },
	{ SYS_mremap, "PLLnP" },
	{ SYS_madvise, "PLn" },
	{ SYS_msync, "PLn" },
	{ SYS_mincore, "PLp" },
	{ SYS_mlock, "PL" },
	{ SYS_mlock2, "PLn" },
	{ SYS_munlock, "PL" },
	{ SYS_mlockall, "n" },
	{ SYS_munlockall, "0" },
	{ SYS_membarrier, "b0n" },
	{ SYS_brk, "0" },
	{ SYS_futex, "pnntpn" },
	{ SYS_futex, "p\x02ntpn" },
	{ SYS_set_robust_list, "ps" },
	{ SYS_get_robust_list, "upp" },
	{ SYS_set_tid_address, "p" },
	{ SYS_rseq, "psnn" },
	{ SYS_rt_sigaction, "gapn" },
	{ SYS_rt_sigprocmask, "nppn" },
	{ SYS_rt_sigpending, "pn" },
	{ SYS_rt_sigtimedwait, "pptn" },
	{ SYS_rt_sigsuspend, "pn" },
	{ SYS_sigaltstack, "pp" },
	{ SYS_kill, "ug" },
	{ SYS_tkill, "qg" },
	{ SYS_tgkill, "uqg" },
	{ SYS_rt_sigqueueinfo, "ugp" },
	{ SYS_rt_tgsigqueueinfo, "uqgp" },
	{ SYS_setitimer, "ntp" },
	{ SYS_getitimer, "np" },
	{ SYS_alarm, "n" },
	{ SYS_nanosleep, "tp" },
	{ SYS_clock_nanosleep, "nntp" },
	{ SYS_clock_gettime, "np" },
	{ SYS_wait4, "0pnp" },
	{ SYS_waitid, "nnpbp" },
	{ SYS_setpgid, "uu" },
	{ SYS_setsid, "0" },
	{ SYS_getpgid, "u" },
	{ SYS_prlimit64, "unpp" },
	{ SYS_prlimit64, "un0p" },
	{ SYS_getrusage, "np" },
	{ SYS_getpriority, "nu" },
	{ SYS_sched_setaffinity, "qsp" },
	{ SYS_sched_getaffinity, "qsp" },
	{ SYS_sched_getparam, "qp" },
	{ SYS_sched_rr_get_interval, "qp" },
	{ SYS_sched_yield, "" },
	{ SYS_prctl, "noooo" },
	{ SYS_setresuid, "nnn" },
	{ SYS_capset, "pp" },
	{ SYS_capget, "pp" },
	{ SYS_setgroups, "np" },
	{ SYS_getgroups, "np" },
	{ SYS_getrandom, "psn" },
	{ SYS_sysinfo, "p" },
	{ SYS_uname, "p" },
	{ SYS_setxattr, "zzpsn" },
	{ SYS_shmget, "ksb" },
	{ SYS_shmget, "ks\x03" },
	{ SYS_shmat, "kPb" },
	{ SYS_shmat, "k0b" },
	{ SYS_shmdt, "P" },
	{ SYS_shmctl, "knp" },
	{ SYS_semget, "kn\x03" },
	{ SYS_semop, "kpn" },
	{ SYS_semtimedop, "kpnt" },
	{ SYS_semctl, "knnp" },
	{ SYS_msgget, "k\x03" },
	{ SYS_msgsnd, "kpsb" },
	{ SYS_msgrcv, "kpsnb" },
	{ SYS_msgctl, "knp" },
	{ SYS_mq_open, "mbop" },
	{ SYS_mq_open, "m\x04" },
	{ SYS_mq_unlink, "m" },
	{ SYS_mq_timedsend, "fpsnt" },
	{ SYS_mq_timedreceive, "f\x05spt" },
	{ SYS_mq_notify, "fp" },
	{ SYS_mq_getsetattr, "fpp" },
	{ SYS_execve, "zpp" },
	{ SYS_execveat, "dzppb" },
};

static const char *const paths[] = {
	"a",
	"b",
	"d",
	"d/x",
	"d/d",
	"m",
	"m/x",
	"l",
	"l/x",
	"n/m",
	"..",
	".",
	"",
	"/proc/self/maps",
	"/proc/self/status",
	"/proc/self/fd",
	"/proc/self/fd/5",
	"/proc/self/fd/9",
	"/proc/self/task",
	"/proc/self/cwd",
	"/proc/mounts",
	"/proc/self/mem",
	"/proc/self/stat",
	"/proc",
	"/a",
	"/b",
	"/d",
	"/d/x",
	"/m",
	"/m/x",
	"/l",
	"/n",
	STORM_PROGRAM,
};
static const char *const mount_points[] = { "/m", "/n", "/n/m", "/d", "/m/x" };
static const char *const kinds_of_fs[] = { "tmpfs", "proc", "tmpfs", "nothing" };

volatile int storm_threads[STORM_SLOTS];

static char *arena;
static uint64_t shapes[16][16]; /* vectors, times, actions: written and read by all threads */

uint64_t storm_random(uint64_t *state)
{
	uint64_t mixed = *state += 0x9e3779b97f4a7c15;

	mixed = (mixed ^ mixed >> 32) * 0xd6e8feb86659fd93;
	mixed = (mixed ^ mixed >> 32) * 0xd6e8feb86659fd93;
	return mixed ^ mixed >> 32;
}

#define next(state)        storm_random(state)
#define PICK(state, array) ((array)[next(state) % COUNT(array)])

/* ---- arguments ---- */

static void on_signal(int signal)
{
	(void)signal;
}

static __attribute__((naked)) void restorer(void)
{
	__asm__("mov $15, %eax; syscall");
}

void storm_catch(long signal)
{
	uint64_t action[4] = { (uint64_t)on_signal, SA_RESTORER, (uint64_t)restorer, 0 };

	sys(SYS_rt_sigaction, signal, action, NULL, 8);
}

void storm_make_arena(void)
{
	arena = fresh((ARENA_PAGES + SPARE_PAGES) * PAGE, PROT_READ | PROT_WRITE);
}

static long pointer(uint64_t *state)
{
	return (long)(arena + next(state) % (ARENA_PAGES * PAGE));
}

static long edge(uint64_t *state)
{
	static const uint64_t values[] = {
		0,         -1UL,    HHDM_BASE,          IMAGE_BASE, HEAP_BASE, USER_SIZE, USER_SIZE - PAGE,
		1UL << 31, -4096UL, 0x7fffffffffffffff, 1UL << 63,  0xffffffff
	};

	switch (next(state) % 4) {
	case 0:
		return (long)(1UL << next(state) % 64);
	case 1:
		return (long)next(state);
	default:
		return (long)PICK(state, values);
	}
}

/* Vectors, a time, an action or descriptors to poll, in a shape that another thread may be changing. */
static long shape(char kind, uint64_t *state)
{
	uint64_t *words = PICK(state, shapes);

	if (kind == 't') {
		words[0] = next(state) % 64 ? 0 : next(state) % 3;
		words[1] = next(state) % 1000000;
		words[2] = 0;
		words[3] = next(state) % (next(state) % 8 ? 1000000 : 3000000000);
	} else if (kind == 'a') {
		words[0] = next(state) % 4 ? (uint64_t)on_signal : 1;
		words[1] = (next(state) & 0xd8000000) | SA_RESTORER; /* the restorer is there */
		words[2] = (uint64_t)restorer;
		words[3] = next(state) & next(state);
	} else if (kind == 'i') {
		for (int i = 0; i < 16; i++)
			words[i] = next(state) % MOST_FD | (next(state) & 0x3f) << 32;
	} else {
		for (int i = 0; i < 16; i += 2) {
			words[i] = (uint64_t)pointer(state);
			words[i + 1] = next(state) % 5000;
		}
	}
	return (long)words;
}

static long signal_number(uint64_t *state)
{
	long number = (long)(next(state) % 64 + 1);
	bool ends = number == SIGKILL || number == SIGSEGV || number == SIGBUS || number == SIGILL ||
		    number == SIGFPE || (number >= SIGSTOP && number <= SIGTTOU);

	return ends && next(state) % 512 ? SIGUSR1 : number;
}

static long argument(char kind, uint64_t *state)
{
	bool reaches_others = kind == 'u' || kind == 'q' || kind == 'x';

	if (!reaches_others && next(state) % 24 == 0)
		return edge(state);
	switch (kind) {
	case 'f':
		return (long)(next(state) % MOST_FD);
	case 'd':
		return next(state) % 2 ? AT_FDCWD : (long)(next(state) % MOST_FD);
	case 'p':
		return pointer(state);
	case 'P':
		return pointer(state) & -(long)PAGE;
	case 's':
		return (long)(next(state) % 4 ? next(state) % 300 : next(state) % 40000);
	case 'L':
		return (long)((next(state) % 16 + 1) * PAGE);
	case 'o':
		return (long)(next(state) % 4 ? next(state) % 70000 : next(state) % 0x6000);
	case 'n':
		return (long)(next(state) % 20);
	case 'b':
		return (long)(1UL << next(state) % 24 | (1UL << next(state) % 24) * (next(state) & 1));
	case 'z':
		return (long)PICK(state, paths);
	case 'x':
		return (long)PICK(state, mount_points);
	case 'y':
		return (long)PICK(state, kinds_of_fs);
	case 'g':
		return signal_number(state);
	case 'u':
		return sys(SYS_getpid);
	case 'q':
		return storm_threads[next(state) % STORM_THREADS] ? storm_threads[next(state) % STORM_THREADS]
								  : sys(SYS_gettid);
	case 1: /* a map at this place */
		return MAP_FIXED | MAP_ANONYMOUS | (next(state) % 2 ? MAP_SHARED : MAP_PRIVATE);
	case 2: /* an operation on a futex of this process */
		return (long)(next(state) % 16 | FUTEX_PRIVATE);
	case 3: /* flags that make an object, which all may use */
		return 01777;
	case 4: /* flags that make a queue, or open it */
		return O_CREAT | O_RDWR | (next(state) % 2 ? O_NONBLOCK : 0);
	case 5: /* where a message fits */
		return (long)arena;
	case 'm':
		return (long)&"qqq"[next(state) % 3];
	case 'k':
		return (long)(next(state) % 4 << 15 | next(state) % 4);
	case 'v':
	case 't':
	case 'a':
	case 'i':
		return shape(kind, state);
	default:
		return 0;
	}
}

void storm_call(uint64_t *state)
{
	const struct call *call = &PICK(state, calls);
	long arguments[6] = { 0 };

	for (int i = 0; i < 6 && call->kinds[i]; i++)
		arguments[i] = argument(call->kinds[i], state);
	sys6(call->number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

/* Any number with anything. What makes processes is left out: they would run on with this thread's stack. */
void storm_garbage(uint64_t *state)
{
	long number = (long)(next(state) % MOST_NUMBER), arguments[6];

	if (number == SYS_clone || number == SYS_fork || number == SYS_vfork || number == SYS_clone3 ||
	    forbidden(number))
		return;
	if (number == SYS_arch_prctl || number == SYS_rt_sigreturn || number == SYS_mount)
		return;
	for (int i = 0; i < 6; i++)
		arguments[i] = argument("fpPsnbztk0"[next(state) % 10], state);
	attack(number, arguments);
}

static void copy_program(void)
{
	long from = sys(SYS_openat, AT_FDCWD, "/proc/self/exe", O_RDONLY, 0);
	long to = sys(SYS_openat, AT_FDCWD, STORM_ROOT STORM_PROGRAM, O_WRONLY | O_CREAT, 0777);

	while (sys(SYS_sendfile, to, from, NULL, PAGE * 16) > 0)
		;
	sys(SYS_close, from);
	sys(SYS_close, to);
}

bool storm_enter(void)
{
	copy_program();
	if (sys(SYS_chdir, STORM_ROOT) != 0 || sys(SYS_chroot, ".") != 0)
		return false;
	sys(SYS_mkdir, "/proc", 0777);
	sys(SYS_mount, "proc", "/proc", "proc", 0, NULL);
	sys(SYS_mkdir, "/dev", 0777);
	sys(SYS_mknod, "/dev/zero", S_IFCHR | 0666, DEV_ZERO);
	return true;
}

void storm_scene(void)
{
	int ends[2];

	for (int i = 0; i < 4; i++)
		sys(SYS_mkdir, mount_points[i], 0777);
	sys(SYS_symlink, "d", "l");
	for (int i = 0; i < 2; i++) {
		sys(SYS_openat, AT_FDCWD, paths[i], O_RDWR | O_CREAT, 0666);
		sys(SYS_pipe2, ends, i ? O_NONBLOCK : 0);
		sys(SYS_eventfd2, i, i ? O_NONBLOCK : 0);
		sys(SYS_epoll_create1, 0);
		sys(SYS_memfd_create, "storm", 2);
		sys(SYS_timerfd_create, i, 0);
		sys(SYS_openat, AT_FDCWD, i ? "/" : ".", O_RDONLY, 0);
		sys(SYS_openat, AT_FDCWD, i ? "/proc/self/maps" : "/proc", O_RDONLY, 0);
		sys(SYS_openat, AT_FDCWD, i ? "/dev/zero" : "/b", O_RDONLY, 0);
	}
}
