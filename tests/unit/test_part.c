/* SPDX-License-Identifier: Apache-2.0 */
/** Life cycle of partitions, driven through the hypercalls of the control partition. */
#include "part/part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "abi/event.h"
#include "abi/hypercall.h"
#include "mem/frames.h"
#include "part/backend.h"
#include "part/event.h"
#include "part/hypercall.h"
#include "part/ioreq.h"
#include "part/sched.h"
#include "root_mode.h"
#include "vmx_fake.h"

#define IOREQ_PAGE (VMX_FAKE_ARGS + PAGE_SIZE)
#define EVENT_PAGE (VMX_FAKE_ARGS + 2 * PAGE_SIZE)

static int setup(void **state)
{
	(void)state;
	root_mode_start();
	assert_non_null(parts[0].policy);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	root_mode_stop();
	return 0;
}

static int64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	return root_mode_call(parts[0].vcpu[0], number, a, b, c);
}

/* The vcpu comes on the CPU, looks at what it was asked, and leaves again. */
static void look(struct vcpu *vcpu)
{
	cpu_this()->sched->resched = true;
	vcpu_run(vcpu);
}

static void create(uint64_t id)
{
	assert_int_equal(call(BH_HC_PART_CREATE, id, IOREQ_PAGE, 0), 0);
}

/* Created RAM belongs to the partition, is zero, and the control partition sees it where info says.
 */
static void part_create_gives_zeroed_memory_of_its_own(void **state)
{
	struct bh_part_info *info = (void *)VMX_FAKE_ARGS;
	const uint8_t *ram;

	(void)state;
	create(1);
	assert_int_equal(call(BH_HC_PART_INFO, 1, VMX_FAKE_ARGS, 0), 0);
	assert_string_equal(info->name, "desktop");
	assert_int_equal(info->state, BH_PART_CREATED);
	assert_int_equal(info->ram_size, 8 << 20);
	assert_true(frame_range_owned(hpa(info->ram_hpa), info->ram_size, 1));
	ram = (const uint8_t *)info->ram_hpa;
	for (size_t i = 0; i < info->ram_size; i += 4096) {
		assert_int_equal(ram[i], 0);
	}
}

/* After each change no partition can reach a frame that is not its own or granted to it. */
static void part_life_cycle_keeps_isolation(void **state)
{
	(void)state;
	create(1);
	create(2);
	assert_true(backend_check_isolation(&parts[0]));
	assert_true(backend_check_isolation(&parts[1]));
	assert_true(backend_check_isolation(&parts[2]));
	assert_int_equal(call(BH_HC_PART_DESTROY, 1, 0, 0), 0);
	assert_true(backend_check_isolation(&parts[0]));
	assert_true(backend_check_isolation(&parts[2]));
}

/* The self check finds a mapping of somebody else's frame. */
static void part_isolation_check_can_fail(void **state)
{
	(void)state;
	create(1);
	create(2);
	assert_int_equal(backend_map(&parts[2], 0, parts[1].ram, PAGE_SIZE, 1, 6), 0);
	assert_false(backend_check_isolation(&parts[2]));
	assert_int_equal(backend_map(&parts[0], 0x100000, hpa(0x100000), PAGE_SIZE, 1, 6), 0);
	assert_false(backend_check_isolation(&parts[0]));
}

/* What a partition had in memory is gone before its frames can belong to another. */
static void part_destroy_zeroes_memory(void **state)
{
	uint64_t ram;

	(void)state;
	create(1);
	ram = parts[1].ram.v;
	memset((void *)ram, 0xaa, 4096);
	assert_int_equal(call(BH_HC_PART_DESTROY, 1, 0, 0), 0);
	assert_int_equal(frame_owner(hpa(ram)), FRAME_POOL);
	create(1);
	assert_int_equal(*(uint8_t *)parts[1].ram.v, 0);
}

/* Each verb works in its own state and changes nothing in any other. */
static void part_verbs_keep_to_their_state(void **state)
{
	(void)state;
	assert_int_equal(call(BH_HC_PART_START, 1, 0, 0), -BH_STATE);
	assert_int_equal(call(BH_HC_PART_DESTROY, 1, 0, 0), -BH_STATE);
	create(1);
	assert_int_equal(call(BH_HC_PART_CREATE, 1, IOREQ_PAGE, 0), -BH_STATE);
	assert_int_equal(call(BH_HC_PART_PAUSE, 1, 0, 0), -BH_STATE);
	assert_int_equal(call(BH_HC_PART_START, 1, 0, 0), 0);
	assert_int_equal(call(BH_HC_PART_START, 1, 0, 0), -BH_STATE);
	assert_int_equal(call(BH_HC_PART_PAUSE, 1, 0, 0), 0);
	assert_int_equal(call(BH_HC_PART_RESUME, 1, 0, 0), 0);
	assert_int_equal(call(BH_HC_PART_RESET, 1, 0, 0), 0);
	assert_int_equal(parts[1].state, BH_PART_CREATED);
}

/* Nobody but the control partition manages partitions; anybody may ask for the version. */
static void hypercall_is_refused_to_guests(void **state)
{
	(void)state;
	create(1);
	assert_int_equal(root_mode_call(parts[1].vcpu[0], BH_HC_VERSION, 0, 0, 0), BH_ABI_VERSION);
	for (uint64_t number = BH_HC_EVENT_SETUP; number <= BH_HC_LOG_READ; number++) {
		assert_int_equal(root_mode_call(parts[1].vcpu[0], number, 2, IOREQ_PAGE, 0),
				 -BH_DENIED);
	}
	assert_int_equal(parts[2].state, BH_PART_EMPTY);
}

/* The control partition and partitions that the policy does not name cannot be managed. */
static void hypercall_knows_only_partitions_of_the_policy(void **state)
{
	(void)state;
	assert_int_equal(call(BH_HC_PART_RESET, 0, 0, 0), -BH_NOENT);
	assert_int_equal(call(BH_HC_PART_CREATE, 9, IOREQ_PAGE, 0), -BH_NOENT);
	assert_int_equal(call(BH_HC_PART_CREATE, UINT64_MAX, IOREQ_PAGE, 0), -BH_NOENT);
	assert_int_equal(call(0x99, 0, 0, 0), -BH_NOSYS);
}

/* No entry means no: memory that the policy does not let the control partition map, is not made. */
static void gate_refuses_what_the_policy_does_not_name(void **state)
{
	(void)state;
	assert_int_equal(call(BH_HC_PART_CREATE, 3, IOREQ_PAGE, 0), -BH_DENIED);
	create(1);
	assert_int_equal(call(BH_HC_DOORBELL_SETUP, 1, 0xd0000000, 5), -BH_DENIED);
	assert_int_equal(call(BH_HC_DOORBELL_SETUP, 1, 0xd0000000, 4), 0);
}

/* Argument pages must be the caller's own memory, inside one page. */
static void hypercall_checks_argument_pages(void **state)
{
	(void)state;
	create(1);
	assert_int_equal(call(BH_HC_PART_CREATE, 2, parts[1].ram.v, 0), -BH_RANGE);
	assert_int_equal(call(BH_HC_PART_CREATE, 2, 0x100000, 0), -BH_RANGE); /* root mode's */
	assert_int_equal(call(BH_HC_PART_CREATE, 2, IOREQ_PAGE + 8, 0), -BH_RANGE);
	assert_int_equal(call(BH_HC_PART_INFO, 1, VMX_FAKE_ARGS + PAGE_SIZE - 8, 0), -BH_RANGE);
	assert_int_equal(call(BH_HC_PART_INFO, 1, 0x100000, 0), -BH_RANGE);
	assert_int_equal(call(BH_HC_EVENT_SETUP, 0x100000, 0xfee00000, 0x41), -BH_RANGE);
	assert_int_equal(call(BH_HC_EVENT_SETUP, EVENT_PAGE, 0xfed00000, 0x41), -BH_INVAL);
}

/* Doorbells lie outside RAM and below 4 GiB, and never over the local APIC. */
static void doorbell_window_is_bounded(void **state)
{
	(void)state;
	create(1);
	assert_int_equal(call(BH_HC_DOORBELL_SETUP, 1, 0x200000, 1), -BH_RANGE);
	assert_int_equal(call(BH_HC_DOORBELL_SETUP, 1, 0xd0000800, 1), -BH_RANGE);
	assert_int_equal(call(BH_HC_DOORBELL_SETUP, 1, 0xfedff000, 2), -BH_RANGE);
	assert_int_equal(call(BH_HC_DOORBELL_SETUP, 1, 0xfffff000, 2), -BH_RANGE);
	assert_int_equal(call(BH_HC_DOORBELL_SETUP, 1, 0x7ffffffff000, 1), -BH_RANGE);
}

/* A page that was taken back is not written any more. */
static void event_page_can_be_taken_back(void **state)
{
	struct bh_event_page *events = (void *)EVENT_PAGE;

	(void)state;
	assert_int_equal(call(BH_HC_EVENT_SETUP, EVENT_PAGE, 0xfee00000, 0x41), 0);
	event_doorbell(1, 0, 3);
	assert_int_equal(events->doorbell[1][0], 8);
	memset(events, 0, sizeof(*events));
	assert_int_equal(call(BH_HC_EVENT_SETUP, 0, 0, 0), 0);
	event_doorbell(1, 0, 3);
	assert_int_equal(events->pending, 0);
	assert_int_equal(events->doorbell[1][0], 0);
}

/* An ioreq is answered once, only when it was asked and the slot says DONE. */
static void ioreq_takes_one_answer(void **state)
{
	struct bh_ioreq *slot = (void *)IOREQ_PAGE;
	struct bh_event_page *events = (void *)EVENT_PAGE;
	struct vcpu *vcpu;

	(void)state;
	assert_int_equal(call(BH_HC_EVENT_SETUP, EVENT_PAGE, 0xfee00000, 0x41), 0);
	create(1);
	vcpu = parts[1].vcpu[0];
	vcpu->state = VCPU_RUNNABLE;
	assert_int_equal(call(BH_HC_PART_START, 1, 0, 0), 0);
	assert_int_equal(call(BH_HC_IOREQ_DONE, 1, 0, 0), -BH_STATE);
	ioreq_pio(vcpu,
		  &(struct ioreq_pio){.port = 0x3fd, .size = 1, .in = true, .insn_length = 1});
	assert_int_equal(slot->state, BH_IOREQ_PENDING);
	assert_int_equal(slot->addr, 0x3fd);
	assert_int_equal(events->ioreq[1], 1);
	assert_int_equal(events->pending, 2);
	assert_int_equal(vlapic_pending(&parts[0].vcpu[0]->lapic),
			 -1); /* not enabled by its owner */
	assert_int_equal(call(BH_HC_IOREQ_DONE, 1, 0, 0), -BH_STATE);
	slot->data = 0x1234;
	slot->state = BH_IOREQ_DONE;
	vcpu->regs[REG_RAX] = UINT64_MAX;
	assert_int_equal(call(BH_HC_IOREQ_DONE, 1, 0, 0), 0);
	assert_int_equal(call(BH_HC_IOREQ_DONE, 1, 0, 0), -BH_STATE);
	ioreq_finish(vcpu);
	assert_true(vcpu->regs[REG_RAX] == 0xffffffffffffff34ull);
}

/* An answer may wait for the next request of the same vcpu, which then needs no event; an interrupt
 * ends the wait as well, and the request after it is announced again. */
static void ioreq_answer_can_wait_for_the_next(void **state)
{
	const struct ioreq_pio pio = {.port = 0x3f8, .size = 1, .insn_length = 1};
	struct bh_ioreq *slot = (void *)IOREQ_PAGE;
	struct bh_event_page *events = (void *)EVENT_PAGE;
	struct vcpu *control = parts[0].vcpu[0], *vcpu;

	(void)state;
	assert_int_equal(call(BH_HC_EVENT_SETUP, EVENT_PAGE, 0xfee00000, 0x41), 0);
	create(1);
	vcpu = parts[1].vcpu[0];
	vcpu->state = VCPU_RUNNABLE;
	assert_int_equal(call(BH_HC_PART_START, 1, 0, 0), 0);
	ioreq_pio(vcpu, &pio);
	memset(events, 0, sizeof(*events));
	slot->state = BH_IOREQ_DONE;
	assert_int_equal(call(BH_HC_IOREQ_DONE, 1, 0, 2), -BH_INVAL);
	assert_int_equal(call(BH_HC_IOREQ_DONE, 1, 0, BH_IOREQ_WAIT), 0);
	assert_int_equal(control->state, VCPU_HALTED);
	ioreq_finish(vcpu);
	ioreq_pio(vcpu, &pio);
	look(control);
	assert_int_equal(control->state, VCPU_RUNNABLE);
	assert_int_equal(slot->state, BH_IOREQ_PENDING);
	assert_int_equal(events->pending, 0);

	slot->state = BH_IOREQ_DONE;
	assert_int_equal(call(BH_HC_IOREQ_DONE, 1, 0, BH_IOREQ_WAIT), 0);
	ioreq_finish(vcpu);
	control->extint = 0x31;
	vcpu_request(control, VCPU_REQ_IRQ);
	look(control);
	assert_int_equal(control->state, VCPU_RUNNABLE);
	ioreq_pio(vcpu, &pio);
	assert_int_equal(events->ioreq[1], 1);
}

/* A guest that stops itself stops alone, and the control partition is told why. */
static void part_stop_ends_one_partition(void **state)
{
	struct bh_part_info *info = (void *)VMX_FAKE_ARGS;
	struct bh_event_page *events = (void *)EVENT_PAGE;

	(void)state;
	assert_int_equal(call(BH_HC_EVENT_SETUP, EVENT_PAGE, 0xfee00000, 0x41), 0);
	create(1);
	create(2);
	assert_int_equal(call(BH_HC_PART_START, 1, 0, 0), 0);
	assert_int_equal(call(BH_HC_PART_START, 2, 0, 0), 0);
	part_stop(parts[1].vcpu[0], BH_STOP_TRIPLE_FAULT, 7);
	assert_int_equal(events->state, 2);
	assert_int_equal(call(BH_HC_PART_INFO, 1, VMX_FAKE_ARGS, 0), 0);
	assert_int_equal(info->state, BH_PART_STOPPED);
	assert_int_equal(info->stop_reason, BH_STOP_TRIPLE_FAULT);
	assert_int_equal(info->stop_detail, 7);
	assert_int_equal(parts[2].state, BH_PART_RUNNING);
	assert_int_equal(parts[0].state, BH_PART_RUNNING);
	assert_int_equal(call(BH_HC_PART_RESET, 1, 0, 0), 0);
}

/* With several CPUs an x87 that is as after FNINIT is not restored by XRSTOR; one that is used is.
 */
static void vcpu_save_leaves_out_an_unused_x87(void **state)
{
	uint64_t *area;

	(void)state;
	create(1);
	area = parts[1].vcpu[0]->xstate;
	cpu_running = 2;
	area[64] = 7; /* XSAVE of an emulator: all in use */
	vcpu_save(parts[1].vcpu[0]);
	assert_int_equal(area[64], 6);
	area[64] = 7;
	area[19] = 1; /* half of ST(7) */
	vcpu_save(parts[1].vcpu[0]);
	assert_int_equal(area[64], 7);
	cpu_running = 1;
}

/* A partition can come and go many times without losing a frame. */
static void part_create_and_destroy_leak_nothing(void **state)
{
	uint64_t used;

	(void)state;
	create(1);
	assert_int_equal(call(BH_HC_PART_DESTROY, 1, 0, 0), 0);
	used = frames_hv_used();
	for (unsigned i = 0; i < 50; i++) {
		create(1);
		assert_int_equal(call(BH_HC_DOORBELL_SETUP, 1, 0xd0000000, 4), 0);
		assert_int_equal(call(BH_HC_PART_DESTROY, 1, 0, 0), 0);
	}
	assert_int_equal(frames_hv_used(), used);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(part_create_gives_zeroed_memory_of_its_own),
		TEST(part_life_cycle_keeps_isolation),
		TEST(part_isolation_check_can_fail),
		TEST(part_destroy_zeroes_memory),
		TEST(part_verbs_keep_to_their_state),
		TEST(hypercall_is_refused_to_guests),
		TEST(hypercall_knows_only_partitions_of_the_policy),
		TEST(gate_refuses_what_the_policy_does_not_name),
		TEST(hypercall_checks_argument_pages),
		TEST(doorbell_window_is_bounded),
		TEST(event_page_can_be_taken_back),
		TEST(ioreq_takes_one_answer),
		TEST(ioreq_answer_can_wait_for_the_next),
		TEST(part_stop_ends_one_partition),
		TEST(part_create_and_destroy_leak_nothing),
		TEST(vcpu_save_leaves_out_an_unused_x87),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
