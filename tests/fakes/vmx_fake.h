/* SPDX-License-Identifier: Apache-2.0 */
/** A VT-x CPU for host tests: VMCSs as tables, and a guest that is a function of the test. */
#ifndef BH_TESTS_FAKES_VMX_FAKE_H
#define BH_TESTS_FAKES_VMX_FAKE_H

#include "abi/policy.h"
#include "lib/types.h"

/** What the "guest" does between entry and exit: sets exit fields with vmx_write. False: VMfail. */
typedef bool (*vmx_fake_guest)(uint64_t *regs);
extern vmx_fake_guest vmx_fake_enter;

/** Sets the capability MSRs and CPUID of a CPU that has all we need, and forgets all VMCSs. */
void vmx_fake_reset(void);

/** The table that root mode starts with: control, desktop (8 MiB) and browser (4 MiB), whose back
 * ends live in the control partition, and sealed (2 MiB), which nobody may serve. */
struct vmx_fake_policy {
	struct bh_policy head;
	struct bh_policy_part part[4];
};
void vmx_fake_policy(struct vmx_fake_policy *ret_table);
/** Makes its checksum right again. */
void vmx_fake_seal(struct vmx_fake_policy *table);

/** Root mode up to the first entry on fake RAM, with the table above. */
void vmx_fake_start_root_mode(void);
/** The same on whatever CPU the fakes show already. */
void vmx_fake_start_on_this_cpu(void);
void vmx_fake_stop_root_mode(void);
/** First page of RAM of the control partition that tests may use as argument pages. */
#define VMX_FAKE_ARGS 0x2000000ull

#endif
