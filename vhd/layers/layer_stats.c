/* SPDX-License-Identifier: Apache-2.0 */
/* Counting, with powers of two for latencies: no division, no memory per request. */
#include "layer_stats.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct stats {
	struct layer_hook hook;
	const struct layer_clock *clock;
	struct layer_stats_counts counts[LAYER_REQUEST_KINDS];
};

static int stats_before(struct layer_hook *hook, struct layer_request *request)
{
	const struct layer_clock *clock = ((struct stats *)hook)->clock;

	request->stamp = clock->now_ns(clock);
	return 0;
}

static unsigned bucket_of(uint64_t ns)
{
	uint64_t us = ns / 1000;
	unsigned bucket = us ? 64u - (unsigned)__builtin_clzll(us) : 0;

	return bucket < LAYER_STATS_BUCKETS ? bucket : LAYER_STATS_BUCKETS - 1;
}

static void stats_after(struct layer_hook *hook, const struct layer_request *request, int rc)
{
	struct stats *stats = (struct stats *)hook;
	struct layer_stats_counts *counts = &stats->counts[request->kind];
	uint64_t ns = stats->clock->now_ns(stats->clock) - request->stamp;

	counts->requests++;
	counts->bytes += rc ? 0 : request->size;
	counts->errors += rc != 0;
	counts->busy_ns += ns;
	counts->buckets[bucket_of(ns)]++;
}

static const struct layer_ops stats_ops = LAYER_HOOK_OPS("stats");

int layer_stats_open(struct layer *below, const struct layer_clock *clock, struct layer **ret_layer)
{
	struct stats *stats = calloc(1, sizeof(*stats));

	if (!stats) {
		return -ENOMEM;
	}
	layer_init_over(&stats->hook.layer, &stats_ops, below);
	stats->hook.before = stats_before;
	stats->hook.after = stats_after;
	stats->clock = clock ? clock : &layer_clock_real;
	*ret_layer = &stats->hook.layer;
	return 0;
}

const struct layer_stats_counts *layer_stats_get(const struct layer *stats,
						 enum layer_request_kind kind)
{
	return &((const struct stats *)stats)->counts[kind];
}

struct text {
	char *at;
	size_t room, length;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	va_list args;
	size_t used = text->length < text->room ? text->length : text->room;
	int n;

	va_start(args, format);
	n = vsnprintf(text->at + used, text->room - used, format, args);
	va_end(args);
	text->length += n > 0 ? (size_t)n : 0;
}

static void add_counts(struct text *text, const struct layer_stats_counts *counts)
{
	unsigned used = LAYER_STATS_BUCKETS;

	while (used && !counts->buckets[used - 1]) {
		used--;
	}
	add(text,
	    "{\"requests\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"errors\": %" PRIu64
	    ", \"busy_us\": %" PRIu64 ", \"latency_us\": [",
	    counts->requests, counts->bytes, counts->errors, counts->busy_ns / 1000);
	for (unsigned i = 0; i < used; i++) {
		add(text, "%s%" PRIu64, i ? ", " : "", counts->buckets[i]);
	}
	add(text, "]}");
}

size_t layer_stats_json(const struct layer *stats, char *ret_text, size_t size)
{
	struct text text = {ret_text, size, 0};

	add(&text, "{");
	for (unsigned kind = 0; kind < LAYER_REQUEST_KINDS; kind++) {
		add(&text, "%s\"%s\": ", kind ? ", " : "", layer_request_names[kind]);
		add_counts(&text, layer_stats_get(stats, (enum layer_request_kind)kind));
	}
	add(&text, "}");
	return text.length;
}
