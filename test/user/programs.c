/*
 * Tests what execve and execveat take: ELF files of unusual shape, scripts that start scripts, and files given by
 * descriptor.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test/user/tap.h"

#define SCRIPTS_MOST 5
#define MARK         "room for program headers"
#define LARGEST      (4 << 20) /* bytes of this program's file that are read */

static const char *self;

/* Space for the program headers of a copy of this program: far behind the file's first page, and mapped. */
static const char room[3 * PAGE] __attribute__((used, aligned(8))) = MARK;

static long execute(const char *path)
{
	char *arguments[] = { (char *)path, (char *)"child", (char *)"first", NULL };
	char *environment[] = { NULL };

	return sys(SYS_execve, path, arguments, environment);
}

static int try_execute(void *path)
{
	return (int)-execute(path);
}

static void write_file(const char *path, const void *bytes, size_t size)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	if (file < 0 || write(file, bytes, size) != (ssize_t)size)
		bail(path, file);
	close(file);
}

/* ---- ELF files ---- */

static char *file;
static size_t file_size;

static void read_self(void)
{
	int descriptor = open(self, O_RDONLY);

	file = fresh(LARGEST, PROT_READ | PROT_WRITE);
	file_size = (size_t)read(descriptor, file, LARGEST - PAGE);
	close(descriptor);
}

static Elf64_Ehdr *header(void)
{
	return (Elf64_Ehdr *)file;
}

static Elf64_Phdr *programs(void)
{
	return (Elf64_Phdr *)(file + header()->e_phoff);
}

/*
 * Make the program header that asks for a stack name a loader instead, whose name lies at the file's end. Returns false
 * if there is no such header.
 */
static bool name_loader(const char *name, size_t size)
{
	for (int i = 0; i < header()->e_phnum; i++) {
		Elf64_Phdr *p = &programs()[i];

		if (p->p_type != PT_GNU_STACK && p->p_type != PT_INTERP)
			continue;
		p->p_type = PT_INTERP;
		p->p_offset = file_size;
		p->p_filesz = size;
		memcpy(file + file_size, name, size);
		return true;
	}
	return false;
}

static void expect_loader(const char *name, size_t size, long error, const char *what)
{
	read_self();
	is_true(name_loader(name, size), 0, "the program has a header that can be changed");
	write_file("/tmp/program", file, file_size + size);
	is(execute("/tmp/program"), error, what);
	munmap(file, LARGEST);
}

static void test_loaders(void)
{
	static char text[100] = "no loader";

	write_file("/tmp/text", text, sizeof(text));
	expect_loader("/tmp/absent", sizeof("/tmp/absent"), -ENOENT, "execve of a program whose loader is not there");
	expect_loader("/tmp/text", sizeof("/tmp/text"), -ELIBBAD, "execve of a program whose loader is a text");
	expect_loader("/tmp", sizeof("/tmp"), -EACCES, "execve of a program whose loader is a directory");
	expect_loader("/tmp/absent", sizeof("/tmp/absent") - 1, -ENOEXEC, "a loader's name that does not end");
	expect_loader("", 1, -ENOEXEC, "a loader's name of one byte");
}

/*
 * Check a copy of this program whose program headers lie behind the file's first pages: it must run, and find them by
 * AT_PHDR.
 */
static void test_far_headers(void)
{
	char *at;

	read_self();
	at = memmem(file + 2 * PAGE, file_size - 2 * PAGE, MARK, sizeof(MARK));
	if (!at)
		bail("the program's own room is not in its file", 0);
	at += PAGE;
	memcpy(at, programs(), header()->e_phnum * sizeof(Elf64_Phdr));
	memset(programs(), 0xff, header()->e_phnum * sizeof(Elf64_Phdr));
	header()->e_phoff = (uint64_t)(at - file);
	write_file("/tmp/program", file, file_size);
	is(in_child(try_execute, (void *)"/tmp/program"), EXITED(0), "program headers far from the file's start");
	header()->e_phoff = file_size - 8;
	write_file("/tmp/program", file, file_size);
	is(execute("/tmp/program"), -ENOEXEC, "program headers that end behind the file");
	file[EI_CLASS] = ELFCLASS32;
	write_file("/tmp/program", file, file_size);
	is(execute("/tmp/program"), -ENOEXEC, "a 32-bit program");
	munmap(file, LARGEST);
}

/*
 * Run when a test has started this program: check that it was started as it should be, and say so by the exit status.
 */
static int run_child(int argc, char **argv)
{
	const Elf64_Phdr *p = (const Elf64_Phdr *)getauxval(AT_PHDR);
	unsigned long loads = 0;

	for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++)
		loads += p[i].p_type == PT_LOAD;
	if (loads < 2)
		return 1;
	if (argc < 3 || getauxval(AT_BASE) || !getauxval(AT_RANDOM))
		return 2;
	return strcmp(argv[argc - 1], "first") == 0 ? 0 : 3;
}

/* ---- scripts ---- */

static void write_script(const char *path, const char *format, const char *interpreter)
{
	char text[600];

	write_file(path, text, (size_t)snprintf(text, sizeof(text), format, interpreter));
}

/*
 * Write scripts 1 to `count`. The interpreter of each is the script before it, and that of the first is this program.
 */
static void write_scripts(int count)
{
	char path[32], interpreter[300];

	snprintf(interpreter, sizeof(interpreter), "%s", self);
	for (int i = 1; i <= count; i++) {
		snprintf(path, sizeof(path), "/tmp/script%d", i);
		write_script(path, "#!%s child\n", interpreter);
		snprintf(interpreter, sizeof(interpreter), "%s", path);
	}
}

static void test_scripts(void)
{
	char line[400];

	write_scripts(SCRIPTS_MOST + 1);
	is(in_child(try_execute, (void *)"/tmp/script1"), EXITED(0), "a script");
	is(in_child(try_execute, (void *)"/tmp/script5"), EXITED(0), "five scripts that start each other");
	is(execute("/tmp/script6"), -ELOOP, "a sixth is too many");
	write_script("/tmp/script", "#!%s\r\n", self);
	is(execute("/tmp/script"), -ENOENT, "an interpreter's name that ends with a carriage return");
	write_script("/tmp/script", "#! \t %s \t child \t \n", self);
	is(in_child(try_execute, (void *)"/tmp/script"), EXITED(0), "blanks around the interpreter and its option");
	write_script("/tmp/script", "#!%s\n", "  ");
	is(execute("/tmp/script"), -ENOEXEC, "a line that names no interpreter");
	memset(line, '/', sizeof(line));
	memcpy(line + 200 - strlen(self) + 1, self + 1, strlen(self) - 1);
	snprintf(line + 200, sizeof(line) - 200, " child");
	write_script("/tmp/script", "#!%s\n", line);
	is(in_child(try_execute, (void *)"/tmp/script"), EXITED(0), "an interpreter's name of 200 bytes");
	memset(line, '/', 300);
	snprintf(line + 300, sizeof(line) - 300, "%s", self);
	write_script("/tmp/script", "#!%s\n", line);
	is(execute("/tmp/script"), -ENOEXEC, "an interpreter's name of more than 255 bytes");
}

/* ---- execveat ---- */

static long execute_at(int fd, const char *path, int flags)
{
	char *arguments[] = { (char *)"x", (char *)"child", (char *)"first", NULL };
	char *environment[] = { NULL };

	return sys(SYS_execveat, fd, path, arguments, environment, flags);
}

/* One way in which a child names this program to execveat. */
struct way {
	int fd, flags;
	const char *path;
};

static int try_execute_at(void *argument)
{
	const struct way *way = argument;

	return (int)-execute_at(way->fd, way->path, way->flags);
}

static void test_execveat(void)
{
	const char *name = strrchr(self, '/') + 1;
	char directory[300];
	int fd = open(self, O_RDONLY), dir, text = open("/tmp/text", O_RDONLY | O_CLOEXEC);
	struct way by_file = { fd, AT_EMPTY_PATH, "" }, by_name, by_path = { -1, 0, self }, here;

	snprintf(directory, sizeof(directory), "%.*s", (int)(name - self), self);
	dir = open(directory, O_RDONLY | O_DIRECTORY);
	by_name = (struct way){ dir, 0, name };
	is(in_child(try_execute_at, &by_file), EXITED(0), "execveat of a descriptor");
	by_file.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	is(in_child(try_execute_at, &by_file), EXITED(0), "execveat of a descriptor that is closed by it");
	is(in_child(try_execute_at, &by_name), EXITED(0), "execveat of a name in a directory");
	is(in_child(try_execute_at, &by_path), EXITED(0), "execveat of an absolute path needs no descriptor");
	chdir(directory);
	here = (struct way){ AT_FDCWD, 0, name };
	is(in_child(try_execute_at, &here), EXITED(0), "execveat of a name in the working directory");
	chdir("/");
	is(execute_at(fd, "", 0), -ENOENT, "execveat of no path without AT_EMPTY_PATH");
	is(execute_at(dir, "", AT_EMPTY_PATH), -EACCES, "execveat of a directory");
	is(execute_at(fd, name, 0), -ENOTDIR, "execveat of a name in a file");
	is(execute_at(-1, name, 0), -EBADF, "execveat of a name in no descriptor");
	is(execute_at(fd, "", AT_EMPTY_PATH | 1), -EINVAL, "execveat with an unknown flag");
	is(execute_at(text, "", AT_EMPTY_PATH), -ENOEXEC, "execveat of a text");
	unlink("/tmp/link");
	is(symlink(self, "/tmp/link"), 0, "a symbolic link to the program");
	is(execute_at(AT_FDCWD, "/tmp/link", AT_SYMLINK_NOFOLLOW), -ELOOP, "execveat does not follow it with NOFOLLOW");
	close(text);
	text = open("/tmp/script1", O_RDONLY | O_CLOEXEC);
	is(execute_at(text, "", AT_EMPTY_PATH), -ENOENT, "execveat of a script by a descriptor that it closes");
	close(text);
	close(dir);
	close(by_file.fd);
	close(fd);
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1 && strcmp(argv[1], "child") == 0)
		return run_child(argc, argv);
	test_loaders();
	test_far_headers();
	test_scripts();
	test_execveat();
	return finish();
}
