/* SPDX-License-Identifier: Apache-2.0 */
/** The VMX instructions for host tests: VMCSs are tables of fields in memory, kept by address. */
#include "vtx/insn.h"

#include <string.h>

#include "vmx_fake.h"
#include "vtx/vmx.h"

vmx_fake_guest vmx_fake_enter;

#define VMCS_MAX   16 /* 0 is what nobody loaded */
#define FIELD_MAX  0x7000

static struct {
	uint64_t address;
	uint64_t field[FIELD_MAX];
} vmcs[VMCS_MAX];
static unsigned current;

const char vmx_exit_entry[1];

bool vmx_on(hpa_t region)
{
	return region.v != 0;
}

static unsigned find(uint64_t address)
{
	unsigned i;

	for (i = 1; i < VMCS_MAX - 1 && vmcs[i].address && vmcs[i].address != address; i++) {
	}
	vmcs[i].address = address;
	return i;
}

bool vmx_clear(hpa_t region)
{
	unsigned i = find(region.v);

	/* What is in it stays: SDM 3C, "VMCLEAR-Clear Virtual-Machine Control Structure". */
	current = i == current ? 0 : current;
	return true;
}

bool vmx_load(hpa_t region)
{
	current = find(region.v);
	return true;
}

uint64_t vmx_read(uint64_t field)
{
	return vmcs[current].field[field];
}

void vmx_write(uint64_t field, uint64_t value)
{
	vmcs[current].field[field] = value;
}

void vmx_invept(unsigned type, uint64_t eptp)
{
	(void)type;
	(void)eptp;
}

void vmx_invvpid(unsigned type, uint16_t vpid)
{
	(void)type;
	(void)vpid;
}

void vmx_fake_forget(void);
void vmx_fake_forget(void)
{
	memset(vmcs, 0, sizeof(vmcs));
	current = 0;
}

bool vmx_enter(uint64_t *regs, bool launched)
{
	(void)launched;
	return vmx_fake_enter && vmx_fake_enter(regs);
}
