/* SPDX-License-Identifier: Apache-2.0 */
/** bulkhead-policy-load: what bulkheadd runs to make a table of the layers that people hand in. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

enum { EXIT_FINE, EXIT_WRONG, EXIT_USAGE, EXIT_SYSTEM };

struct options {
	const char *prefix, *modules_path;
	uint64_t serial;
	int folder_fd, table_fd, text_fd;
	bool record;
};

static const char usage[] =
	"usage: bulkhead-policy-load --system DIR --keys DIR --text-fd N [options]\n"
	"Verifies layers of policy and compiles them in a jail; bulkheadd starts it.\n"
	"\n"
	"  --system DIR     vendor.pol, it.pol, user.pol that came with the system\n"
	"  --keys DIR       public keys: vendor/*.pem, it/*.pem, user/*.pem\n"
	"  --seen FILE      highest versions seen\n"
	"  --folder-fd N    folder of the applied sets\n"
	"  --prefix NAME    their files are NAME.<set>.<part>.<file name>\n"
	"  --user-from N    sets from N on may only be the user layer: a person applies them\n"
	"  --no-user-before N  the user layer of sets before N is left out\n"
	"  --modules FILE   table whose boot modules the new one names\n"
	"  --serial N       number of the new table\n"
	"  --table-fd N     where it goes\n"
	"  --text-fd N      one line per chosen layer, messages about the text\n"
	"  --record         verify only, and mark the versions as seen\n"
	"  --help\n"
	"\n"
	"Exit codes: 0 fine, 1 refused, 2 usage, 3 file or system error.\n";

static void __attribute__((noreturn)) end_usage(void)
{
	fputs(usage, stderr);
	exit(EXIT_USAGE);
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end) {
		end_usage();
	}
	return value;
}

static void parse_options(int argc, char **argv, struct options *options, struct load *load)
{
	static const struct option known[] = {
		{"system", required_argument, NULL, 's'},
		{"keys", required_argument, NULL, 'k'},
		{"seen", required_argument, NULL, 'e'},
		{"folder-fd", required_argument, NULL, 'f'},
		{"prefix", required_argument, NULL, 'p'},
		{"user-from", required_argument, NULL, 'u'},
		{"no-user-before", required_argument, NULL, 'o'},
		{"modules", required_argument, NULL, 'm'},
		{"serial", required_argument, NULL, 'n'},
		{"table-fd", required_argument, NULL, 't'},
		{"text-fd", required_argument, NULL, 'x'},
		{"record", no_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};

	for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		switch (c) {
		case 's':
			load->system_path = optarg;
			break;
		case 'k':
			load->keys_path = optarg;
			break;
		case 'e':
			load->seen_path = optarg;
			break;
		case 'f':
			options->folder_fd = (int)number(optarg);
			break;
		case 'p':
			options->prefix = optarg;
			break;
		case 'u':
			load->by_person = true;
			load->user_from = (uint32_t)number(optarg);
			break;
		case 'o':
			load->no_user_before = (uint32_t)number(optarg);
			break;
		case 'm':
			options->modules_path = optarg;
			break;
		case 'n':
			options->serial = number(optarg);
			break;
		case 't':
			options->table_fd = (int)number(optarg);
			break;
		case 'x':
			options->text_fd = (int)number(optarg);
			break;
		case 'r':
			options->record = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_FINE);
		default:
			end_usage();
		}
	}
	if (optind != argc || !load->system_path || !load->keys_path || options->text_fd < 0 ||
	    (options->prefix && options->folder_fd < 0) ||
	    (!options->record && (options->table_fd < 0 || !options->modules_path))) {
		end_usage();
	}
}

static void tell_layers(const struct load *load, int fd)
{
	for (unsigned int i = 0; i < TEXT_LAYERS; i++) {
		const struct load_layer *layer = &load->layer[i];

		if (layer->there && layer->set == LOAD_NO_SET) {
			dprintf(fd, "layer %s %" PRIu64 " -\n", text_layer_word(i), layer->version);
		} else if (layer->there) {
			dprintf(fd, "layer %s %" PRIu64 " %" PRIu32 "\n", text_layer_word(i),
				layer->version, layer->set);
		}
	}
}

static int exit_code(int ret)
{
	switch (-ret) {
	case 0:
		return EXIT_FINE;
	case EBADMSG:
	case EINVAL:
	case EKEYREJECTED:
	case ENOENT:
	case EPERM:
	case ESTALE:
	case E2BIG:
		return EXIT_WRONG;
	default:
		return EXIT_SYSTEM;
	}
}

int main(int argc, char **argv)
{
	struct options options = {.folder_fd = -1, .table_fd = -1, .text_fd = -1};
	static struct load load;
	char why[LOAD_WHY_SIZE] = "";
	int ret;

	parse_options(argc, argv, &options, &load);
	ret = load_read(&load, options.folder_fd, options.prefix, why);
	ret = ret ? ret : load_choose(&load, why);
	if (ret == 0 && options.record) {
		ret = load_record(&load, why);
	} else if (ret == 0) {
		tell_layers(&load, options.text_fd);
		ret = load_compile(&load, options.modules_path, options.serial, options.table_fd,
				   options.text_fd, why);
	}
	if (ret < 0) {
		dprintf(options.text_fd, "error: %s\n", why);
	}
	load_fini(&load);
	return ret > 0 ? EXIT_WRONG : exit_code(ret);
}
