/* SPDX-License-Identifier: Apache-2.0 */
/** Writes to control registers that touch bits we own. Source: SDM 3A, "Control Registers", SDM 3C,
 *  "Exit Qualification for Control-Register Accesses". */
#include "cpu/msr.h"
#include "lib/string.h"
#include "part/part.h"
#include "vtx/vmx.h"

#define CR0_DEFINED                                                                                \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | \
	 CR0_PG)
#define CS_LONG BIT(13)

static void set_long_mode(bool on)
{
	uint64_t efer = vmx_read(VMCS_GUEST_EFER), entry = vmx_read(VMCS_ENTRY_CONTROLS);

	vmx_write(VMCS_GUEST_EFER, on ? efer | EFER_LMA : efer & ~(uint64_t)EFER_LMA);
	vmx_write(VMCS_ENTRY_CONTROLS, on ? entry | ENTRY_IA32E : entry & ~(uint64_t)ENTRY_IA32E);
}

/* PAE paging outside long mode keeps its four top entries in registers: SDM 3A, "PDPTE Registers".
 */
static bool load_pdptes(struct vcpu *vcpu)
{
	uint64_t pdpte[4];

	if (part_copy_in(vcpu->part, vmx_read(VMCS_GUEST_CR3) & 0xffffffe0, pdpte, sizeof(pdpte)) !=
	    0) {
		return false;
	}
	for (unsigned i = 0; i < 4; i++) {
		vmx_write(VMCS_GUEST_PDPTE0 + 2 * i, pdpte[i]);
	}
	return true;
}

static bool paging_on(struct vcpu *vcpu)
{
	uint64_t efer = vmx_read(VMCS_GUEST_EFER), cr4 = vmx_read(VMCS_GUEST_CR4);

	if (efer & EFER_LME) {
		if (!(cr4 & CR4_PAE) || (vmx_read(VMCS_GUEST_CS_AR) & CS_LONG)) {
			return false;
		}
		set_long_mode(true);
		return true;
	}
	return !(cr4 & CR4_PAE) || load_pdptes(vcpu);
}

static bool paging_off(void)
{
	if (vmx_read(VMCS_GUEST_EFER) & EFER_LMA) {
		if ((vmx_read(VMCS_GUEST_CS_AR) & CS_LONG) ||
		    (vmx_read(VMCS_GUEST_CR4) & CR4_PCIDE)) {
			return false;
		}
		set_long_mode(false);
	}
	return true;
}

static bool cr0_write(struct vcpu *vcpu, uint64_t value)
{
	uint64_t old = vmx_read(VMCS_GUEST_CR0);

	if (value >> 32 || ((value & CR0_PG) && !(value & CR0_PE)) ||
	    ((value & CR0_NW) && !(value & CR0_CD))) {
		return false;
	}
	if (((old ^ value) & CR0_PG) && !(value & CR0_PG ? paging_on(vcpu) : paging_off())) {
		return false;
	}
	value &= CR0_DEFINED;
	vmx_write(VMCS_CR0_SHADOW, value | CR0_ET);
	vmx_write(VMCS_GUEST_CR0, (value | CR0_ET | CR0_NE) & ~(CR0_CD | CR0_NW));
	if ((old ^ value) & CR0_PG) {
		vmx_invvpid(INVVPID_SINGLE, vmx_vcpu(vcpu)->vpid);
	}
	return true;
}

enum exit_result exit_cr_access(struct vcpu *vcpu)
{
	uint64_t q = vmx_read(VMCS_EXIT_QUALIFICATION);
	unsigned cr = q & 0xf, type = q >> 4 & 3, reg = q >> 8 & 0xf;

	if (cr == 8 && type <= 1) {
		return exit_cr8(vcpu, reg, type == 0);
	}
	/* CR4: only bits that are not on the allow list exit, and they fault. LMSW and CLTS touch
	 * no bit that we own. */
	return cr == 0 && type == 0 && cr0_write(vcpu, vcpu_reg_read(vcpu, reg)) ? EXIT_SKIP : exit_gp(vcpu);
}
