/* SPDX-License-Identifier: Apache-2.0 */
/** Which instruction makes a hypercall: each vendor's CPUs know their own and raise #UD on the other's.
 *  Source: APM vol. 3, "VMMCALL"; SDM 3C, "VMCALL"; CPUID leaf 0 for the vendor. */
#include "guest.h"

bool guest_has_vmmcall;

void guest_hypercall_init(void)
{
	const struct cpuid_regs r = cpu_cpuid(0, 0);
	const uint32_t vendor[] = { r.ebx, r.edx, r.ecx };

	guest_has_vmmcall = memcmp(vendor, "AuthenticAMD", sizeof(vendor)) == 0 ||
			    memcmp(vendor, "HygonGenuine", sizeof(vendor)) == 0;
}
