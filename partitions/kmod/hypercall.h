/* SPDX-License-Identifier: GPL-2.0-only */
/** The hypercall instruction and its errors, see hv/abi/hypercall.h. Any context; never sleeps. */
#ifndef BULKHEAD_HYPERCALL_H
#define BULKHEAD_HYPERCALL_H

#include <linux/errno.h>
#include <linux/types.h>
#include <asm/alternative.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

#include "abi/err.h"
#include "abi/hypercall.h"

#ifdef BULKHEAD_FAKE
/* tests/kmod plays the hypervisor inside the same kernel. */
bool hypercall_present(void);
long hypercall_raw(u64 number, u64 a, u64 b, u64 c, u64 d);
#else
/** True if CPUID shows our hypervisor below this kernel. */
static inline bool hypercall_present(void)
{
	return boot_cpu_has(X86_FEATURE_HYPERVISOR) &&
	       hypervisor_cpuid_base("BulkheadHyp", 0) == 0x40000000;
}

/** Returns what the hypercall returned: negative enum bh_err on failure. Physical addresses are what the
 *  ABI calls gpa: the control partition is identity-mapped. */
static inline long hypercall_raw(u64 number, u64 a, u64 b, u64 c, u64 d)
{
	long ret;

	asm volatile(ALTERNATIVE("vmcall", "vmmcall", X86_FEATURE_VMMCALL)
		     : "=a"(ret)
		     : "a"(number), "D"(a), "S"(b), "d"(c), "c"(d)
		     : "memory");
	return ret;
}
#endif

/** The errno that the uapi header promises for an enum bh_err. */
static inline int hypercall_errno(long ret)
{
	static const int table[] = {
		[BH_OK] = 0,		 [BH_INVAL] = EINVAL,	[BH_DENIED] = EPERM,
		[BH_NOMEM] = ENOMEM,	 [BH_NOENT] = ENOENT,	[BH_STATE] = EBUSY,
		[BH_RANGE] = ERANGE,	 [BH_EXISTS] = EEXIST,	[BH_NOSYS] = ENOSYS,
		[BH_NOSUPP] = EOPNOTSUPP, [BH_CORRUPT] = EBADMSG,
	};

	if (ret >= 0)
		return 0;
	return -ret < (long)(sizeof(table) / sizeof(table[0])) ? -table[-ret] : -EIO;
}

/** Returns 0 or -errno. */
static inline int hypercall(u64 number, u64 a, u64 b, u64 c)
{
	return hypercall_errno(hypercall_raw(number, a, b, c, 0));
}

#endif
