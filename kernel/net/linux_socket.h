/*
 * Linux's constants and structures of sockets on x86-64: socket(2), socket(7), unix(7), cmsg(3).
 */
#pragma once

#include "paging/types.h"

enum linux_family { AF_UNSPEC = 0, AF_UNIX = 1 };

/* Types of socket(2); the bits above SOCK_TYPE_BITS are O_CLOEXEC and O_NONBLOCK. */
enum linux_socket_type { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_SEQPACKET = 5, SOCK_TYPE_BITS = 0xf };
#define SOCK_TYPES 11 /* there are no types with this number or a greater one */

enum linux_message_flags {
	MSG_OOB = 0x1,
	MSG_PEEK = 0x2,
	MSG_CTRUNC = 0x8,
	MSG_TRUNC = 0x20,
	MSG_DONTWAIT = 0x40,
	MSG_EOR = 0x80,
	MSG_WAITALL = 0x100,
	MSG_ERRQUEUE = 0x2000,
	MSG_NOSIGNAL = 0x4000,
	MSG_WAITFORONE = 0x10000,
	MSG_CMSG_CLOEXEC = 0x40000000,
};

enum linux_shutdown { SHUT_RD, SHUT_WR, SHUT_RDWR };

#define SOL_SOCKET 1

enum linux_socket_option {
	SO_DEBUG = 1,
	SO_REUSEADDR = 2,
	SO_TYPE = 3,
	SO_ERROR = 4,
	SO_DONTROUTE = 5,
	SO_BROADCAST = 6,
	SO_SNDBUF = 7,
	SO_RCVBUF = 8,
	SO_KEEPALIVE = 9,
	SO_OOBINLINE = 10,
	SO_LINGER = 13,
	SO_PASSCRED = 16,
	SO_PEERCRED = 17,
	SO_RCVLOWAT = 18,
	SO_SNDLOWAT = 19,
	SO_RCVTIMEO = 20,
	SO_SNDTIMEO = 21,
	SO_PEERNAME = 28,
	SO_ACCEPTCONN = 30,
	SO_SNDBUFFORCE = 32,
	SO_RCVBUFFORCE = 33,
	SO_PROTOCOL = 38,
	SO_DOMAIN = 39,
};

enum linux_control { SCM_RIGHTS = 1, SCM_CREDENTIALS = 2 };

#define SCM_RIGHTS_MOST 253 /* most descriptors in one message */

/* Linux's struct msghdr. Guard: only the calling task uses it. */
struct linux_message {
	uint64_t name;
	uint32_t name_size;
	uint32_t pad;
	uint64_t pieces, piece_count;
	uint64_t control, control_size;
	uint32_t flags;
	uint32_t pad_end;
};

_Static_assert(sizeof(struct linux_message) == 56, "Linux's struct msghdr");

/* Linux's struct cmsghdr, which is in front of each item of control data; items begin at multiples of 8 bytes. */
struct linux_control_head {
	uint64_t size; /* bytes of the head and of the data behind it */
	int32_t level;
	int32_t type;
};

/* Linux's struct ucred: who sent a message, or made a connection. Guard: that of the structure around it. */
struct linux_credentials {
	int32_t pid;
	uint32_t uid, gid;
};

#define UNIX_PATH_MOST 108 /* bytes of sockaddr_un.sun_path */
#define NAME_HEAD      2   /* bytes of a socket's address before the part that depends on the family */
