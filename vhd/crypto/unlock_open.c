/* SPDX-License-Identifier: Apache-2.0 */
/* libcryptsetup opens its device by name, again and again. In this program the names that it calls
 * are ours: the one name that exists is the header's, and opening it copies a descriptor. The C
 * library and the loader do not come by here; the filter of unlock_jail.c stops them. */
#define _GNU_SOURCE
#undef _FILE_OFFSET_BITS /* else open() and open64() are one name */
#undef _FORTIFY_SOURCE

#include "unlock_open.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);

static int header_fd = -1; /* set: nothing else can be opened any more */

void unlock_open_only(int fd)
{
	header_fd = fd;
}

static int answer(const char *path, int flags, mode_t mode)
{
	if (header_fd < 0) {
		return openat(AT_FDCWD, path, flags, mode);
	}
	if (strcmp(path, UNLOCK_OPEN_NAME) != 0) {
		errno = EACCES;
		return -1;
	}
	return fcntl(header_fd, F_DUPFD_CLOEXEC, 0);
}

static mode_t mode_of(int flags, va_list arguments)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return answer(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return answer(path, flags, mode);
}

int __open_2(const char *path, int flags)
{
	return answer(path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
	return answer(path, flags, 0);
}

int stat(const char *path, struct stat *ret_stat)
{
	if (header_fd >= 0 && strcmp(path, UNLOCK_OPEN_NAME) == 0) {
		return fstat(header_fd, ret_stat);
	}
	return fstatat(AT_FDCWD, path, ret_stat, 0);
}

int stat64(const char *path, struct stat64 *ret_stat)
{
	return stat(path, (struct stat *)ret_stat);
}

/* The C library counts processors in files; here it must count without. */
long sysconf(int name)
{
	long (*real)(int);
	cpu_set_t set;

	*(void **)&real = dlsym(RTLD_NEXT, "sysconf");
	if (name == _SC_NPROCESSORS_ONLN && sched_getaffinity(0, sizeof(set), &set) == 0) {
		return CPU_COUNT(&set);
	}
	return real ? real(name) : -1;
}
