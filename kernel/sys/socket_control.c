/*
 * Gets the control data of messages that a program sends, and puts that of messages which it receives.
 */
#include "kernel/sys/socket_control.h"

#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/net/passed.h"
#include "kernel/task/rights.h"

#define CONTROL_MOST 20480 /* bytes of a send's control data: Linux's optmem_max */
#define HEAD         sizeof(struct linux_control_head)

/* ---- of a send ---- */

/* Add the files of the descriptors to message->passed. */
static int get_files(const int32_t *numbers, uint64_t size, struct socket_message *message)
{
	const uint64_t count = size / sizeof(*numbers);
	int error = 0;

	if (!count)
		return 0;
	if (!message->passed)
		error = passed_create(SCM_RIGHTS_MOST, &message->passed);
	if (!error && message->passed->count + count > SCM_RIGHTS_MOST)
		error = -EINVAL;
	for (uint64_t i = 0; i < count && !error; i++) {
		struct file *file = args_file_get((uint64_t)numbers[i]);

		if (file && file->flags & O_PATH) {
			file_put(file);
			file = NULL;
		}
		if (file)
			message->passed->files[message->passed->count++] = file;
		else
			error = -EBADF;
	}
	return error;
}

static bool has_id(const struct ids *ids, uint32_t id)
{
	return id == ids->real || id == ids->effective || id == ids->saved;
}

/* Get the sender that a program names: the program itself, or with capabilities another process or ID. */
static int get_sender(const void *data, uint64_t size, struct socket_message *message)
{
	const struct credentials *who = rights_current();

	if (size != sizeof(message->sender))
		return -EINVAL;
	memcpy(&message->sender, data, sizeof(message->sender));
	if ((message->sender.pid != process_current()->pid && !rights_can(CAP_SYS_ADMIN)) ||
	    (!has_id(&who->uid, message->sender.uid) && !rights_can(CAP_SETUID)) ||
	    (!has_id(&who->gid, message->sender.gid) && !rights_can(CAP_SETGID)))
		return -EPERM;
	if (!process_peek(message->sender.pid))
		return -ESRCH;
	message->has_sender = true;
	return 0;
}

static int get_items(const uint8_t *data, uint64_t size, struct socket_message *message)
{
	struct linux_control_head head;
	int error = 0;

	for (uint64_t at = 0; at + HEAD <= size && !error; at += (head.size + 7) & ~7ULL) {
		memcpy(&head, data + at, HEAD);
		if (head.size < HEAD || head.size > size - at)
			return -EINVAL;
		if (head.level != SOL_SOCKET)
			continue;
		if (head.type == SCM_RIGHTS)
			error = get_files((const int32_t *)(data + at + HEAD), head.size - HEAD, message);
		else if (head.type == SCM_CREDENTIALS)
			error = get_sender(data + at + HEAD, head.size - HEAD, message);
		else
			error = -EINVAL;
	}
	return error;
}

int control_get(uint64_t from, uint64_t size, struct socket_message *message)
{
	uint8_t *data;
	int error;

	if (!size)
		return 0;
	if (size > CONTROL_MOST)
		return -ENOBUFS;
	data = kmalloc(size);
	if (!data)
		return -ENOMEM;
	error = args_get(data, from, size);
	if (!error)
		error = get_items(data, size, message);
	kfree(data);
	return error;
}

/* ---- of a receive ---- */

/* Write one item of control data to the user, as much of it as fits. */
static int put_item(struct control_room *room, int type, const void *data, uint64_t size)
{
	struct linux_control_head head = { HEAD + size, SOL_SOCKET, type };
	uint64_t space;
	int error;

	if (room->left < head.size)
		room->flags |= MSG_CTRUNC;
	if (room->left < HEAD)
		return 0;
	if (room->left < head.size)
		head.size = room->left;
	error = args_put(room->at, &head, HEAD);
	if (!error)
		error = args_put(room->at + HEAD, data, head.size - HEAD);
	space = (head.size + 7) & ~7ULL;
	if (space > room->left)
		space = room->left;
	room->at += space;
	room->left -= space;
	return error;
}

/* Make descriptors of as many passed files as the buffer has room for. */
static int put_files(struct control_room *room, const struct passed_files *passed, unsigned flags)
{
	uint64_t fit = room->left > HEAD ? (room->left - HEAD) / sizeof(int32_t) : 0;

	if (fit < passed->count)
		room->flags |= MSG_CTRUNC;
	else
		fit = passed->count;
	if (!fit)
		return 0;
	room->installed = kmalloc(fit * sizeof(*room->installed));
	if (!room->installed)
		return -ENOMEM;
	while (room->count < fit) {
		int64_t fd =
			args_install(file_get(passed->files[room->count]), flags & MSG_CMSG_CLOEXEC ? O_CLOEXEC : 0);

		if (fd < 0) {
			room->flags |= MSG_CTRUNC;
			break;
		}
		room->installed[room->count++] = (int32_t)fd;
	}
	return room->count ? put_item(room, SCM_RIGHTS, room->installed, room->count * sizeof(*room->installed)) : 0;
}

int control_put(struct control_room *room, const struct socket_message *message, unsigned flags)
{
	int error = 0;

	if (message->has_sender)
		error = put_item(room, SCM_CREDENTIALS, &message->sender, sizeof(message->sender));
	if (!error && message->passed)
		error = put_files(room, message->passed, flags);
	return error;
}

void control_end(struct control_room *room, bool failed)
{
	for (unsigned i = 0; failed && i < room->count; i++)
		fd_close(process_current()->fds, room->installed[i]);
	kfree(room->installed);
	room->installed = NULL;
	room->count = 0;
}
