/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the input of the judge's driver. */
#include <stdlib.h>
#include <string.h>

#include "judge.h"

static void give_up(const char *what)
{
	fprintf(stderr, "judge: bad input: %s\n", what);
	exit(2);
}

static void read_layer(FILE *in, const char *line, struct judge_case *c)
{
	size_t size = 0;

	if (c->layer_count == 3 ||
	    sscanf(line, "layer %15s %zu", c->layer[c->layer_count].name, &size) != 2) {
		give_up(line);
	}
	c->layer[c->layer_count].text = malloc(size + 1);
	c->layer[c->layer_count].size = size;
	if (c->layer[c->layer_count].text == NULL ||
	    fread(c->layer[c->layer_count].text, 1, size, in) != size) {
		give_up("a layer is cut short");
	}
	c->layer_count++;
}

static void read_ports(const char *text, struct judge_case *c)
{
	char *end;

	for (c->port_count = 0; c->port_count < JUDGE_PORTS_MAX; text = end + 1) {
		c->port[c->port_count++] = (uint16_t)strtoul(text, &end, 10);
		if (*end != ',') {
			return;
		}
	}
	give_up("too many ports");
}

static void read_address(const char *text, struct judge_case *c)
{
	unsigned int byte;

	if (c->address_count == JUDGE_ADDRESSES_MAX) {
		give_up("too many addresses");
	}
	for (unsigned int i = 0; i < 16; i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1) {
			give_up(text);
		}
		c->address[c->address_count][i] = (uint8_t)byte;
	}
	c->address_count++;
}

bool judge_read(FILE *in, struct judge_case *c)
{
	char line[4096];

	memset(c, 0, sizeof(*c));
	while (fgets(line, sizeof(line), in) != NULL) {
		if (sscanf(line, "policy %31s", c->id) == 1) {
			continue;
		}
		if (strncmp(line, "layer ", 6) == 0) {
			read_layer(in, line, c);
		} else if (strncmp(line, "ports ", 6) == 0) {
			read_ports(line + 6, c);
		} else if (strncmp(line, "kinds ", 6) == 0) {
			c->kinds = (uint32_t)strtoul(line + 6, NULL, 10);
		} else if (strncmp(line, "address ", 8) == 0) {
			read_address(line + 8, c);
		} else if (strcmp(line, "go\n") == 0) {
			return true;
		} else {
			give_up(line);
		}
	}
	return false;
}

void judge_free(struct judge_case *c)
{
	for (uint32_t i = 0; i < c->layer_count; i++) {
		free(c->layer[i].text);
	}
}
