/* SPDX-License-Identifier: Apache-2.0 */
/** Partitions with real processes (shell scripts) over the fake device, and their socket. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fakes/scratch.h"
#include "bulkhead_dev_fake.h"
#include "order.h"
#include "part.h"
#include "policy/lang/text.h"
#include "server.h"
#include "switch.h"

#define WAIT_MS	 120000u
#define RESTARTS 2u

/* Prints its marker on the serial port and waits. */
#define RUNNER                                                                                     \
	"while [ $# -gt 0 ]; do [ \"$1\" = --serial-fd ] && eval \"printf "                        \
	"'hello\\nBULKHEAD-READY\\n' "                                                             \
	">&$2\"; shift; done\n"                                                                    \
	"exec sleep 1000\n"

static struct part parts[2];
static const struct when when = {.mains = true};
static const struct rights_groups nobody = {(gid_t)-1, (gid_t)-1, (gid_t)-1};

static void put_program(const char *name, const char *script)
{
	char text[600];

	assert_true(snprintf(text, sizeof(text), "#!/bin/bash\n%s", script) < (int)sizeof(text));
	unlink(scratch_path(name));
	scratch_write(name, text);
	assert_int_equal(chmod(scratch_path(name), 0755), 0);
}

static struct config make_config(const char *name, uint32_t id)
{
	struct config config = {
		.id = id,
		.order = id,
		.start = TEXT_START_MANUAL,
		.restarts = RESTARTS,
		.steady_seconds = 60,
		.disk_count = 1,
		.disk = {{.flags = TEXT_DISK_READONLY}},
		.devices = TEXT_DEVICE_CONSOLE | TEXT_DEVICE_ENTROPY | TEXT_DEVICE_GPU |
			   TEXT_DEVICE_KEYBOARD | TEXT_DEVICE_POINTER,
	};

	snprintf(config.name, sizeof(config.name), "%s", name);
	snprintf(config.kernel, sizeof(config.kernel), "%s/bulkhead-runner", scratch_folder);
	snprintf(config.disk[0].path, sizeof(config.disk[0].path), "%s/bulkhead-blk",
		 scratch_folder);
	return config;
}

static int setup(void **state)
{
	static const char *const programs[] = {"bulkhead-blk", "bulkhead-rng", "bulkhead-gpu",
					       "bulkhead-input", "bulkhead-console"};
	struct config config;

	(void)state;
	if (scratch_make("/tmp") || chmod(scratch_folder, 0755) || loop_init()) {
		return -1;
	}
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		put_program(programs[i], "exec sleep 1000\n");
	}
	put_program("bulkhead-runner", RUNNER);
	fake_dev_reset();
	fake_dev_add_part(1, "desktop", 2u << 20, 1);
	fake_dev_add_part(2, "browser", 2u << 20, 2);
	part_env = (struct part_env){.dev = dev_open(),
				     .program_dir = scratch_folder,
				     .run_dir = scratch_folder,
				     .confine = geteuid() == 0,
				     .console_grew = server_console_grew};
	config = make_config("desktop", 1);
	part_init(&parts[0], &config);
	config = make_config("browser", 2);
	part_init(&parts[1], &config);
	return 0;
}

static const char *read_line(const char *path)
{
	static char line[128];
	FILE *file = fopen(path, "re");

	if (!file || !fgets(line, sizeof(line), file)) {
		line[0] = 0;
	}
	if (file) {
		fclose(file);
	}
	return line;
}

static bool wait_for(bool (*done)(void))
{
	uint64_t end = loop_now_us() + WAIT_MS * 1000u;

	while (!done() && loop_now_us() < end) {
		loop_step(20);
	}
	return done();
}

static bool nothing_lives(void)
{
	return part_live(&parts[0]) + part_live(&parts[1]) == 0;
}

static bool first_ready(void)
{
	return parts[0].ready;
}

static bool both_ready(void)
{
	return parts[0].ready && parts[1].ready;
}

static bool first_failed(void)
{
	return parts[0].super.state == SUPER_FAILED;
}

static bool first_started_again(void)
{
	return parts[0].super.restarts > 0 && parts[0].ready;
}

static int teardown(void **state)
{
	(void)state;
	part_stop(&parts[0]);
	part_stop(&parts[1]);
	if (!wait_for(nothing_lives)) {
		return -1;
	}
	part_fini(&parts[0]);
	part_fini(&parts[1]);
	close(part_env.dev);
	fake_dev_reset();
	loop_fini();
	return scratch_remove();
}

/* A start creates the partition, runs a runner and the back ends; the marker makes it ready. */
static void part_start_runs_all_processes(void **state)
{
	uint64_t cursor = 0;
	char text[64];

	(void)state;
	assert_int_equal(part_start(&parts[0]), 0);
	assert_int_equal(part_live(&parts[0]), 7);
	assert_int_equal(fake_dev_state(1), BH_PART_CREATED);
	assert_int_equal(part_start(&parts[0]), -EBUSY);
	assert_true(wait_for(first_ready));
	assert_int_equal(ring_read(&parts[0].console.ring, &cursor, text, sizeof(text)), 21);
	assert_memory_equal(text, "hello\nBULKHEAD-READY\n", 21);
	assert_int_equal(part_live(&parts[1]), 0);
}

static struct proc *find_proc(struct part *part, const char *kind)
{
	for (uint32_t i = 0; i < part->proc_count; i++) {
		if (!strcmp(part->proc[i].kind, kind)) {
			return &part->proc[i].proc;
		}
	}
	fail_msg("no process %s", kind);
	return NULL;
}

/* A killed back end: its partition starts again and says why, the other keeps its processes. */
static void part_killed_back_end_restarts_its_partition_only(void **state)
{
	pid_t other[PART_PROCS_MAX];

	(void)state;
	part_start(&parts[0]);
	part_start(&parts[1]);
	assert_true(wait_for(both_ready));
	for (uint32_t i = 0; i < parts[1].proc_count; i++) {
		other[i] = parts[1].proc[i].proc.pid;
	}
	kill(find_proc(&parts[0], "gpu")->pid, SIGKILL);
	assert_true(wait_for(first_started_again));
	assert_string_equal(parts[0].super.why, "gpu killed by signal 9");
	assert_int_equal(parts[0].super.restarts, 1);
	assert_int_equal(part_live(&parts[1]), 7);
	for (uint32_t i = 0; i < parts[1].proc_count; i++) {
		assert_int_equal(parts[1].proc[i].proc.pid, other[i]);
	}
}

static bool first_runner_gone(void)
{
	return !parts[0].proc[PART_RUNNER].proc.live;
}

/* A killed runner is the same; the back ends that end because of it are not blamed. */
static void part_killed_runner_restarts_its_partition(void **state)
{
	(void)state;
	part_start(&parts[0]);
	assert_true(wait_for(first_ready));
	kill(find_proc(&parts[0], "runner")->pid, SIGKILL);
	assert_true(wait_for(first_runner_gone));
	kill(find_proc(&parts[0], "blk0")->pid, SIGTERM);
	assert_true(wait_for(first_started_again));
	assert_string_equal(parts[0].super.why, "runner killed by signal 9");
}

static bool first_back_end_gone(void)
{
	return part_live(&parts[0]) == 6;
}

/* Writes a file of the test's folder that every user may write. */
static void put_file(const char *name, const char *text)
{
	scratch_write(name, text);
	assert_int_equal(chmod(scratch_path(name), 0666), 0);
}

/* A disk back end that does this on SIGTERM; it says when it is ready to. */
static void put_trap(const char *action, const char *loop)
{
	char script[256];

	put_file("trapped", "");
	snprintf(script, sizeof(script), "trap '%s' TERM\necho yes >%s\n%s", action,
		 scratch_path("trapped"), loop);
	put_program("bulkhead-blk", script);
}

static bool first_is_trapped(void)
{
	struct stat seen;

	return parts[0].ready && stat(scratch_path("trapped"), &seen) == 0 && seen.st_size > 0;
}

/* A back end that left in peace waits for the end that made it leave, however long that takes. */
static void part_blames_nobody_who_left_in_peace(void **state)
{
	(void)state;
	put_trap("exit 0", "while :; do sleep 0.05; done\n");
	part_start(&parts[0]);
	assert_true(wait_for(first_is_trapped));
	kill(find_proc(&parts[0], "blk0")->pid, SIGTERM);
	assert_true(wait_for(first_back_end_gone));
	for (unsigned int i = 0; i < 10; i++) {
		loop_step(20);
	}
	kill(find_proc(&parts[0], "runner")->pid, SIGKILL);
	assert_true(wait_for(first_started_again));
	assert_string_equal(parts[0].super.why, "runner killed by signal 9");
}

/* A guest that the hypervisor stops is started again twice, then stays with its reason. */
static void part_stopped_by_hypervisor_gives_up(void **state)
{
	(void)state;
	put_program("bulkhead-runner", "sleep 0.2; exit 20\n");
	part_start(&parts[0]);
	while (!first_failed()) {
		if (fake_dev_state(1) == BH_PART_CREATED) {
			fake_dev_stop(1, BH_STOP_TRIPLE_FAULT, 0);
		}
		loop_step(20);
	}
	assert_int_equal(parts[0].super.restarts, RESTARTS);
	assert_string_equal(parts[0].super.why, "triple fault at rip 0");
	assert_int_equal(part_live(&parts[0]), 0);
}

static bool first_stopped(void)
{
	return parts[0].super.state == SUPER_STOPPED;
}

/* A guest that powers off is stopped and not started again. */
static void part_power_off_stays_off(void **state)
{
	(void)state;
	put_program("bulkhead-runner", "sleep 0.1; exit 0\n");
	part_start(&parts[0]);
	assert_true(wait_for(first_stopped));
	assert_string_equal(parts[0].super.why, "powered off");
	assert_int_equal(part_live(&parts[0]), 0);
}

/* Processes that do not listen to SIGTERM are killed after a moment. */
static void part_stop_kills_the_stubborn(void **state)
{
	(void)state;
	put_trap("", "while :; do sleep 1; done\n");
	part_start(&parts[0]);
	assert_true(wait_for(first_is_trapped));
	assert_int_equal(part_stop(&parts[0]), 0);
	assert_true(wait_for(first_stopped));
	assert_int_equal(part_live(&parts[0]), 0);
	assert_int_equal(parts[0].fd_source.fd, -1);
}

/* A disk that is not there: nothing stays, and the reason names it. */
static void part_without_its_disk_fails(void **state)
{
	(void)state;
	snprintf(parts[0].config.disk[0].path, sizeof(parts[0].config.disk[0].path),
		 "/nowhere/d.vhd");
	part_start(&parts[0]);
	assert_true(wait_for(first_failed));
	assert_string_equal(parts[0].super.why, "/nowhere/d.vhd: No such file or directory");
	assert_int_equal(part_live(&parts[0]), 0);
}

/* A definition whose number means another partition in the policy is not started. */
static void part_must_be_the_one_of_the_policy(void **state)
{
	(void)state;
	parts[0].config.id = 2;
	part_start(&parts[0]);
	assert_true(wait_for(first_failed));
	assert_string_equal(parts[0].super.why, "the policy calls partition 2 \"browser\"");
}

/* A partition that a process of an earlier daemon still holds is waited for, not for ever. */
static void part_await_free_gives_up_on_held(void **state)
{
	int fd;

	(void)state;
	assert_true(part_await_free(&parts[0], 0));
	fd = dev_create(part_env.dev, parts[0].config.id);
	assert_true(fd >= 0);
	assert_false(part_await_free(&parts[0], 20));
	assert_true(part_await_free(&parts[1], 0));
	close(fd);
}

/* A program that cannot be executed says so in the log and fails its partition. */
static void part_without_a_program_fails(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/bulkhead-rng", scratch_folder);
	unlink(path);
	part_start(&parts[0]);
	assert_true(wait_for(first_failed));
	assert_string_equal(parts[0].super.why, "rng exited with status 126");
}

/* The runner gets the configuration space of each device that the partition has, by its role. */
static void part_hands_its_device_to_the_runner(void **state)
{
	const struct bh_device_info info = {
		.role = "nic", .state = BH_DEVICE_ASSIGNED, .part = 1, .source = 0x0010};
	char script[512];
	static const char *const folders[] = {"bus", "bus/pci", "bus/pci/devices",
					      "bus/pci/devices/0000:00:02.0"};

	(void)state;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		assert_int_equal(mkdir(scratch_path(folders[i]), 0755), 0);
	}
	put_file("bus/pci/devices/0000:00:02.0/driver_override", "");
	put_file("bus/pci/devices/0000:00:02.0/config", "its config");
	put_file("seen", "");
	fake_dev_add_device(&info);
	part_env.sysfs_dir = scratch_folder;
	snprintf(parts[0].config.assigned[0], CONFIG_NAME_SIZE, "nic");
	snprintf(parts[0].config.assigned[1], CONFIG_NAME_SIZE, "modem");
	parts[0].config.assigned_count = 2;
	snprintf(script, sizeof(script),
		 "for word; do case $word in *:[0-9]*) [ \"$last\" = --assigned ] && echo "
		 "${word%%:*} "
		 "$(head -c 10 <&${word#*:}) >%s/seen;; esac; last=$word; done\n",
		 scratch_folder);
	snprintf(script + strlen(script), sizeof(script) - strlen(script), RUNNER);
	put_program("bulkhead-runner", script);
	part_start(&parts[0]);
	assert_true(wait_for(first_ready));
	assert_true(parts[0].assigned[0].has);
	assert_false(parts[0].assigned[1].has);
	assert_string_equal(read_line(scratch_path("seen")), "nic its config\n");
}

static int ask_fd = -1;
static char answer[65536];
static size_t answer_size;

static bool has_answer(void)
{
	ssize_t got =
		recv(ask_fd, answer + answer_size, sizeof(answer) - 1 - answer_size, MSG_DONTWAIT);

	if (got > 0) {
		answer_size += (size_t)got;
	}
	answer[answer_size] = 0;
	return got == 0 || memchr(answer, '\n', answer_size) != NULL;
}

static struct json_object *ask(const char *line)
{
	answer_size = 0;
	assert_int_equal(send(ask_fd, line, strlen(line), 0), strlen(line));
	assert_true(wait_for(has_answer));
	return json_tokener_parse(answer);
}

static void ask_connect(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock", scratch_folder);
	assert_int_equal(server_start(address.sun_path, parts, 2, &when, &nobody), 0);
	ask_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(ask_fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void ask_disconnect(void)
{
	close(ask_fd);
	server_stop();
}

static void expect_error(const char *line, const char *error)
{
	struct json_object *reply = ask(line), *value;

	assert_true(json_object_object_get_ex(reply, "ok", &value));
	assert_false(json_object_get_boolean(value));
	assert_true(json_object_object_get_ex(reply, "error", &value));
	assert_string_equal(json_object_get_string(value), error);
	json_object_put(reply);
}

/* Requests that make no sense get an error and leave the connection open. */
static void server_answers_errors(void **state)
{
	(void)state;
	ask_connect();
	expect_error("nonsense\n", "not one JSON object");
	expect_error("{\"verb\":\"start\",\"name\":\"guest\"}\n", "no partition is called guest");
	expect_error("{\"verb\":\"stop\",\"name\":\"desktop\"}\n", "desktop is stopped");
	expect_error("{\"verb\":\"type\",\"text\":\"x\"}\n", "no console is open");
	ask_disconnect();
}

/* list and stats tell what the hypervisor knows; stats without a name: of the control partition. */
static void server_tells_list_and_stats(void **state)
{
	struct bh_vcpu_stats stats = {.run_tsc = 1000, .root_tsc = 10};
	struct json_object *reply, *array, *value;

	(void)state;
	stats.exits[BH_EXIT_CPUID] = 7;
	fake_dev_set_stats(2, 1, &stats);
	snprintf(parts[1].config.assigned[0], CONFIG_NAME_SIZE, "nic");
	parts[1].config.assigned_count = 1;
	part_start(&parts[1]);
	ask_connect();
	reply = ask("{\"verb\":\"list\"}\n");
	assert_true(json_object_object_get_ex(reply, "partitions", &array));
	assert_int_equal(json_object_array_length(array), 2);
	json_object_object_get_ex(json_object_array_get_idx(array, 0), "memory", &value);
	assert_int_equal(json_object_get_int64(value), 2 << 20);
	assert_false(
		json_object_object_get_ex(json_object_array_get_idx(array, 0), "assigned", &value));
	json_object_object_get_ex(json_object_array_get_idx(array, 1), "assigned", &value);
	json_object_object_get_ex(json_object_array_get_idx(value, 0), "text", &value);
	assert_string_equal(json_object_get_string(value), "the policy gives it no such device");
	json_object_put(reply);
	reply = ask("{\"verb\":\"stats\",\"name\":\"browser\"}\n");
	assert_true(json_object_object_get_ex(reply, "vcpus", &array));
	assert_int_equal(json_object_array_length(array), 2);
	json_object_object_get_ex(json_object_array_get_idx(array, 1), "exits", &value);
	json_object_object_get_ex(value, "cpuid", &value);
	assert_int_equal(json_object_get_int64(value), 7);
	json_object_put(reply);
	reply = ask("{\"verb\":\"stats\"}\n");
	assert_true(json_object_object_get_ex(reply, "name", &value));
	assert_string_equal(json_object_get_string(value), "control");
	json_object_put(reply);
	ask_disconnect();
}

static const char *awaited;

static bool has_awaited(void)
{
	has_answer();
	return strstr(answer, awaited) != NULL;
}

/* Who follows a log gets what comes; of the hypervisor's, nobody tells that there is more. */
static void server_streams_logs(void **state)
{
	static const char *const more[] = {"a second line", "a third line"};
	struct json_object *reply;

	(void)state;
	fake_dev_log("root mode is up\n");
	ask_connect();
	reply = ask("{\"verb\":\"log\",\"follow\":true}\n");
	assert_non_null(strstr(answer, "root mode is up\\n"));
	json_object_put(reply);
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		fake_dev_log(awaited = more[i]);
		assert_true(wait_for(has_awaited));
	}
	awaited = "BULKHEAD-READY";
	answer_size = 0;
	assert_true(send(ask_fd, "{\"verb\":\"log\",\"name\":\"desktop\",\"follow\":true}\n", 47,
			 0) == 47);
	loop_step(20);
	part_start(&parts[0]);
	assert_true(wait_for(has_awaited));
	ask_disconnect();
}

static bool hung_up(void)
{
	char byte;

	return recv(ask_fd, &byte, 1, MSG_DONTWAIT) == 0;
}

/* A line that does not end costs the client its connection, nobody else anything. */
static void server_drops_endless_lines(void **state)
{
	static char line[8192];

	(void)state;
	memset(line, 'x', sizeof(line));
	ask_connect();
	assert_true(send(ask_fd, line, sizeof(line), MSG_NOSIGNAL) > 0);
	assert_true(wait_for(hung_up));
	ask_disconnect();
}

static int switcher_pid(void)
{
	char path[128];
	FILE *file;
	int pid = 0;

	snprintf(path, sizeof(path), "%s/switcher.pid", scratch_folder);
	file = fopen(path, "re");
	if (file) {
		if (fscanf(file, "%d", &pid) != 1) {
			pid = 0;
		}
		fclose(file);
	}
	return pid;
}

static int old_switcher;

static bool new_switcher(void)
{
	return switcher_pid() != old_switcher && switch_running();
}

static bool no_switcher(void)
{
	return !switch_running();
}

/* A switcher that dies is started again while the partitions go on, three times in a row. */
static void switch_starts_a_dead_switcher_again(void **state)
{
	pid_t runner;

	(void)state;
	put_program("bulkhead-switcher", "exec sleep 1000\n");
	switch_end_stale(scratch_folder);
	assert_int_equal(switch_start(scratch_folder, "bulkhead-switcher"), 0);
	part_start(&parts[0]);
	assert_true(wait_for(first_ready));
	runner = parts[0].proc[PART_RUNNER].proc.pid;
	for (int i = 0; i < 3; i++) {
		old_switcher = switcher_pid();
		kill(old_switcher, SIGKILL);
		assert_true(wait_for(new_switcher));
	}
	kill(switcher_pid(), SIGKILL);
	assert_true(wait_for(no_switcher));
	assert_int_equal(parts[0].proc[PART_RUNNER].proc.pid, runner);
	assert_true(parts[0].ready);
}

/* A partition that others come after has to run first, and to be ready where that is looked at. */
static void order_waits_for_those_before(void **state)
{
	char why[ORDER_WHY_SIZE];

	(void)state;
	parts[1].config.after = 1u << 1;
	parts[0].config.ready_seconds = 60;
	assert_false(order_may_start(parts, 2, &parts[1], &when, why));
	assert_string_equal(why, "desktop must run first");
	parts[0].wanted = parts[1].wanted = true;
	assert_int_equal(order_start_wanted(parts, 2, &when), 1);
	assert_int_equal(part_live(&parts[1]), 0);
	assert_true(wait_for(first_ready));
	assert_int_equal(order_start_wanted(parts, 2, &when), 1);
	assert_true(wait_for(both_ready));
}

/* What the policy never starts does not start; what needs mains power stands still without it. */
static void order_keeps_conditions(void **state)
{
	const struct when battery = {.mains = false};
	char why[ORDER_WHY_SIZE];

	(void)state;
	parts[1].config.start = TEXT_START_NEVER;
	assert_false(order_may_start(parts, 2, &parts[1], &when, why));
	assert_string_equal(why, "the policy never starts browser");
	parts[0].config.run = TEXT_RUN_MAINS;
	assert_false(order_may_start(parts, 2, &parts[0], &battery, why));
	assert_string_equal(why, "desktop runs only on mains power");
	assert_true(order_may_start(parts, 2, &parts[0], &when, why));
	part_start(&parts[0]);
	assert_true(wait_for(first_ready));
	assert_int_equal(dev_part_start(parts[0].fd_source.fd), 0);
	order_hold(parts, 2, &battery);
	assert_string_equal(part_state_word(&parts[0]), "paused");
	order_hold(parts, 2, &when);
	assert_string_equal(part_state_word(&parts[0]), "running");
}

/* A guest that does not say in time that it is ready has failed. */
static void part_must_be_ready_in_time(void **state)
{
	(void)state;
	put_program("bulkhead-runner", "exec sleep 1000\n");
	parts[0].config.ready_seconds = 1;
	super_set_policy(&parts[0].super, 0, 60000000);
	part_start(&parts[0]);
	assert_true(wait_for(first_failed));
	assert_string_equal(parts[0].super.why, "was not ready within 1 s");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(part_start_runs_all_processes),
		TEST(part_killed_back_end_restarts_its_partition_only),
		TEST(part_blames_nobody_who_left_in_peace),
		TEST(part_killed_runner_restarts_its_partition),
		TEST(part_stopped_by_hypervisor_gives_up),
		TEST(part_power_off_stays_off),
		TEST(part_stop_kills_the_stubborn),
		TEST(part_without_its_disk_fails),
		TEST(part_must_be_the_one_of_the_policy),
		TEST(part_await_free_gives_up_on_held),
		TEST(part_without_a_program_fails),
		TEST(part_hands_its_device_to_the_runner),
		TEST(order_waits_for_those_before),
		TEST(order_keeps_conditions),
		TEST(part_must_be_ready_in_time),
		TEST(switch_starts_a_dead_switcher_again),
		TEST(server_answers_errors),
		TEST(server_tells_list_and_stats),
		TEST(server_streams_logs),
		TEST(server_drops_endless_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
