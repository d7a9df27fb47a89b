/* SPDX-License-Identifier: Apache-2.0 */
/** A guest may ask the version and nothing else, from CPL 0 only.
 *  expect: exit 1 */
#include "abi/err.h"
#include "abi/hypercall.h"
#include "abi/types.h"
#include "guest.h"

extern uint32_t mode_mark;
void mode_hypercall(void);

static uint8_t page[4096] __attribute__((aligned(4096)));
static uint32_t user_vector;

static void user_code(void)
{
	user_vector = guest_has_vmmcall ? TRAP_TRY("vmmcall", , "a"(0)) : TRAP_TRY("vmcall", , "a"(0));
}

static void check_registers(void)
{
	uint64_t a = BH_HC_VERSION, b = 2, c = 3, d = 4, si = 5, di = 6;
	register uint64_t r8 __asm__("r8") = 7;
	register uint64_t r15 __asm__("r15") = 8;

	/* The flag is read inside, so that the register variables hold up to the call itself. */
	__asm__ volatile("cmpb $0, guest_has_vmmcall\n\t"
			 "je 1f\n\t"
			 "vmmcall\n\t"
			 "jmp 2f\n"
			 "1:\tvmcall\n"
			 "2:"
			 : "+a"(a), "+b"(b), "+c"(c), "+d"(d), "+S"(si), "+D"(di), "+r"(r8),
			   "+r"(r15)
			 :
			 : "cc");
	bool same = b == 2 && c == 3 && d == 4 && si == 5 && di == 6 && r8 == 7 && r15 == 8;

	tap_ok(same, "no other register changes");
	tap_equal(a, BH_ABI_VERSION, "version");
}

int guest_main(void)
{
	if (!guest_in_partition()) {
		return tap_skip_all("not in a partition");
	}
	check_registers();
	for (uint64_t n = BH_HC_EVENT_SETUP; n <= BH_HC_POLICY_LOAD; n++) {
		int64_t err = guest_hypercall(n, n == BH_HC_LOG_READ ? (uint64_t)page : 0,
					      (uint64_t)page, (uint64_t)page);

		tap_ok(err == -BH_DENIED, "call 0x%lx is denied", n);
		if (err != -BH_DENIED) {
			guest_printf("# got %ld\n", err);
		}
	}
	for (unsigned int i = 1; i < BH_PART_MAX; i++) {
		if (guest_hypercall(BH_HC_PART_DESTROY, i, 0, 0) != -BH_DENIED) {
			tap_ok(false, "destroy %u is denied", i);
		}
	}
	tap_ok(guest_hypercall(0x1e, 0, 0, 0) < 0, "a number behind the last is refused");
	tap_ok(guest_hypercall(0xffffffffffffffffull, 0, 0, 0) < 0, "the highest number is refused");
	tap_equal(guest_has_vmmcall ? TRAP_TRY("vmcall", , "a"(0)) : TRAP_TRY("vmmcall", , "a"(0)),
		  TRAP_UD, "the other vendor's instruction: #UD");
	user_run(user_code);
	tap_equal(user_vector, TRAP_UD, "at CPL 3: #UD");
	mode_mark = 0;
	flat32_run((uint32_t)(uint64_t)mode_hypercall);
	tap_equal(mode_mark, BH_ABI_VERSION, "version from 32-bit protected mode");
	tap_ok(page[0] == 0 && memcmp(page, page + 1, sizeof(page) - 1) == 0,
	       "nothing was written to our page");
	return tap_done();
}
