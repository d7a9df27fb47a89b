/* SPDX-License-Identifier: Apache-2.0 */
/** One layer of policy as its author wrote it: statements in order, values decoded, names not yet
 * looked up.
 *
 *  The grammar is in docs/SPEC-policy.md. parse.h makes a text, fmt.h prints it, check/ gives it
 * meaning. All memory belongs to the text.
 */
#ifndef POLICY_TEXT_H
#define POLICY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag.h"

#define TEXT_NAME_SIZE                                                                             \
	16u /* of partitions, roles, zones, groups: [a-z][a-z0-9-]*, with the closing 0 */
#define TEXT_ID_SIZE 32u /* of rules: the same letters, with the closing 0 */

/** In the order of authority: a later layer may change what the one before left open, else only
 * tighten. */
enum text_layer { TEXT_VENDOR, TEXT_IT, TEXT_USER };
#define TEXT_LAYERS 3u

enum text_verdict { TEXT_DENY, TEXT_ASK, TEXT_ALLOW }; /* looser is greater */

/** What can cross. Data goes from `from` to `to`; a connection, a folder and a USB device carry it
 * back too. */
enum text_kind {
	TEXT_CLIPBOARD,	 /* types: text, rich, image, files, other */
	TEXT_FILE,	 /* types: document, image, media, archive, program, other */
	TEXT_LINK,	 /* types: https, http, mailto, other */
	TEXT_CHANNEL,	 /* ports: message channel (vsock) */
	TEXT_NETWORK,	 /* tcp, udp, icmp, and ports */
	TEXT_USB,	 /* role -> partition */
	TEXT_CAMERA,	 /* role -> partition */
	TEXT_MICROPHONE, /* role -> partition */
	TEXT_SOUND,	 /* partition -> role */
	TEXT_CAPTURE,	 /* pixels of `from` become visible to `to` */
	TEXT_PRINT,	 /* partition -> role or partition */
	TEXT_FOLDER,	 /* `from` offers it, `to` sees it */
	TEXT_INPUT,	 /* role -> partition or control: keys, pointer */
	TEXT_DISPLAY,	 /* partition or control -> role */
};
#define TEXT_KINDS 14u

struct text_name {
	char name[TEXT_NAME_SIZE];
	struct diag_pos pos;
};

struct text_names {
	struct text_name *item; /* "any" stands for itself */
	uint32_t count;
};

/** Limits of a rule; 0: none given. */
struct text_limits {
	uint64_t size_max;    /* bytes of one transfer */
	uint64_t rate_max;    /* bytes per second */
	uint32_t count_max;   /* transfers per minute, or files at once */
	uint32_t seconds_max; /* expiry of a clipboard, length of a lease */
	bool quarantine;      /* scanned in a throw-away place first */
	bool readonly;	      /* a folder that cannot be written through */
};

/** Which limits a rule of a kind can have. */
enum text_limit {
	TEXT_LIMIT_SIZE = 1,
	TEXT_LIMIT_RATE = 2,
	TEXT_LIMIT_COUNT = 4,
	TEXT_LIMIT_SECONDS = 8,
	TEXT_LIMIT_QUARANTINE = 16,
	TEXT_LIMIT_READONLY = 32,
};

struct text_rule {
	char id[TEXT_ID_SIZE];
	enum text_verdict verdict;
	enum text_kind kind;
	struct text_names from, to;
	uint32_t
		types; /* bits by kind, all of them when the rule names none; 1 for kinds without */
	uint16_t port_lo, port_hi; /* 0..65535 when the rule names none */
	struct text_limits limits;
};

/** Properties of a partition. */
enum text_key {
	TEXT_TITLE,	    /* string */
	TEXT_COLOUR,	    /* number 0xRRGGBB */
	TEXT_PATTERN,	    /* number: enum switcher_pattern */
	TEXT_CLASS,	    /* number: enum text_class */
	TEXT_ORDER,	    /* number 1..9: its key in the switcher */
	TEXT_MEMORY,	    /* number, bytes, multiple of 2 MiB */
	TEXT_VCPUS,	    /* number 1..8 */
	TEXT_CPU_WEIGHT,    /* number 1..10000 */
	TEXT_CPU_CAP,	    /* number, percent of one CPU: 1..800 */
	TEXT_CPU_GUARANTEE, /* number, percent of the machine when all are busy: 1..100 */
	TEXT_CACHE,	    /* number, percent of the last-level cache: 1..100 */
	TEXT_DOORBELLS,	    /* number 0..16 */
	TEXT_BACKENDS,	/* number: 1 its RAM is open to back ends in the control partition, 0 not */
	TEXT_DISK_RATE, /* number, bytes per second of all its disks */
	TEXT_NETWORK_RATE, /* number, bytes per second */
	TEXT_DISK,    /* string: file; flags: enum text_disk; one statement per disk, in order */
	TEXT_DEVICE,  /* number: bits of enum text_device */
	TEXT_OWNS,    /* names: roles of real devices that are this partition's alone */
	TEXT_START,   /* number: enum text_start */
	TEXT_AFTER,   /* names: partitions that must run first */
	TEXT_RESTART, /* number: times in a row, 0 never; number2: seconds of a steady run */
	TEXT_HEALTH,  /* number: enum text_health; number2: seconds until it counts as failed */
	TEXT_RUN,     /* number: bits of enum text_run */
};
#define TEXT_KEYS 23u

enum text_class { TEXT_CLASS_USER, TEXT_CLASS_LIMITED, TEXT_CLASS_IT }; /* tighter is greater */
enum text_start { TEXT_START_NEVER, TEXT_START_MANUAL, TEXT_START_BOOT };
enum text_health { TEXT_HEALTH_NONE, TEXT_HEALTH_READY }; /* ready: its console says so in time */
enum text_disk { TEXT_DISK_READONLY = 1, TEXT_DISK_THROWAWAY = 2, TEXT_DISK_ENCRYPTED = 4 };
enum text_device {
	TEXT_DEVICE_CONSOLE = 1,
	TEXT_DEVICE_ENTROPY = 2,
	TEXT_DEVICE_GPU = 4,
	TEXT_DEVICE_KEYBOARD = 8,
	TEXT_DEVICE_POINTER = 16,
};
enum text_run { TEXT_RUN_MAINS = 1, TEXT_RUN_IDLE = 2 };

struct text_value {
	enum text_key key;
	uint64_t number, number2;
	uint32_t flags;
	char *string; /* or NULL */
	struct text_names names;
};

enum text_bus { TEXT_BUS_PCI, TEXT_BUS_USB, TEXT_BUS_INPUT, TEXT_BUS_OUTPUT };

/** A device fits a role when it fits one of these. */
struct text_match {
	enum text_bus bus;
	uint32_t class_code, class_mask; /* 24 bits: class, subclass, interface or protocol */
	uint32_t vendor, product;	 /* 0xffffffff: any */
	uint32_t
		what; /* input: bits of TEXT_DEVICE_KEYBOARD, _POINTER; output: 1 screen, 2 sound */
};

struct text_role {
	char name[TEXT_NAME_SIZE];
	struct text_match *match;
	uint32_t match_count;
};

struct text_prefix {
	uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d; bits past the length are 0 */
	uint8_t length;	     /* 0..128, of the 16 bytes */
	bool v4;
	struct diag_pos pos;
};

struct text_zone {
	char name[TEXT_NAME_SIZE];
	struct text_prefix *prefix;
	uint32_t prefix_count;
	bool trusted; /* hosts there do not hand data from one partition to another */
};

enum text_person { TEXT_PERSON_USER, TEXT_PERSON_ADMIN, TEXT_PERSON_IT };
#define TEXT_PERSONS 3u

enum text_action {
	TEXT_SEE = 1, /* know that it is there, look at it, give it the focus */
	TEXT_ACT_START = 2,
	TEXT_STOP = 4,
	TEXT_PAUSE = 8, /* and resume */
	TEXT_RESET = 16,
	TEXT_ATTACH = 32, /* its console and log */
};

/** "PERSON may ACTION,... PARTITION,..." or "PERSON may change KEY,... of PARTITION,..."; "may not"
 * takes away. */
struct text_may {
	enum text_person person;
	bool deny;
	uint32_t actions; /* bits of enum text_action */
	uint32_t keys;	  /* bits 1 << enum text_key */
	struct text_names partitions;
};

enum text_claim { TEXT_NEVER, TEXT_ONLY, TEXT_ALWAYS };

struct text_assert {
	enum text_claim claim;
	bool has_kind;
	enum text_kind kind;
	struct text_name from, to;
	bool ask_closed; /* "unless asked": a question counts as closed */
};

enum text_type {
	TEXT_POLICY, /* first statement of a layer: layer, title, version */
	TEXT_ROLE,
	TEXT_ZONE,
	TEXT_GROUP,	/* name, names */
	TEXT_CARRIES,	/* zone name -> names[0]: data passes outside of this machine */
	TEXT_PARTITION, /* name; the values that follow are its own */
	TEXT_VALUE,
	TEXT_RULE,
	TEXT_MAY,
	TEXT_ASSERT,
	TEXT_CONFIRM, /* number: seconds for the confirmation of a risky change */
	TEXT_IOMMU,   /* number: 1 required, 0 wanted */
	TEXT_OPEN,    /* the next layer may add partitions */
};

struct text_statement {
	enum text_type type;
	bool open; /* "default": the next layer may change it at will */
	struct diag_pos pos;
	struct text_name name;
	union {
		struct text_value value;
		struct text_rule rule;
		struct text_role role;
		struct text_zone zone;
		struct text_names names;
		struct text_may may;
		struct text_assert claim;
		uint64_t number;
	};
};

struct text {
	enum text_layer layer;
	char *title;
	uint64_t version;
	struct text_statement *statement;
	size_t count;
};

void text_fini(struct text *text);
void text_statement_fini(struct text_statement *statement);
/** Words of the language. NULL when out of range. */
const char *text_layer_word(enum text_layer layer);
const char *text_verdict_word(enum text_verdict verdict);
const char *text_kind_word(enum text_kind kind);
const char *text_key_word(enum text_key key);
const char *text_person_word(enum text_person person);
/** Word of action bit `bit` (0..31). */
const char *text_action_word(unsigned int bit);
/** Word of type bit `bit` (0..31) of a kind, NULL: the kind has no such type. */
const char *text_type_word(enum text_kind kind, unsigned int bit);
/** All type bits of a kind; 1 for a kind without types. */
uint32_t text_types_all(enum text_kind kind);
bool text_kind_has_ports(enum text_kind kind);
/** Bits of enum text_limit that mean something for a kind. */
uint32_t text_kind_limits(enum text_kind kind);

#endif
