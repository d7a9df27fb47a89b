/* SPDX-License-Identifier: Apache-2.0 */
/* First process of the Linux guest test: says that it is there, then powers off. */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

int main(void)
{
	char line[256] = "";
	FILE *file;

	if (mount("proc", "/proc", "proc", 0, NULL) == 0 && (file = fopen("/proc/cmdline", "r")) != NULL) {
		if (fgets(line, sizeof(line), file) == NULL) {
			line[0] = 0;
		}
		fclose(file);
	}
	printf("linux-guest: init runs, word %s\n", strstr(line, "word=arrived") ? "arrived" : "missing");
	fflush(stdout);
	(void)tcdrain(STDOUT_FILENO); /* the line is polled: power off would cut it */
	reboot(RB_POWER_OFF);
	return 1;
}
