/* SPDX-License-Identifier: Apache-2.0 */
/* System calls over a disk_memory; see disk_fd.h. The names are those that the C library has for
 * files of any size. */
#define _GNU_SOURCE
#include "disk_fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 64

struct opened {
	struct file *file;
	struct disk_memory *disk;
};

static struct disk_memory *mounted;
static struct disk_memory *folder_disk[FILES_MAX]; /* of folder fds that open() gave */
static struct opened files[FILES_MAX];

/* What fdopendir() gave. */
static struct listing {
	int fd; /* 0: nothing is open */
	unsigned count, at;
	struct dirent entry[FILES_MAX];
} listing;

int __real_open64(const char *path, int flags, mode_t mode);
int __real_openat64(int dir, const char *path, int flags, mode_t mode);
int __real_close(int fd);
ssize_t __real_pread64(int fd, void *bytes, size_t size, off_t offset);
ssize_t __real_pwrite64(int fd, const void *bytes, size_t size, off_t offset);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_ftruncate64(int fd, off_t size);
int __real_fstat64(int fd, struct stat *st);
int __real_flock(int fd, int operation);
int __real_fchmod(int fd, mode_t mode);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_unlinkat(int dir, const char *name, int flags);
DIR *__real_fdopendir(int fd);
struct dirent *__real_readdir64(DIR *dir);
int __real_closedir(DIR *dir);

int __wrap_open64(const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...);
int __wrap_close(int fd);
ssize_t __wrap_pread64(int fd, void *bytes, size_t size, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t size, off_t offset);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_ftruncate64(int fd, off_t size);
int __wrap_fstat64(int fd, struct stat *st);
int __wrap_flock(int fd, int operation);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_unlinkat(int dir, const char *name, int flags);
DIR *__wrap_fdopendir(int fd);
struct dirent *__wrap_readdir64(DIR *dir);
int __wrap_closedir(DIR *dir);

struct disk_memory *disk_fd_mount(struct disk_memory *disk)
{
	struct disk_memory *before = mounted;

	mounted = disk;
	return before;
}

unsigned disk_fd_open_count(void)
{
	unsigned count = 0;

	for (int i = 0; i < FILES_MAX; i++) {
		count += files[i].file != NULL;
		count += folder_disk[i] != NULL;
	}
	return count;
}

/* 0, or -1 and errno. */
static int result(int rc)
{
	if (rc < 0) {
		errno = -rc;
		return -1;
	}
	return 0;
}

static struct opened *file_of(int fd)
{
	int index = fd - DISK_FD_FOLDER - FILES_MAX - 1;

	return index >= 0 && index < FILES_MAX && files[index].file ? &files[index] : NULL;
}

/* DISK_FD_FOLDER itself is always that of the mounted disk. */
static struct disk_memory *folder_of(int fd)
{
	int index = fd - DISK_FD_FOLDER - 1;

	if (fd == DISK_FD_FOLDER) {
		return mounted;
	}
	return index >= 0 && index < FILES_MAX ? folder_disk[index] : NULL;
}

/* "" for the folder itself, NULL for other paths. */
static const char *name_in(const char *path)
{
	size_t size = strlen(DISK_FD_PATH);

	if (!mounted || strncmp(path, DISK_FD_PATH, size) != 0 ||
	    (path[size] && path[size] != '/')) {
		return NULL;
	}
	return path[size] ? path + size + 1 : path + size;
}

static int open_folder(struct disk_memory *disk)
{
	for (int i = 0; i < FILES_MAX; i++) {
		if (!folder_disk[i]) {
			folder_disk[i] = disk;
			return DISK_FD_FOLDER + 1 + i;
		}
	}
	abort();
}

static int open_file(struct disk_memory *disk, const char *name, int flags)
{
	struct folder *folder = disk_memory_folder(disk);
	unsigned how = (flags & O_ACCMODE) == O_RDONLY ? FOLDER_READ : FOLDER_WRITE;
	struct file *file;
	int rc = -EEXIST;

	if (!(flags & O_CREAT) || !(flags & O_EXCL)) {
		rc = folder_open_file(folder, name, how, &file);
	}
	if ((rc == -ENOENT || flags & O_EXCL) && flags & O_CREAT) {
		rc = folder_open_file(folder, name, FOLDER_CREATE, &file);
	}
	if (rc < 0) {
		return result(rc);
	}
	for (int i = 0; i < FILES_MAX; i++) {
		if (!files[i].file) {
			files[i] = (struct opened){file, disk};
			return DISK_FD_FOLDER + FILES_MAX + 1 + i;
		}
	}
	abort();
}

static mode_t mode_of(int flags, va_list args)
{
	return flags & O_CREAT ? va_arg(args, mode_t) : 0;
}

int __wrap_open64(const char *path, int flags, ...)
{
	const char *name = name_in(path);
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	if (!name) {
		return __real_open64(path, flags, mode);
	}
	if (*name) {
		return flags & O_DIRECTORY ? result(-ENOTDIR) : open_file(mounted, name, flags);
	}
	return open_folder(mounted);
}

int __wrap_openat64(int dir, const char *path, int flags, ...)
{
	struct disk_memory *disk = folder_of(dir);
	const char *name = name_in(path);
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	if (disk) {
		return strcmp(path, ".") == 0 ? open_folder(disk) : open_file(disk, path, flags);
	}
	return name && *name ? open_file(mounted, name, flags)
			     : __real_openat64(dir, path, flags, mode);
}

int __wrap_close(int fd)
{
	struct opened *opened = file_of(fd);

	if (opened) {
		file_close(opened->file);
		opened->file = NULL;
		return 0;
	}
	if (fd != DISK_FD_FOLDER && folder_of(fd)) {
		folder_disk[fd - DISK_FD_FOLDER - 1] = NULL;
		return 0;
	}
	return __real_close(fd);
}

ssize_t __wrap_pread64(int fd, void *bytes, size_t size, off_t offset)
{
	struct opened *opened = file_of(fd);
	uint64_t end;
	int rc;

	if (!opened) {
		return __real_pread64(fd, bytes, size, offset);
	}
	rc = file_get_size(opened->file, &end);
	if (rc < 0) {
		return result(rc);
	}
	if ((uint64_t)offset >= end) {
		return 0;
	}
	size = size < end - (uint64_t)offset ? size : (size_t)(end - (uint64_t)offset);
	rc = file_read(opened->file, bytes, size, (uint64_t)offset);
	return rc < 0 ? result(rc) : (ssize_t)size;
}

ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
	struct opened *opened = file_of(fd);
	int rc;

	if (!opened) {
		return __real_pwrite64(fd, bytes, size, offset);
	}
	rc = file_write(opened->file, bytes, size, (uint64_t)offset);
	return rc < 0 ? result(rc) : (ssize_t)size;
}

int __wrap_fsync(int fd)
{
	struct opened *opened = file_of(fd);
	struct disk_memory *disk = folder_of(fd);

	if (opened) {
		return result(file_flush(opened->file));
	}
	return disk ? result(folder_flush(disk_memory_folder(disk))) : __real_fsync(fd);
}

int __wrap_fdatasync(int fd)
{
	struct opened *opened = file_of(fd);

	return opened ? result(file_flush(opened->file)) : __real_fdatasync(fd);
}

int __wrap_ftruncate64(int fd, off_t size)
{
	struct opened *opened = file_of(fd);

	return opened ? result(file_resize(opened->file, (uint64_t)size))
		      : __real_ftruncate64(fd, size);
}

int __wrap_fstat64(int fd, struct stat *st)
{
	struct disk_memory *disk = folder_of(fd);
	struct opened *opened = file_of(fd);
	uint64_t size;
	int rc;

	if (disk) {
		memset(st, 0, sizeof(*st));
		st->st_mode = S_IFDIR | 0700;
		st->st_ino = (ino_t)(uintptr_t)disk;
		return 0;
	}
	if (!opened) {
		return __real_fstat64(fd, st);
	}
	rc = file_get_size(opened->file, &size);
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFREG | 0600;
	st->st_nlink = 1;
	st->st_size = (off_t)size;
	return result(rc);
}

int __wrap_flock(int fd, int operation)
{
	struct opened *opened = file_of(fd);

	if (folder_of(fd)) { /* one process, one thread: nobody else has it */
		return 0;
	}
	return opened ? result(file_lock(opened->file, (operation & LOCK_EX) != 0))
		      : __real_flock(fd, operation);
}

/* A disk of memory has no permissions. */
int __wrap_fchmod(int fd, mode_t mode)
{
	return file_of(fd) ? 0 : __real_fchmod(fd, mode);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	struct disk_memory *disk = folder_of(from_dir);

	return disk ? result(folder_rename(disk_memory_folder(disk), from, to))
		    : __real_renameat(from_dir, from, to_dir, to);
}

int __wrap_unlinkat(int dir, const char *name, int flags)
{
	struct disk_memory *disk = folder_of(dir);

	return disk ? result(folder_remove(disk_memory_folder(disk), name))
		    : __real_unlinkat(dir, name, flags);
}

static int list_name(void *context, const char *name)
{
	struct listing *to = context;

	if (to->count == FILES_MAX) {
		abort();
	}
	strcpy(to->entry[to->count++].d_name, name);
	return 0;
}

DIR *__wrap_fdopendir(int fd)
{
	struct disk_memory *disk = folder_of(fd);
	int rc;

	if (!disk) {
		return __real_fdopendir(fd);
	}
	if (listing.fd) {
		abort();
	}
	listing.count = listing.at = 0;
	rc = folder_list(disk_memory_folder(disk), list_name, &listing);
	if (rc < 0) {
		errno = -rc;
		return NULL;
	}
	listing.fd = fd;
	return (DIR *)&listing;
}

struct dirent *__wrap_readdir64(DIR *dir)
{
	if (dir != (DIR *)&listing) {
		return __real_readdir64(dir);
	}
	return listing.at < listing.count ? &listing.entry[listing.at++] : NULL;
}

int __wrap_closedir(DIR *dir)
{
	int fd = listing.fd;

	if (dir != (DIR *)&listing) {
		return __real_closedir(dir);
	}
	listing.fd = 0;
	return __wrap_close(fd);
}
