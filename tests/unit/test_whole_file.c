/* SPDX-License-Identifier: Apache-2.0 */
/* Files read whole and replaced in one step. That power cuts leave the old or the new one is shown
 * by test_audit_cut.c. */
#define _GNU_SOURCE
#include "whole_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "fakes/scratch.h"

static char path[96], temporary[128];

static int make(void **state)
{
	(void)state;
	assert_int_equal(scratch_make("/tmp"), 0);
	snprintf(path, sizeof(path), "%s/file", scratch_folder);
	snprintf(temporary, sizeof(temporary), "%s.%d.tmp", path, getpid());
	return 0;
}

static int clean(void **state)
{
	(void)state;
	return scratch_remove();
}

static void assert_holds(const char *text)
{
	size_t size;
	char *bytes;

	assert_int_equal(whole_file_read(AT_FDCWD, path, 0, 4096, &bytes, &size), 0);
	assert_int_equal(size, strlen(text));
	assert_string_equal(bytes, text);
	free(bytes);
}

static unsigned files_in_folder(void)
{
	DIR *dir = opendir(scratch_folder);
	unsigned count = 0;

	while (readdir(dir)) {
		count++;
	}
	closedir(dir);
	return count - 2; /* "." and ".." */
}

/* What is replaced is read back, with a 0 behind it, and nothing else is left in the folder. */
static void whole_file_replaces_and_reads(void **state)
{
	(void)state;
	assert_int_equal(whole_file_replace(path, 0600, "old and longer", 14), 0);
	assert_holds("old and longer");
	assert_int_equal(whole_file_replace(path, 0600, "new", 3), 0);
	assert_holds("new");
	assert_int_equal(whole_file_replace(path, 0600, "", 0), 0);
	assert_holds("");
	assert_int_equal(files_in_folder(), 1);
}

/* The permissions are those asked for, whatever the umask says. */
static void whole_file_replace_gives_the_mode(void **state)
{
	const mode_t before = umask(077);
	struct stat st;

	(void)state;
	assert_int_equal(whole_file_replace(path, 0664, "x", 1), 0);
	umask(before);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0664);
}

/* What a power cut left under the temporary name is neither kept nor written through. */
static void whole_file_replace_takes_leftovers_away(void **state)
{
	const char *elsewhere = scratch_path("elsewhere");

	(void)state;
	assert_int_equal(symlink(elsewhere, temporary), 0);
	assert_int_equal(whole_file_replace(path, 0600, "mine", 4), 0);
	assert_holds("mine");
	assert_int_equal(access(elsewhere, F_OK), -1);
	assert_int_equal(files_in_folder(), 1);
}

/* A replacement that fails leaves the folder as it was. */
static void whole_file_replace_undoes(void **state)
{
	char long_path[sizeof(scratch_folder) + 300];

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(whole_file_replace(path, 0600, "x", 1), -EISDIR);
	assert_int_equal(files_in_folder(), 1);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(whole_file_replace("/no-such-folder/x", 0600, "x", 1), -ENOENT);
	assert_int_equal(whole_file_replace("/tmp/", 0600, "x", 1), -EISDIR);
	snprintf(long_path, sizeof(long_path), "%s/%0250d", scratch_folder, 0);
	assert_int_equal(whole_file_replace(long_path, 0600, "x", 1), -ENAMETOOLONG);
	assert_int_equal(files_in_folder(), 0);
}

/* The limit counts to the byte. */
static void whole_file_read_keeps_the_limit(void **state)
{
	char *bytes = NULL;
	size_t size = 7;

	(void)state;
	assert_int_equal(whole_file_replace(path, 0600, "12345", 5), 0);
	assert_int_equal(whole_file_read(AT_FDCWD, path, 0, 4, &bytes, &size), -EFBIG);
	assert_null(bytes);
	assert_int_equal(size, 7);
	assert_int_equal(whole_file_read(AT_FDCWD, path, 0, 5, &bytes, &size), 0);
	assert_int_equal(size, 5);
	free(bytes);
}

/* What is no plain file, or says another size than it has, is refused; a pipe without a writer does
 * not keep us waiting. */
static void whole_file_read_takes_plain_files_only(void **state)
{
	char *bytes = NULL;
	size_t size;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(whole_file_read(AT_FDCWD, path, 0, 4096, &bytes, &size), -EINVAL);
	assert_int_equal(whole_file_read(AT_FDCWD, scratch_folder, 0, 4096, &bytes, &size),
			 -EINVAL);
	assert_int_equal(whole_file_read(AT_FDCWD, "/proc/self/status", 0, 4096, &bytes, &size),
			 -EIO);
	assert_null(bytes);
}

/* Links are followed unless the caller says so. */
static void whole_file_read_can_refuse_links(void **state)
{
	char *bytes = NULL;
	size_t size;

	(void)state;
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(whole_file_read(AT_FDCWD, path, O_NOFOLLOW, 1 << 20, &bytes, &size),
			 -ELOOP);
	assert_null(bytes);
	assert_int_equal(whole_file_read(AT_FDCWD, path, 0, 1 << 20, &bytes, &size), 0);
	free(bytes);
}

/* An open file is read from its beginning, and its offset stays. */
static void whole_file_read_fd_starts_at_the_beginning(void **state)
{
	size_t size;
	char *bytes;
	int fd;

	(void)state;
	assert_int_equal(whole_file_replace(path, 0600, "abc", 3), 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 2, SEEK_SET), 2);
	assert_int_equal(whole_file_read_fd(fd, 16, &bytes, &size), 0);
	assert_string_equal(bytes, "abc");
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 2);
	free(bytes);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(whole_file_replaces_and_reads),
		TEST(whole_file_replace_gives_the_mode),
		TEST(whole_file_replace_takes_leftovers_away),
		TEST(whole_file_replace_undoes),
		TEST(whole_file_read_keeps_the_limit),
		TEST(whole_file_read_takes_plain_files_only),
		TEST(whole_file_read_can_refuse_links),
		TEST(whole_file_read_fd_starts_at_the_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
