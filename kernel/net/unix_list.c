/*
 * Lists the sockets of AF_UNIX for /proc/net/unix. New sockets go into ROWS rows by turns, so that each row has few of
 * them; a reader gets whole rows, and so sees no socket twice.
 */
#include "kernel/fs/text.h"
#include "kernel/net/unix_internal.h"

#define ROWS 1024

/* Linux's flag of a socket that listens, and its states of sockets. */
#define FLAG_LISTENS 0x10000
enum state { UNCONNECTED = 1, CONNECTING, CONNECTED, DISCONNECTING };

/* Lists of the sockets, linked by listed_next. Guard: tasks only, which the kernel does not preempt. */
static struct unix_socket *rows[ROWS];
/* how many sockets were ever added, which chooses the next row; guard: tasks only, which the kernel does not preempt */
static uint64_t made;

void unix_list_add(struct unix_socket *socket)
{
	struct unix_socket **row = &rows[made++ % ROWS];

	socket->listed_next = *row;
	socket->listed_link = row;
	if (*row)
		(*row)->listed_link = &socket->listed_next;
	*row = socket;
}

void unix_list_remove(struct unix_socket *socket)
{
	*socket->listed_link = socket->listed_next;
	if (socket->listed_next)
		socket->listed_next->listed_link = socket->listed_link;
}

/* Add an address: a path up to its NUL, or an abstract name with @ for each NUL. */
static void add_name(const struct socket_name *name, struct text *ret)
{
	const bool is_abstract = name->size > NAME_HEAD && !name->bytes[NAME_HEAD];

	text_add_char(ret, ' ');
	for (uint32_t i = NAME_HEAD; i < name->size && (is_abstract || name->bytes[i]); i++)
		text_add_char(ret, name->bytes[i] ? (char)name->bytes[i] : '@');
}

static void add_line(const struct unix_socket *socket, struct text *ret)
{
	const struct file *file = socket->socket.file;
	const bool connected = socket->peer && socket->socket.type != SOCK_DGRAM;
	const enum state state =
		file ? (connected ? CONNECTED : UNCONNECTED) : (connected ? CONNECTING : DISCONNECTING);

	/*
	 * As on Linux the first field, an address in the kernel, is hidden by zeros. Linux counts one reference more.
	 */
	text_add(ret, "0000000000000000: %08llX %08X %08X %04X %02X %5llu", (unsigned long long)socket->socket.refs + 1,
		 0U, socket->is_listening ? FLAG_LISTENS : 0U, (unsigned)socket->socket.type, (unsigned)state,
		 (unsigned long long)(file ? file->node->number : 0));
	if (socket->name)
		add_name(&socket->name->name, ret);
	text_add_char(ret, '\n');
}

void unix_list_some(uint64_t *place, size_t enough, struct text *ret)
{
	if (!*place)
		text_add_string(ret, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	for (; *place < ROWS && ret->size < enough; (*place)++)
		for (const struct unix_socket *socket = rows[*place]; socket; socket = socket->listed_next)
			add_line(socket, ret);
}
