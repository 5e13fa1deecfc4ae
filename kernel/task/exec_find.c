/*
 * Finds what execve(2) is to start: the program's file, through the interpreters of scripts, and its *loader*, the file
 * that PT_INTERP names and that loads the program's libraries. Both are only read here; exec_load.c maps them.
 */
#include "kernel/fs/errno.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/place.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/task/exec_internal.h"

/* bytes of a file that are read to recognise it; the program headers are mostly among them */
#define START_SIZE 4096

#define CLASS_AT 4 /* the byte of an ELF header that says how wide addresses are */
#define CLASS_32 1

/*
 * Open the node of `place` as a program. Returns 0, -EACCES (`who` may not execute it), -ETXTBSY, or file_open()'s
 * errors.
 */
static int open_program(const struct path_base *base, const struct place *place, struct file **ret)
{
	struct node *node = place->node;
	int error;

	if (!node_is(node, S_IFREG) || mount_flags(place->mount) & MS_NOEXEC ||
	    node_permit(node, base->who, ACCESS_EXECUTE) != 0)
		return -EACCES;
	if (node->writers)
		return -ETXTBSY;
	error = file_open(place, O_RDONLY, ret);
	if (!error)
		notify_node(node, IN_OPEN);
	return error;
}

static int open_path(const struct path_base *base, const char *path, struct file **ret)
{
	struct place place;
	int error = path_lookup_place(base, path, PATH_FOLLOW, &place);

	if (error)
		return error;
	error = open_program(base, &place, ret);
	place_put(place);
	return error;
}

/* Read bytes of a file. Returns how many, or -errno. */
static int64_t read_bytes(struct file *file, void *to, size_t size, uint64_t offset)
{
	struct user_io io;
	int64_t read;

	user_io_init_kernel(&io, to, size);
	read = file_move(file, FILE_PREAD, &io, offset);
	if (read > 0)
		notify_node(file->node, IN_ACCESS);
	return read;
}

/* Return why a file that a program needs cannot be used, as the end of a sentence. */
static const char *reason(int error)
{
	switch (error) {
	case -ENOENT:
		return "is not here";
	case -EACCES:
		return "may not be executed";
	case -ETXTBSY:
		return "is open for writing";
	case -ENOTDIR:
		return "has a file as a directory in its path";
	default:
		return "cannot be opened";
	}
}

/*
 * Read what the headers of an ELF program say; `start` has the first `have` bytes of the file. Returns 0, -ENOMEM, or
 * -ENOEXEC with *ret_error.
 */
static int read_headers(struct file *file, const char *start, size_t have, struct elf_image *ret,
			struct elf_error *ret_error)
{
	const uint64_t size = file->node->size;
	char *elsewhere = NULL;
	enum status status;
	uint64_t offset;
	size_t bytes;

	if (elf_find_programs(start, have, size, &offset, &bytes, ret_error) != OK)
		return -ENOEXEC;
	if (offset > have || bytes > have - offset) {
		elsewhere = kmalloc(bytes);
		if (!elsewhere)
			return -ENOMEM;
		if (read_bytes(file, elsewhere, bytes, offset) != (int64_t)bytes) {
			kfree(elsewhere);
			*ret_error = (struct elf_error){ "program headers cannot be read, offset", offset };
			return -ENOEXEC;
		}
	}
	status =
		elf_parse_program(start, elsewhere ? elsewhere : start + offset, size, 0, USER_END - 1, ret, ret_error);
	kfree(elsewhere);
	return status == OK ? 0 : -ENOEXEC;
}

/* Read an open ELF file, whose first bytes `start` gets. Returns as read_headers(), or an error of read(2). */
static int read_loader(struct exec_file *loader, char *start, struct elf_error *ret_error)
{
	int64_t have = read_bytes(loader->file, start, START_SIZE, 0);

	if (have < 0)
		return (int)have;
	return read_headers(loader->file, start, (size_t)have, &loader->elf, ret_error);
}

/* Read the name of the program's loader into a heap block. Returns 0, -ENOMEM, -ENOEXEC. */
static int read_loader_name(const struct exec_file *own, char **ret, struct exec_refusal *refusal)
{
	const size_t size = own->elf.loader_size;
	char *name = kmalloc(size);

	if (!name)
		return -ENOMEM;
	if (read_bytes(own->file, name, size, own->elf.loader_offset) == (int64_t)size && !name[size - 1]) {
		*ret = name;
		return 0;
	}
	kfree(name);
	return exec_refuse(refusal, -ENOEXEC, "the name of its loader, %#zx bytes at %#llx, does not end with a NUL",
			   size, (unsigned long long)own->elf.loader_offset);
}

/*
 * Open the loader that the program names, and read its headers into program->loader; `start` is a buffer of START_SIZE
 * bytes. Returns 0 or an error.
 */
static int find_loader(const struct path_base *base, struct exec_program *program, char *start,
		       struct exec_refusal *refusal)
{
	struct exec_file *loader;
	struct elf_error what = { "", 0 };
	char *name = NULL;
	int error = read_loader_name(&program->own, &name, refusal);

	if (error)
		return error;
	loader = kmalloc(sizeof(*loader));
	error = loader ? open_path(base, name, &loader->file) : -ENOMEM;
	if (error) {
		if (error != -ENOMEM && error != -EINTR)
			exec_refuse(refusal, error, "needs %s, which %s", name, reason(error));
	} else {
		error = read_loader(loader, start, &what);
		if (error)
			file_put(loader->file);
		if (error == -ENOEXEC)
			error = exec_refuse(refusal, -ELIBBAD, "needs %s, which is no loader: %s %#llx", name,
					    what.what, (unsigned long long)what.value);
	}
	kfree(name);
	if (error)
		kfree(loader);
	else
		program->loader = loader;
	return error;
}

void exec_program_put(struct exec_program *program)
{
	file_put(program->own.file);
	if (program->loader) {
		file_put(program->loader->file);
		kfree(program->loader);
	}
	kfree(program);
}

/* Read the headers of the ELF program whose file is program->own.file, and find its loader. Returns 0 or an error. */
static int take_program(const struct path_base *base, char *start, size_t have, struct exec_program *program,
			struct exec_refusal *refusal)
{
	struct elf_error what = { "", 0 };
	int error = read_headers(program->own.file, start, have, &program->own.elf, &what);

	program->loader = NULL;
	if (!error && program->own.elf.loader_size)
		error = find_loader(base, program, start, refusal);
	else if (error == -ENOEXEC && have >= ELF_HEADER && memcmp(start, "\177ELF", 4) == 0 &&
		 start[CLASS_AT] == CLASS_32)
		exec_refuse(refusal, error, "a 32-bit program (ELF class %d)", CLASS_32);
	else if (error == -ENOEXEC)
		exec_refuse(refusal, error, "%s %#llx", what.what, (unsigned long long)what.value);
	return error;
}

/*
 * Go on from the script *path, whose first bytes are at `start`, to its interpreter: *path and *ret_file become the
 * interpreter's. Returns 0 or an error.
 */
static int take_script(const struct path_base *base, char **path, struct exec_arguments *a, char *start, size_t have,
		       struct file **ret_file, struct exec_refusal *refusal)
{
	char *interpreter, *option, *next;
	size_t length;
	int error;

	start[have] = '\0';
	if (!exec_cut_line(start, have, &interpreter, &option))
		return exec_refuse(refusal, -ENOEXEC, "its line #! names no interpreter");
	next = copy_string(interpreter);
	error = next ? exec_arguments_prepend(a, interpreter, option, *path) : -ENOMEM;
	if (error) {
		exec_string_free(next);
		return error;
	}
	exec_string_free(*path);
	*path = next;
	error = open_path(base, next, ret_file);
	if (error == 0 || error == -ENOMEM || error == -EINTR)
		return error;
	/* A carriage return at the end of the line is the usual reason, and would be invisible: show it by name. */
	length = strlen(next);
	if (next[length - 1] == '\r')
		length--;
	return exec_refuse(refusal, error, "#!%.*s%s: %s", (int)length, next, next[length] ? "\\r" : "",
			   error == -ENOENT ? "no such file" : reason(error));
}

/* Follow scripts from program->own.file on to an ELF program. Returns 0, or an error with all files closed. */
static int follow_scripts(const struct path_base *base, bool hidden, char **path, struct exec_arguments *a, char *start,
			  struct exec_program *program, struct exec_refusal *refusal)
{
	for (int scripts = 0;; scripts++) {
		struct file *file = program->own.file;
		int64_t have = read_bytes(file, start, START_SIZE, 0);
		int error;

		if (have < 2 || start[0] != '#' || start[1] != '!') {
			error = have < 0 ? (int)have : take_program(base, start, (size_t)have, program, refusal);
			if (error)
				file_put(file);
			return error;
		}
		error = hidden ? -ENOENT : scripts == EXEC_SCRIPTS_MAX ? -ELOOP : 0;
		if (!error)
			error = take_script(base, path, a, start, (size_t)have, &program->own.file, refusal);
		file_put(file);
		if (error)
			return error;
	}
}

int exec_find(const struct path_base *base, const struct exec_request *request, struct exec_arguments *a,
	      struct exec_program **ret, struct exec_refusal *refusal)
{
	char *start = kmalloc(START_SIZE + 1), *path = copy_string(request->path);
	struct exec_program *program = kmalloc(sizeof(*program));
	int error = start && path && program ? 0 : -ENOMEM;

	if (!error)
		error = request->place ? open_program(base, request->place, &program->own.file)
				       : open_path(base, path, &program->own.file);
	if (!error)
		error = follow_scripts(base, request->hidden, &path, a, start, program, refusal);
	kfree(start);
	exec_string_free(path);
	if (error)
		kfree(program);
	else
		*ret = program;
	return error;
}
