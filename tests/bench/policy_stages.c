/* SPDX-License-Identifier: Apache-2.0 */
/* policy-stages [--until STAGE] FILE...: compiles the layers of a policy and prints one JSON
 * object: CPU microseconds of each stage, rows, and bytes of the table. Stops behind STAGE, so that
 * a counter of instructions around two runs tells what one stage needs.
 */
#define _GNU_SOURCE

#include "closure.h"
#include "emit.h"
#include "parse.h"
#include "prove.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STAGES 7u

/* Everything that one stage leaves for the next ones. */
struct work {
	struct source_set sources;
	struct diag_list diags;
	struct text text[TEXT_LAYERS];
	const struct text *texts[TEXT_LAYERS];
	struct model model;
	struct cells cells;
	struct closure closure[2];
	void *table;
	size_t table_size;
	char *const *file;
	uint32_t file_count;
};

static int read_files(struct work *work)
{
	int ret = source_init(&work->sources, NULL);

	for (uint32_t i = 0; i < work->file_count && ret == 0; i++) {
		ret = source_open(&work->sources, work->file[i], &work->diags) < 0;
	}
	return ret;
}

static int parse_files(struct work *work)
{
	int ret = 0;

	for (uint32_t i = 0; i < work->file_count && ret == 0; i++) {
		struct text text;

		ret = parse_text(&work->sources, i, &work->diags, &text);
		if (ret == 0) {
			work->text[text.layer] = text;
			work->texts[text.layer] = &work->text[text.layer];
		}
	}
	return ret;
}

static int make_model(struct work *work)
{
	return model_build(work->texts, &work->diags, &work->model);
}

static int make_cells(struct work *work)
{
	return cells_build(&work->model, &work->cells);
}

static int make_closures(struct work *work)
{
	int ret = 0;

	for (unsigned int ask = 0; ask < 2; ask++) {
		ret |= closure_build(&work->model, &work->cells, TEXT_KINDS, ask,
				     &work->closure[ask]);
	}
	return ret;
}

static int prove(struct work *work)
{
	return prove_model(&work->model, &work->cells, PROVE_ALL, &work->diags);
}

static int emit(struct work *work)
{
	return emit_table(&work->model, &work->cells, &work->sources, 1, NULL, 0, &work->diags,
			  &work->table, &work->table_size);
}

static const struct {
	const char *name;
	int (*run)(struct work *work);
} stages[STAGES] = {
	{"read", read_files},  {"parse", parse_files},	   {"model", make_model},
	{"cells", make_cells}, {"closure", make_closures}, {"prove", prove},
	{"emit", emit},
};

static double now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Returns how many stages are wanted, 0 for a name that is none. */
static unsigned int find_stage(const char *name)
{
	for (unsigned int i = 0; i < STAGES; i++) {
		if (strcmp(stages[i].name, name) == 0) {
			return i + 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct work work;
	unsigned int wanted = STAGES;
	double us[STAGES] = {0};
	int first = 1;

	if (argc > 2 && strcmp(argv[1], "--until") == 0) {
		wanted = find_stage(argv[2]);
		first = 3;
	}
	if (first >= argc || wanted == 0) {
		(void)fprintf(stderr, "usage: policy-stages [--until STAGE] FILE...\n");
		return 2;
	}
	work.file = &argv[first];
	work.file_count = (uint32_t)(argc - first);
	for (unsigned int i = 0; i < wanted; i++) {
		double begin = now_us();

		if (stages[i].run(&work) != 0) {
			diag_print(&work.diags, &work.sources, stderr);
			(void)fprintf(stderr, "policy-stages: %s failed\n", stages[i].name);
			return 1;
		}
		us[i] = now_us() - begin;
	}
	(void)printf("{\"us\": {");
	for (unsigned int i = 0; i < wanted; i++) {
		(void)printf("%s\"%s\": %.1f", i ? ", " : "", stages[i].name, us[i]);
	}
	(void)printf("}, \"rules\": %u, \"nodes\": %u, \"rows\": %u, \"table\": %zu}\n",
		     work.model.rule_count, work.model.node_count, work.cells.row_count,
		     work.table_size);
	return 0;
}
