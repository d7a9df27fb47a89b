/* SPDX-License-Identifier: Apache-2.0 */
/* What a later layer may not do to what an earlier one fixed. Texts are made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model.h"

#define MIB (1024ull * 1024)

/** Texts of three layers; statements of each are filled in by a test. */
struct fixture {
	struct text text[TEXT_LAYERS];
	struct text_statement statement[TEXT_LAYERS][8];
	struct diag_list diags;
	struct model model;
};

static struct text_name desktop = {.name = "desktop"}, control = {.name = "control"};

static struct text_statement *add(struct fixture *f, enum text_layer layer, enum text_type type)
{
	struct text *text = &f->text[layer];
	struct text_statement *statement = &f->statement[layer][text->count++];

	text->layer = layer;
	text->statement = f->statement[layer];
	statement->type = type;
	statement->pos = (struct diag_pos){.file = layer, .line = (uint32_t)text->count};
	return statement;
}

static void add_partition(struct fixture *f, enum text_layer layer, const char *name)
{
	strcpy(add(f, layer, TEXT_PARTITION)->name.name, name);
}

static void add_number(struct fixture *f, enum text_layer layer, bool open, enum text_key key,
		       uint64_t number)
{
	struct text_statement *statement = add(f, layer, TEXT_VALUE);

	statement->open = open;
	statement->value.key = key;
	statement->value.number = number;
}

static void add_may(struct fixture *f, enum text_layer layer, bool open, enum text_person person,
		    bool deny, uint32_t actions)
{
	struct text_statement *statement = add(f, layer, TEXT_MAY);

	statement->open = open;
	statement->may = (struct text_may){.person = person,
					   .deny = deny,
					   .actions = actions,
					   .partitions = {.item = &desktop, .count = 1}};
}

/* Vendor: control and desktop with memory; then each test goes on. */
static void init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	add_partition(f, TEXT_VENDOR, control.name);
	add_number(f, TEXT_VENDOR, false, TEXT_MEMORY, 256 * MIB);
	add_partition(f, TEXT_VENDOR, desktop.name);
}

static int build(struct fixture *f)
{
	const struct text *texts[TEXT_LAYERS] = {NULL};
	int ret;

	for (unsigned int layer = 0; layer < TEXT_LAYERS; layer++) {
		texts[layer] = f->text[layer].count > 0 ? &f->text[layer] : NULL;
	}
	ret = model_build(texts, &f->diags, &f->model);
	if (ret == 0) {
		model_fini(&f->model);
	}
	diag_fini(&f->diags);
	return ret;
}

/* A layer that tightens what is fixed does not open it for the next one, whatever it says. */
static void default_on_tightened_property_opens_nothing(void **state)
{
	struct fixture f;

	init(&f);
	add_number(&f, TEXT_VENDOR, false, TEXT_MEMORY, 512 * MIB);
	add_partition(&f, TEXT_IT, desktop.name);
	add_number(&f, TEXT_IT, true, TEXT_MEMORY, 256 * MIB);
	strcpy(add(&f, TEXT_IT, TEXT_MAY)->name.name, "");
	f.statement[TEXT_IT][2].may =
		(struct text_may){.person = TEXT_PERSON_USER,
				  .keys = 1u << TEXT_MEMORY,
				  .partitions = {.item = &desktop, .count = 1}};
	/* The vendor lets IT give this right. */
	struct text_statement *may = add(&f, TEXT_VENDOR, TEXT_MAY);
	may->open = true;
	may->may = f.statement[TEXT_IT][2].may;
	add_partition(&f, TEXT_USER, desktop.name);
	add_number(&f, TEXT_USER, false, TEXT_MEMORY, 128 * MIB);
	assert_int_equal(build(&f), 0);
	f.statement[TEXT_USER][1].value.number = 1024 * MIB;
	assert_int_equal(build(&f), -1);
}

/* The same for a disk: read-only stays. */
static void default_on_tightened_disk_opens_nothing(void **state)
{
	struct fixture f;
	static char file[] = "/d/a.vhd";
	struct text_statement *disk;

	init(&f);
	add_number(&f, TEXT_VENDOR, false, TEXT_MEMORY, 512 * MIB);
	for (unsigned int layer = 0; layer < 2; layer++) {
		add_partition(&f, (enum text_layer)layer, desktop.name);
		disk = add(&f, (enum text_layer)layer, TEXT_VALUE);
		disk->open = layer > 0;
		disk->value = (struct text_value){
			.key = TEXT_DISK, .string = file, .flags = TEXT_DISK_READONLY};
	}
	add_may(&f, TEXT_VENDOR, false, TEXT_PERSON_USER, false, 0);
	f.statement[TEXT_VENDOR][f.text[TEXT_VENDOR].count - 1].may.keys = 1u << TEXT_DISK;
	add_partition(&f, TEXT_USER, desktop.name);
	disk = add(&f, TEXT_USER, TEXT_VALUE);
	disk->value = (struct text_value){.key = TEXT_DISK, .string = file, .flags = 0};
	assert_int_equal(build(&f), -1);
	disk->value.flags = TEXT_DISK_READONLY;
	assert_int_equal(build(&f), 0);
}

/* And for the time to confirm and the IOMMU. */
static void default_on_tightened_machine_keys_opens_nothing(void **state)
{
	struct fixture f;

	init(&f);
	add_number(&f, TEXT_VENDOR, false, TEXT_MEMORY, 512 * MIB);
	add(&f, TEXT_VENDOR, TEXT_CONFIRM)->number = 60;
	add(&f, TEXT_IT, TEXT_CONFIRM)->number = 30;
	f.statement[TEXT_IT][0].open = true;
	add(&f, TEXT_USER, TEXT_CONFIRM)->number = 600;
	assert_int_equal(build(&f), -1);

	init(&f);
	add_number(&f, TEXT_VENDOR, false, TEXT_MEMORY, 512 * MIB);
	add(&f, TEXT_VENDOR, TEXT_IOMMU)->number = 1;
	add(&f, TEXT_IT, TEXT_IOMMU)->number = 1;
	f.statement[TEXT_IT][0].open = true;
	add(&f, TEXT_USER, TEXT_IOMMU)->number = 0;
	assert_int_equal(build(&f), -1);
}

/* A right that the vendor fixed is not opened by a layer that cannot give it itself. */
static void default_on_fixed_right_opens_nothing(void **state)
{
	struct fixture f;

	init(&f);
	add_number(&f, TEXT_VENDOR, false, TEXT_MEMORY, 512 * MIB);
	add_may(&f, TEXT_VENDOR, false, TEXT_PERSON_USER, true, TEXT_STOP);
	add_may(&f, TEXT_IT, true, TEXT_PERSON_USER, true, TEXT_STOP);
	add_may(&f, TEXT_USER, false, TEXT_PERSON_USER, false, TEXT_STOP);
	assert_int_equal(build(&f), -1);
	/* What the vendor left open is IT's to pass on. */
	f.statement[TEXT_VENDOR][4].open = true;
	assert_int_equal(build(&f), 0);
}

/* The user's layer does not take rights from IT and admin. */
static void user_layer_takes_only_from_the_user(void **state)
{
	struct fixture f;

	init(&f);
	add_number(&f, TEXT_VENDOR, false, TEXT_MEMORY, 512 * MIB);
	add_may(&f, TEXT_USER, false, TEXT_PERSON_USER, true, TEXT_STOP);
	assert_int_equal(build(&f), 0);
	f.statement[TEXT_USER][0].may.person = TEXT_PERSON_IT;
	assert_int_equal(build(&f), -1);
	f.statement[TEXT_USER][0].may.person = TEXT_PERSON_ADMIN;
	assert_int_equal(build(&f), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_on_tightened_property_opens_nothing),
		cmocka_unit_test(default_on_tightened_disk_opens_nothing),
		cmocka_unit_test(default_on_tightened_machine_keys_opens_nothing),
		cmocka_unit_test(default_on_fixed_right_opens_nothing),
		cmocka_unit_test(user_layer_takes_only_from_the_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
