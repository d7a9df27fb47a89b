/* SPDX-License-Identifier: Apache-2.0 */
/** Accesses of a guest that its runner answers. What the instruction does is fixed in our own copy
 *  before the runner sees the request; only `data` comes back. */
#include "part/ioreq.h"

#include "cpu/insn.h"
#include "cpu/msr.h"
#include "lib/string.h"
#include "part/backend.h"
#include "part/event.h"
#include "part/gwalk.h"
#include "part/part.h"

static uint64_t size_mask(unsigned size)
{
	return size == 8 ? UINT64_MAX : BIT(8 * size) - 1;
}

static uint64_t reg_read(struct vcpu *vcpu, unsigned reg, bool high)
{
	uint64_t value = high ? vcpu->regs[reg] : vcpu_reg_read(vcpu, reg);

	return high ? value >> 8 : value;
}

/* SDM 1, "General-Purpose Registers in 64-Bit Mode": 32-bit results are zero-extended, shorter
 * kept. */
static void reg_write(struct vcpu *vcpu, unsigned reg, bool high, unsigned size, uint64_t value)
{
	uint64_t old = reg_read(vcpu, reg, false);

	if (high) {
		value = (old & ~0xff00ull) | (value & 0xff) << 8;
	} else if (size < 4) {
		value = (old & ~size_mask(size)) | (value & size_mask(size));
	} else {
		value &= size_mask(size);
	}
	if (high) {
		vcpu->regs[reg] = value;
	} else {
		vcpu_reg_write(vcpu, reg, value);
	}
}

/* The control vcpu that waits for vcpu `id` to ask again, once. */
static struct vcpu *take_waiter(struct part *part, unsigned id)
{
	return __atomic_exchange_n(&part->waiter[id], NULL, __ATOMIC_SEQ_CST);
}

void ioreq_wake_waiter(struct part *part, unsigned id)
{
	struct vcpu *waiter = take_waiter(part, id);

	if (waiter) {
		vcpu_request(waiter, VCPU_REQ_ASKED);
	}
}

/* If the place is not ours any more, VCPU_REQ_ASKED is on its way, and finds us awake. */
void ioreq_wait_over(struct vcpu *vcpu)
{
	struct vcpu *self = vcpu;

	if (vcpu->waits_at) {
		(void)__atomic_compare_exchange_n(vcpu->waits_at, &self, NULL, false,
						  __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
		vcpu->waits_at = NULL;
	}
}

static bool change_phase(struct vcpu *vcpu, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(&vcpu->ioreq.phase, &from, to, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

static void set_phase(struct vcpu *vcpu, uint32_t phase)
{
	__atomic_store_n(&vcpu->ioreq.phase, phase, __ATOMIC_RELEASE);
}

void ioreq_reset(struct vcpu *vcpu)
{
	uint32_t phase;

	do { /* TAKEN lasts a few instructions: somebody writes the answer */
		phase = __atomic_load_n(&vcpu->ioreq.phase, __ATOMIC_ACQUIRE);
		insn_pause();
	} while (phase == IOREQ_TAKEN || !change_phase(vcpu, phase, IOREQ_NONE));
	vcpu->ioreq.seq = 0;
}

static void issue(struct vcpu *vcpu, unsigned type, unsigned dir, uint64_t addr, unsigned size,
		  uint64_t data)
{
	struct part *part = vcpu->part;
	struct bh_ioreq *slot = (struct bh_ioreq *)hpa_ptr(part->ioreq_page) + vcpu->id;
	struct bh_ioreq *request = &vcpu->ioreq.request;
	struct vcpu *waiter;

	*request = (struct bh_ioreq){.addr = addr,
				     .data = data & size_mask(size),
				     .size = size,
				     .type = (uint8_t)type,
				     .dir = (uint8_t)dir,
				     .vcpu = (uint8_t)vcpu->id,
				     .state = BH_IOREQ_FREE,
				     .seq = ++vcpu->ioreq.seq,
				     .rip = backend->read(vcpu, BACKEND_RIP)};
	*slot = *request;
	vcpu->state = VCPU_WAIT_IOREQ;
	set_phase(vcpu, IOREQ_ASKED);
	__atomic_store_n(&slot->state, BH_IOREQ_PENDING, __ATOMIC_RELEASE);
	waiter = take_waiter(part, vcpu->id);
	if (waiter) {
		vcpu_request(waiter, VCPU_REQ_ASKED); /* it looks at the slot next: no event needed */
	} else {
		event_ioreq(part->id, vcpu->id);
	}
}

/* Halts the caller until the vcpu asks again; it cannot have, because it has not got its answer yet. */
static void wait_for(struct vcpu *caller, struct part *part, uint64_t id)
{
	caller->waits_at = &part->waiter[id];
	caller->state = VCPU_HALTED;
	__atomic_store_n(caller->waits_at, caller, __ATOMIC_SEQ_CST);
}

int ioreq_done(struct vcpu *caller, struct part *part, uint64_t vcpu_id, uint64_t flags)
{
	struct bh_ioreq *slot;
	struct vcpu *vcpu;

	if (vcpu_id >= part->vcpu_count) {
		return -BH_NOENT;
	}
	if (flags & ~(uint64_t)BH_IOREQ_WAIT) {
		return -BH_INVAL;
	}
	vcpu = part->vcpu[vcpu_id];
	slot = (struct bh_ioreq *)hpa_ptr(part->ioreq_page) + vcpu_id;
	if (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) != BH_IOREQ_DONE ||
	    !change_phase(vcpu, IOREQ_ASKED, IOREQ_TAKEN)) {
		return -BH_STATE;
	}
	vcpu->ioreq.answer = __atomic_load_n(&slot->data, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->state, BH_IOREQ_FREE, __ATOMIC_RELEASE);
	if ((flags & BH_IOREQ_WAIT) && !caller->extint && vlapic_pending(&caller->lapic) < 0) {
		wait_for(caller, part, vcpu_id);
	}
	set_phase(vcpu, IOREQ_ANSWERED);
	vcpu_request(vcpu, VCPU_REQ_ANSWER);
	return 0;
}

static uint64_t index_mask(struct vcpu *vcpu)
{
	struct backend_mode mode;

	backend->mode(vcpu, &mode);
	return mode.bits == 64 ? UINT64_MAX : mode.bits == 32 ? 0xffffffff : 0xffff;
}

/* Steps RCX and RSI or RDI of a string instruction; returns whether the instruction is over. */
static bool string_step(struct vcpu *vcpu, unsigned index_reg, unsigned size, bool rep)
{
	uint64_t mask = index_mask(vcpu), step = size;

	if (backend->read(vcpu, BACKEND_RFLAGS) & RFLAGS_DF) {
		step = -step;
	}
	vcpu->regs[index_reg] =
		(vcpu->regs[index_reg] & ~mask) | ((vcpu->regs[index_reg] + step) & mask);
	if (!rep) {
		return true;
	}
	vcpu->regs[REG_RCX] = (vcpu->regs[REG_RCX] & ~mask) | ((vcpu->regs[REG_RCX] - 1) & mask);
	return (vcpu->regs[REG_RCX] & mask) == 0;
}

void ioreq_pio(struct vcpu *vcpu, const struct ioreq_pio *pio)
{
	uint64_t data = vcpu->regs[REG_RAX];

	if (pio->rep && (vcpu->regs[REG_RCX] & index_mask(vcpu)) == 0) {
		/* It exits before it looks at the count. */
		backend->advance(vcpu, pio->insn_length);
		return;
	}
	vcpu->ioreq.string = pio->string;
	vcpu->ioreq.rep = pio->rep;
	vcpu->ioreq.insn_length = pio->insn_length;
	vcpu->ioreq.linear = pio->linear;
	if (pio->string && !pio->in) {
		struct backend_mode mode;

		backend->mode(vcpu, &mode);
		data = 0;
		if (gwalk_copy_in(vcpu->part, &mode, pio->linear, &data, pio->size) != pio->size) {
			part_stop(vcpu, BH_STOP_DECODE, pio->linear);
			return;
		}
	}
	issue(vcpu, BH_IOREQ_PIO, pio->in ? BH_IOREQ_READ : BH_IOREQ_WRITE, pio->port, pio->size,
	      data);
}

static void finish_pio(struct vcpu *vcpu)
{
	struct vcpu_ioreq *ioreq = &vcpu->ioreq;
	unsigned size = ioreq->request.size;
	bool in = ioreq->request.dir == BH_IOREQ_READ, over = true;

	if (ioreq->string) {
		if (in) {
			struct backend_mode mode;
			uint64_t gpa;

			backend->mode(vcpu, &mode);
			if (gwalk_translate(vcpu->part, &mode, ioreq->linear, &gpa) != 0 ||
			    part_copy_out(vcpu->part, gpa, &ioreq->answer, size) != 0) {
				part_stop(vcpu, BH_STOP_DECODE, ioreq->linear);
				return;
			}
		}
		over = string_step(vcpu, in ? REG_RDI : REG_RSI, size, ioreq->rep);
	} else if (in) {
		reg_write(vcpu, REG_RAX, false, size, ioreq->answer);
	}
	if (over) {
		backend->advance(vcpu, ioreq->insn_length);
	}
}

/* SDM 1, "Status Flags". Logic operations clear CF and OF; CMP is a subtraction. */
static void set_flags(struct vcpu *vcpu, uint64_t result, unsigned size, bool carry, bool overflow,
		      bool adjust)
{
	uint64_t flags = backend->read(vcpu, BACKEND_RFLAGS) & ~0x8d5ull;

	result &= size_mask(size);
	flags |= carry ? BIT(0) : 0;
	flags |= __builtin_parity((unsigned)result & 0xff) ? 0 : BIT(2);
	flags |= adjust ? BIT(4) : 0;
	flags |= result == 0 ? BIT(6) : 0;
	flags |= (result >> (8 * size - 1)) & 1 ? BIT(7) : 0;
	flags |= overflow ? BIT(11) : 0;
	backend->write(vcpu, BACKEND_RFLAGS, flags);
}

static void compare(struct vcpu *vcpu, uint64_t a, uint64_t b, unsigned size)
{
	uint64_t mask = size_mask(size), result;

	a &= mask;
	b &= mask;
	result = (a - b) & mask;
	set_flags(vcpu, result, size, a < b, ((a ^ b) & (a ^ result)) >> (8 * size - 1) & 1,
		  (a ^ b ^ result) & 0x10);
}

static uint64_t source_of(struct vcpu *vcpu, const struct decode_insn *insn)
{
	return insn->has_imm ? insn->imm : reg_read(vcpu, insn->reg, insn->reg_high);
}

/* One half of an MMIO instruction is done with `data` (the value read, or nothing). Returns the
 * data of the write that must follow through *ret_write; false when the instruction is over. */
static bool mmio_step(struct vcpu *vcpu, const struct decode_insn *insn, bool was_read,
		      uint64_t data, uint64_t *ret_write)
{
	uint64_t source = source_of(vcpu, insn);
	bool over = true;

	if (was_read) {
		switch (insn->op) {
		case DECODE_LOAD:
			data &= size_mask(insn->size);
			if (insn->sign_extend) {
				unsigned shift = 64 - 8 * insn->size;

				data = (uint64_t)((int64_t)(data << shift) >> shift);
			}
			reg_write(vcpu, insn->reg, insn->reg_high, insn->reg_size, data);
			break;
		case DECODE_TEST:
			set_flags(vcpu, data & source, insn->size, false, false, false);
			break;
		case DECODE_CMP:
			if (insn->swapped) {
				compare(vcpu, source, data, insn->size);
			} else {
				compare(vcpu, data, source, insn->size);
			}
			break;
		case DECODE_OR:
		case DECODE_AND:
		case DECODE_XOR:
			data = insn->op == DECODE_OR	? data | source
			       : insn->op == DECODE_AND ? data & source
							: data ^ source;
			set_flags(vcpu, data, insn->size, false, false, false);
			if (insn->swapped) {
				reg_write(vcpu, insn->reg, insn->reg_high, insn->size, data);
				break;
			}
			*ret_write = data;
			return true;
		case DECODE_XCHG:
			reg_write(vcpu, insn->reg, insn->reg_high, insn->size, data);
			*ret_write = source;
			return true;
		case DECODE_STORE:
			break;
		}
	} else if (insn->stos) {
		over = string_step(vcpu, REG_RDI, insn->size, insn->rep);
	}
	if (over) {
		backend->advance(vcpu, insn->length);
	}
	return false;
}

static void apic_access(struct vcpu *vcpu, const struct decode_insn *insn, uint32_t offset)
{
	uint64_t data = 0, write;

	if (insn->op == DECODE_STORE) {
		vlapic_write_mmio(vcpu, offset, (uint32_t)source_of(vcpu, insn));
		(void)mmio_step(vcpu, insn, false, 0, &write);
		return;
	}
	data = vlapic_read_mmio(vcpu, offset);
	if (mmio_step(vcpu, insn, true, data, &write)) {
		vlapic_write_mmio(vcpu, offset, (uint32_t)write);
		(void)mmio_step(vcpu, insn, false, 0, &write);
	}
}

void ioreq_mmio(struct vcpu *vcpu, uint64_t gpa)
{
	uint8_t bytes[DECODE_INSN_MAX];
	struct decode_insn *insn = &vcpu->ioreq.insn;
	struct backend_mode mode;
	size_t size;

	backend->mode(vcpu, &mode);
	size = gwalk_copy_in(vcpu->part, &mode, mode.cs_base + backend->read(vcpu, BACKEND_RIP),
			     bytes, sizeof(bytes));
	if (size == 0) {
		part_stop(vcpu, BH_STOP_FETCH, gpa);
		return;
	}
	if (decode_insn(bytes, size, mode.bits, insn) != 0) {
		part_stop(vcpu, BH_STOP_DECODE, gpa);
		return;
	}
	if ((gpa & ~(PAGE_SIZE - 1)) == VLAPIC_MMIO) {
		apic_access(vcpu, insn, gpa & (PAGE_SIZE - 1));
		return;
	}
	if (insn->op == DECODE_STORE) {
		issue(vcpu, BH_IOREQ_MMIO, BH_IOREQ_WRITE, gpa, insn->size, source_of(vcpu, insn));
	} else {
		issue(vcpu, BH_IOREQ_MMIO, BH_IOREQ_READ, gpa, insn->size, 0);
	}
}

void ioreq_finish(struct vcpu *vcpu)
{
	struct vcpu_ioreq *ioreq = &vcpu->ioreq;
	uint64_t write;

	if (!change_phase(vcpu, IOREQ_ANSWERED, IOREQ_NONE)) {
		return;
	}
	vcpu->state = VCPU_RUNNABLE;
	if (ioreq->request.type == BH_IOREQ_PIO) {
		finish_pio(vcpu);
	} else if (mmio_step(vcpu, &ioreq->insn, ioreq->request.dir == BH_IOREQ_READ, ioreq->answer,
			     &write)) {
		issue(vcpu, BH_IOREQ_MMIO, BH_IOREQ_WRITE, ioreq->request.addr, ioreq->insn.size,
		      write);
	}
}
