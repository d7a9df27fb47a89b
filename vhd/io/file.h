/* SPDX-License-Identifier: Apache-2.0 */
/** An open file as the engine sees it. Every byte that the engine reads or writes passes here, so
 * that a test can record, fail, tear or reorder it, and a server can hand it to io_uring.
 *
 *  What write(), zero() and resize() did is lasting only after a later flush() returned 0. Until
 * then a power cut may keep any subset of it, by 512-byte sectors, in any order. Functions return
 * 0 or -errno; after an error the bytes concerned are undefined: old, new or mixed. A failed
 * flush() must be taken as loss of everything since the last good one.
 *
 *  Context: one thread at a time; on a fiber (fiber.h) a call may let other fibers run.
 */
#ifndef VHD_FILE_H
#define VHD_FILE_H

#include "why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct file;

struct file_ops {
	/** Fills exactly `size` bytes, the sum of the vector, from `offset`. Bytes past the end of
	 * the file read as zeros. */
	int (*read)(struct file *file, const struct iovec *iov, unsigned count, size_t size,
		    uint64_t offset);
	/** Writes all bytes; the file grows when needed. */
	int (*write)(struct file *file, const struct iovec *iov, unsigned count, size_t size,
		     uint64_t offset);
	/** Makes [offset, offset + size) read as zeros and gives its space back where the file
	 * system can; never changes the size of the file. */
	int (*zero)(struct file *file, uint64_t offset, uint64_t size);
	/** Sets the size; new bytes read as zeros. */
	int (*resize)(struct file *file, uint64_t size);
	int (*flush)(struct file *file);
	int (*get_size)(struct file *file, uint64_t *ret_size);
	/** Where the next bytes that may differ from zero lie at or after `offset`: *ret_offset,
	 * and *ret_size of them; *ret_size 0: none. May answer "all of it". NULL: all of it. */
	int (*find_data)(struct file *file, uint64_t offset, uint64_t *ret_offset,
			 uint64_t *ret_size);
	/** An exclusive (writer) or shared lock against other processes, until close; -EAGAIN when
	 * another one has it. NULL: there is nobody else. */
	int (*lock)(struct file *file, bool exclusive);
	void (*close)(struct file *file);
};

/** First member of each kind of file. */
struct file {
	const struct file_ops *ops;
	bool read_only;
};

VHD_MUST_CHECK int file_read(struct file *file, void *ret_bytes, size_t size, uint64_t offset);
VHD_MUST_CHECK int file_write(struct file *file, const void *bytes, size_t size, uint64_t offset);
VHD_MUST_CHECK int file_readv(struct file *file, const struct iovec *iov, unsigned count,
			      size_t size, uint64_t offset);
VHD_MUST_CHECK int file_writev(struct file *file, const struct iovec *iov, unsigned count,
			       size_t size, uint64_t offset);
VHD_MUST_CHECK int file_zero(struct file *file, uint64_t offset, uint64_t size);
VHD_MUST_CHECK int file_resize(struct file *file, uint64_t size);
VHD_MUST_CHECK int file_flush(struct file *file);
VHD_MUST_CHECK int file_get_size(struct file *file, uint64_t *ret_size);
VHD_MUST_CHECK int file_find_data(struct file *file, uint64_t offset, uint64_t *ret_offset,
				  uint64_t *ret_size);
VHD_MUST_CHECK int file_lock(struct file *file, bool exclusive);
/** NULL is fine. */
void file_close(struct file *file);

/** A file over an open descriptor, which it owns from now on. Returns 0 or -ENOMEM, -errno. */
VHD_MUST_CHECK int file_from_fd(int fd, struct file **ret_file);

/** The descriptor under a file made by file_from_fd(), or -1. */
int file_fd(const struct file *file);

#endif
