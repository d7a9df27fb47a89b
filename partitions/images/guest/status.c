/* SPDX-License-Identifier: Apache-2.0 */
/* status: the screen of the management partition. Draws on the Linux text console with box characters and
 * its own palette; every few seconds it rewrites only the values, so that an idle partition stays idle. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define REFRESH_S 5
#define LEFT      10 /* column of the panels */
#define VALUE     36 /* column of the values */
#define BAR       40 /* cells of a bar */

static int columns = 80;

static void at(int row, int column)
{
	printf("\033[%d;%dH", row, column);
}

static void fill_row(int row, const char *style)
{
	at(row, 1);
	printf("\033[%sm%*s\033[0m", style, columns, "");
}

static void panel(int row, int rows, const char *title)
{
	int inner = columns - 2 * LEFT;

	at(row, LEFT);
	printf("\033[90m┌─ \033[1;37m%s\033[0;90m ", title);
	for (int i = (int)strlen(title) + 4; i <= inner; i++) {
		printf("─");
	}
	printf("┐");
	for (int i = 1; i <= rows; i++) {
		at(row + i, LEFT);
		printf("│");
		at(row + i, LEFT + inner + 1);
		printf("│");
	}
	at(row + rows + 1, LEFT);
	printf("└");
	for (int i = 0; i < inner; i++) {
		printf("─");
	}
	printf("┘\033[0m");
}

static void label(int row, const char *text)
{
	at(row, LEFT + 3);
	printf("\033[36m%s\033[0m", text);
}

__attribute__((format(printf, 2, 3))) static void value(int row, const char *format, ...)
{
	char line[128];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	at(row, VALUE);
	printf("\033[97m%-*.*s\033[0m", columns - LEFT - VALUE - 2, columns - LEFT - VALUE - 2, line);
}

static void bar(int row, unsigned long long used, unsigned long long total, const char *unit)
{
	int cells = total == 0 ? 0 : (int)(used * BAR / total);

	at(row, VALUE);
	printf("\033[32m");
	for (int i = 0; i < BAR; i++) {
		printf(i < cells ? "█" : i == cells ? "\033[90m░" : "░");
	}
	printf("\033[97m  %llu of %llu %s   \033[0m", used, total, unit);
}

static void first_line(const char *path, const char *key, char *ret_line, size_t size)
{
	FILE *file = fopen(path, "r");
	char line[256];

	snprintf(ret_line, size, "unknown");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, key, strlen(key)) == 0) {
			line[strcspn(line, "\n")] = '\0';
			snprintf(ret_line, size, "%.*s", (int)size - 1,
				 line + strlen(key) + strspn(line + strlen(key), " \t:="));
			break;
		}
	}
	if (file != NULL) {
		fclose(file);
	}
}

static void draw_frame(void)
{
	printf("\033]P0141210\033]P4a0522d\033]P2 5fb85f\033]P6 6fb3d2\033]P8 5a6470\033[?25l\033[2J");
	for (int row = 2; row <= 4; row++) {
		fill_row(row, "44");
	}
	at(3, LEFT);
	printf("\033[44;1;37mMANAGEMENT\033[0;44;37m   "
	       "partition of the people who look after this laptop\033[0m");
	panel(7, 6, "System");
	label(9, "Kernel");
	label(10, "Processor");
	label(11, "Partition image");
	label(12, "Policy");
	panel(16, 7, "Now");
	label(18, "Time (UTC)");
	label(19, "Running for");
	label(20, "Load");
	label(21, "Processes");
	label(22, "Network");
	panel(26, 4, "Resources");
	label(28, "Memory");
	label(29, "Disk");
	at(35, LEFT);
	printf("\033[90mSuper+1 desktop   Super+2 browser   Super+3 management   Super+Tab next\033[0m");
}

static void draw_constant(void)
{
	struct utsname name;
	char line[96];

	uname(&name);
	value(9, "%s %s", name.sysname, name.release);
	first_line("/proc/cpuinfo", "model name", line, sizeof(line));
	value(10, "%s", line);
	first_line("/etc/bulkhead-image", "image", line, sizeof(line));
	value(11, "%s", line);
	first_line("/etc/bulkhead-image", "policy", line, sizeof(line));
	value(12, "%s", line);
}

static void draw_values(void)
{
	struct sysinfo info;
	struct statvfs disk;
	time_t now = time(NULL);
	struct tm parts;
	char line[64];

	gmtime_r(&now, &parts);
	strftime(line, sizeof(line), "%Y-%m-%d %H:%M:%S", &parts);
	value(18, "%s", line);
	if (sysinfo(&info) == 0) {
		value(19, "%ld min %ld s", info.uptime / 60, info.uptime % 60);
		value(20, "%.2f", (double)info.loads[0] / 65536.0);
		value(21, "%u", info.procs);
		bar(28, ((info.totalram - info.freeram) * info.mem_unit) >> 20,
		    (info.totalram * info.mem_unit) >> 20, "MiB");
	}
	first_line("/run/network", "", line, sizeof(line));
	value(22, "%s", line);
	if (statvfs("/", &disk) == 0) {
		bar(29, ((unsigned long long)(disk.f_blocks - disk.f_bfree) * disk.f_frsize) >> 20,
		    ((unsigned long long)disk.f_blocks * disk.f_frsize) >> 20, "MiB");
	}
	fflush(stdout);
}

/* Keys typed here must not appear between the panels. */
static void silence_keyboard(void)
{
	struct termios mode;

	if (tcgetattr(0, &mode) == 0) {
		mode.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
		tcsetattr(0, TCSANOW, &mode);
	}
}

int main(void)
{
	struct winsize size;

	silence_keyboard();

	if (ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col >= 80) {
		columns = size.ws_col;
	}
	draw_frame();
	draw_constant();
	for (;;) {
		draw_values();
		sleep(REFRESH_S);
	}
}
