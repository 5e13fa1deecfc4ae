/*
 * Checks mmap(2)'s flags and translates them.
 */
#include "kernel/sys/memory_flags.h"

#include "kernel/fs/errno.h"
#include "kernel/mm/user/user_space.h"
#include "kernel/task/refused_feature.h"

#define PROT_KNOWN          7
#define MAP_SHARED          1
#define MAP_PRIVATE         2
#define MAP_SHARED_VALIDATE 3
#define MAP_TYPE            0xf
#define MAP_FIXED           0x10
#define MAP_ANONYMOUS       0x20
#define MAP_32BIT           0x40
#define MAP_GROWSDOWN       0x100
#define MAP_DENYWRITE       0x800
#define MAP_EXECUTABLE      0x1000
#define MAP_LOCKED          0x2000
#define MAP_NORESERVE       0x4000
#define MAP_POPULATE        0x8000
#define MAP_NONBLOCK        0x10000
#define MAP_STACK           0x20000
#define MAP_HUGETLB         0x40000
#define MAP_FIXED_NOREPLACE 0x100000
#define MAP_KNOWN                                                                                             \
	(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_LOCKED | \
	 MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_32BIT | MAP_FIXED_NOREPLACE)

static const struct {
	unsigned theirs, ours;
} same[] = {
	{ MAP_FIXED, USER_MAP_FIXED },
	{ MAP_FIXED_NOREPLACE, USER_MAP_FIXED_NOREPLACE },
	{ MAP_GROWSDOWN, USER_MAP_GROWS_DOWN },
	{ MAP_POPULATE, USER_MAP_POPULATE },
	{ MAP_LOCKED, USER_MAP_POPULATE | USER_MAP_LOCKED },
	{ MAP_NORESERVE, USER_MAP_NORESERVE },
	{ MAP_STACK, USER_MAP_STACK },
	{ MAP_32BIT, USER_MAP_LOW },
};

int rights_check(uint64_t prot, unsigned *ret_rights)
{
	if (prot & ~(uint64_t)PROT_KNOWN)
		return -EINVAL;
	*ret_rights = (unsigned)prot;
	return 0;
}

bool mapping_is_plain(uint64_t flags, unsigned *ret_flags)
{
	if ((flags & ~(uint64_t)(MAP_NORESERVE | MAP_STACK)) != (MAP_PRIVATE | MAP_ANONYMOUS))
		return false;
	*ret_flags = flags & MAP_STACK ? USER_MAP_STACK : 0;
	return true;
}

int mapping_check(uint64_t prot, uint64_t flags, uint64_t offset, struct mmap_request *ret)
{
	struct mmap_request mapping = { .anonymous = flags & MAP_ANONYMOUS };
	/* As on Linux, mmap ignores the bits of prot that it does not know. */
	int error = rights_check(prot & PROT_KNOWN, &mapping.rights);

	if (error)
		return error;
	switch (flags & MAP_TYPE) {
	case MAP_SHARED_VALIDATE:
		if (flags & ~(uint64_t)MAP_KNOWN)
			return -EOPNOTSUPP;
		mapping.flags = USER_MAP_SHARED;
		break;
	case MAP_SHARED:
		mapping.flags = USER_MAP_SHARED;
		break;
	case MAP_PRIVATE:
		break;
	default:
		return -EINVAL;
	}
	if (flags & MAP_HUGETLB)
		return refuse_feature(-EINVAL, "mmap: huge pages, MAP_HUGETLB", MAP_HUGETLB);
	if (offset % PAGE_SIZE)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (flags & same[i].theirs)
			mapping.flags |= same[i].ours;
	if (mapping.flags & USER_MAP_FIXED_NOREPLACE)
		mapping.flags &= ~(unsigned)USER_MAP_FIXED;
	*ret = mapping;
	return 0;
}
