/* SPDX-License-Identifier: Apache-2.0 */
/** The owner table: one byte per 4 KiB frame up to the end of RAM.
 *
 *  Invariant: a frame's byte changes only here, and RAM that held something is zeroed before it
 * does (pool frames remember whether they are clean). */
#include "mem/frames.h"

#include "dbg/check.h"
#include "lib/boot_info.h"
#include "lib/lock.h"
#include "lib/string.h"
#include "mem/image.h"

/* States besides the public owners; frame_owner hides them. */
#define STATE_HV_FREE	 3u
#define STATE_POOL_DIRTY 4u
#define STATE_KEPT	 5u /* only inside frames_reserve_pool */

/* The table of 32 GiB is half of root mode's memory; RAM above stays unused. */
#define TABLE_MAX_FRAMES (BIT(35) >> PAGE_SHIFT)

static uint8_t *owner;
static uint64_t frame_count;
static uint64_t window; /* FRAMES_HV_SIZE bytes of root mode's own, the owner table first */
static uint64_t hint;	/* frame number where frame_alloc looks first */
static struct spinlock lock;

/** Ranges that frames_reserve_pool made, so that partitions that come and go in any order fit
 * again. */
static struct {
	uint64_t base, size;
} slots[BH_PART_MAX];

static void set_state(uint64_t base, uint64_t end, uint8_t state)
{
	base = MIN(base, frame_count << PAGE_SHIFT);
	end = MIN(end, frame_count << PAGE_SHIFT);
	if (base < end) {
		memset(owner + (base >> PAGE_SHIFT), state, (end - base) >> PAGE_SHIFT);
	}
}

/** [base, end) is RAM by one entry of the map, and no other entry says something else. */
static bool is_ram(const struct boot_info *info, uint64_t base, uint64_t end)
{
	bool ram = false;

	for (uint32_t i = 0; i < info->map_count; i++) {
		const struct boot_mem *m = &info->map[i];

		if (m->type == BOOT_MEM_RAM) {
			ram |= m->base <= base && end <= m->base + m->size;
		} else if (m->base < end && base < m->base + m->size) {
			return false;
		}
	}
	return ram;
}

/** Highest place below 4 GiB, where the tables of the start end, with nothing but RAM; 0: none.
 *  Firmware keeps memory for itself anywhere, and the loader puts modules where it likes. */
static uint64_t find_window(const struct boot_info *info)
{
	uint64_t at = MIN(ALIGN_DOWN(frame_count << PAGE_SHIFT, PAGE_2M), BIT(32));

	while (at >= FRAMES_HV_SIZE + PAGE_2M) {
		uint64_t base = at - FRAMES_HV_SIZE;

		if (base >= image_layout().end && is_ram(info, base, at) &&
		    !boot_module_at(info, base, FRAMES_HV_SIZE)) {
			return base;
		}
		at -= PAGE_2M;
	}
	return 0;
}

/** Fills the table from the map; whatever is not RAM wins where entries overlap. */
static void fill_from_map(const struct boot_info *info)
{
	for (uint32_t i = 0; i < info->map_count; i++) {
		const struct boot_mem *m = &info->map[i];

		if (m->type == BOOT_MEM_RAM) {
			set_state(ALIGN_UP(m->base, PAGE_SIZE),
				  ALIGN_DOWN(m->base + m->size, PAGE_SIZE), STATE_POOL_DIRTY);
		}
	}
	for (uint32_t i = 0; i < info->map_count; i++) {
		const struct boot_mem *m = &info->map[i];

		if (m->type != BOOT_MEM_RAM) {
			set_state(ALIGN_DOWN(m->base, PAGE_SIZE),
				  ALIGN_UP(m->base + m->size, PAGE_SIZE), FRAME_ABSENT);
		}
	}
}

int frames_init(const struct boot_info *info)
{
	uint64_t image_end = image_layout().end;
	uint64_t top = 0, table_size;

	for (uint32_t i = 0; i < info->map_count; i++) {
		if (info->map[i].type == BOOT_MEM_RAM) {
			top = MAX(top, info->map[i].base + info->map[i].size);
		}
	}
	frame_count = MIN(top >> PAGE_SHIFT, TABLE_MAX_FRAMES);
	table_size = ALIGN_UP(frame_count, PAGE_SIZE);
	window = find_window(info);
	if (!is_ram(info, FRAMES_IMAGE, image_end) || !window) {
		boot_error = "too little memory: root mode needs RAM at 1 MiB, and 16 MiB in one "
			     "piece below 4 GiB";
		return BH_FAIL(BH_NOMEM);
	}
	owner = hpa_ptr(hpa(window));
	memset(owner, FRAME_ABSENT, table_size);
	fill_from_map(info);
	set_state(FRAMES_IMAGE, image_end, FRAME_HV);
	set_state(window, window + FRAMES_HV_SIZE, STATE_HV_FREE);
	set_state(window, window + table_size, FRAME_HV);
	hint = (window + table_size) >> PAGE_SHIFT;
	memset(slots, 0, sizeof(slots));
	return 0;
}

static uint64_t find_free(uint64_t from, uint64_t to, unsigned count)
{
	unsigned run = 0;

	for (uint64_t i = from; i < to; i++) {
		run = owner[i] == STATE_HV_FREE ? run + 1 : 0;
		if (run == count) {
			return i + 1 - count;
		}
	}
	return 0;
}

int frame_alloc_contig(unsigned count, hpa_t *ret)
{
	uint64_t begin = window >> PAGE_SHIFT;
	uint64_t end = (window + FRAMES_HV_SIZE) >> PAGE_SHIFT;
	uint64_t found;

	lock_acquire(&lock);
	found = find_free(hint, end, count);
	if (!found) {
		found = find_free(begin, end, count);
	}
	if (found) {
		memset(owner + found, FRAME_HV, count);
		hint = found + count;
	}
	lock_release(&lock);
	if (!found) {
		return BH_FAIL(BH_NOMEM);
	}
	*ret = hpa(found << PAGE_SHIFT);
	memset(hpa_ptr(*ret), 0, count * PAGE_SIZE);
	return 0;
}

int frame_alloc(hpa_t *ret)
{
	return frame_alloc_contig(1, ret);
}

void frame_free(hpa_t frame)
{
	uint64_t number = frame.v >> PAGE_SHIFT;

	BH_CHECK(frame.v >= window && frame.v < window + FRAMES_HV_SIZE &&
		 owner[number] == FRAME_HV);
	lock_acquire(&lock);
	owner[number] = STATE_HV_FREE;
	hint = MIN(hint, number);
	lock_release(&lock);
}

unsigned frame_owner(hpa_t frame)
{
	uint64_t number = frame.v >> PAGE_SHIFT;
	unsigned state = number < frame_count ? owner[number] : FRAME_ABSENT;

	switch (state) {
	case STATE_HV_FREE:
		return FRAME_HV;
	case STATE_POOL_DIRTY:
	case STATE_KEPT:
		return FRAME_POOL;
	default:
		return state;
	}
}

/** Every frame of the range has one of the two states. */
static bool range_is(uint64_t base, uint64_t size, unsigned state, unsigned other)
{
	uint64_t from = base >> PAGE_SHIFT, to = ALIGN_UP(base + size, PAGE_SIZE) >> PAGE_SHIFT;

	if (base + size < base || to > frame_count) {
		return false;
	}
	while (to > from) { /* from the end: find_pool comes from above */
		to--;
		if (owner[to] != state && owner[to] != other) {
			return false;
		}
	}
	return true;
}

/** Highest 2 MiB aligned place in [from, to) where nothing is but pool, or 0. */
static uint64_t find_pool(const struct boot_info *info, uint64_t from, uint64_t to, uint64_t size)
{
	uint64_t at;

	if (to < size) {
		return 0;
	}
	for (at = ALIGN_DOWN(to - size, PAGE_2M); at >= MAX(from, PAGE_2M); at -= PAGE_2M) {
		if (range_is(at, size, STATE_POOL_DIRTY, FRAME_POOL) &&
		    !boot_module_at(info, at, size)) {
			return at;
		}
	}
	return 0;
}

/** Gives all frames in state `from` the state `to`. */
static void convert(uint8_t from, uint8_t to)
{
	for (uint64_t i = 0; i < frame_count; i++) {
		if (owner[i] == from) {
			owner[i] = to;
		}
	}
}

int frames_reserve_pool(const struct boot_info *info, const uint64_t *sizes, unsigned count)
{
	uint64_t top = frame_count << PAGE_SHIFT;

	BH_CHECK(count <= BH_PART_MAX);
	for (unsigned i = 0; i < count; i++) {
		uint64_t at = 0;

		if (sizes[i] && IS_ALIGNED(sizes[i], PAGE_2M) && sizes[i] <= top) {
			at = find_pool(info, FRAMES_POOL, MIN(top, BIT(32)), sizes[i]);
			at = at ? at : find_pool(info, BIT(32), top, sizes[i]);
		}
		if (!at) {
			convert(STATE_KEPT, STATE_POOL_DIRTY);
			memset(slots, 0, sizeof(slots));
			boot_error = "too little memory for the partitions of the policy";
			return BH_FAIL(BH_NOMEM);
		}
		set_state(at, at + sizes[i], STATE_KEPT);
		slots[i].base = at;
		slots[i].size = sizes[i];
	}
	convert(STATE_POOL_DIRTY, FRAME_PART0 + BH_PART_CONTROL);
	convert(STATE_KEPT, STATE_POOL_DIRTY);
	return 0;
}

/** The partition's own reserved range, or another one of exactly this size, that is free; or 0. */
static uint64_t choose_range(uint64_t size, unsigned part)
{
	if (part && slots[part - 1].size >= size &&
	    range_is(slots[part - 1].base, size, FRAME_POOL, STATE_POOL_DIRTY)) {
		return slots[part - 1].base;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(slots); i++) {
		if (slots[i].size == size &&
		    range_is(slots[i].base, size, FRAME_POOL, STATE_POOL_DIRTY)) {
			return slots[i].base;
		}
	}
	return 0;
}

int frame_range_take(uint64_t size, unsigned part, hpa_t *ret)
{
	uint64_t base;
	bool clean;

	if (!size || !IS_ALIGNED(size, PAGE_2M) || part >= BH_PART_MAX) {
		return BH_FAIL(BH_INVAL);
	}
	lock_acquire(&lock);
	base = choose_range(size, part);
	clean = base && range_is(base, size, FRAME_POOL, FRAME_POOL);
	if (base) {
		set_state(base, base + size, (uint8_t)(FRAME_PART0 + part));
	}
	lock_release(&lock);
	if (!base) {
		return BH_FAIL(BH_NOMEM);
	}
	if (!clean) { /* takes long, and nobody else sees it yet */
		memset(hpa_ptr(hpa(base)), 0, size);
	}
	*ret = hpa(base);
	return 0;
}

void frame_range_release(hpa_t base, uint64_t size)
{
	unsigned part = frame_owner(base);

	BH_CHECK(part >= FRAME_PART0 && range_is(base.v, size, part, part));
	memset(hpa_ptr(base), 0, size);
	lock_acquire(&lock);
	set_state(base.v, base.v + size, FRAME_POOL);
	lock_release(&lock);
}

bool frame_range_owned(hpa_t base, uint64_t size, unsigned part)
{
	return size && part < BH_PART_MAX &&
	       range_is(base.v, size, FRAME_PART0 + part, FRAME_PART0 + part);
}

bool frame_run_next(uint64_t *base, uint64_t *ret_size, unsigned *ret_owner)
{
	uint64_t from = *base >> PAGE_SHIFT, to = from;

	if (from >= frame_count) {
		return false;
	}
	*ret_owner = frame_owner(hpa(*base));
	while (to < frame_count && frame_owner(hpa(to << PAGE_SHIFT)) == *ret_owner) {
		uint8_t state = owner[to];

		do { /* most neighbours have the very same state */
			to++;
		} while (to < frame_count && owner[to] == state);
	}
	*base = from << PAGE_SHIFT;
	*ret_size = (to - from) << PAGE_SHIFT;
	return true;
}

uint64_t frames_top(void)
{
	return frame_count << PAGE_SHIFT;
}

uint64_t frames_hv_used(void)
{
	uint64_t used = image_layout().end - FRAMES_IMAGE;

	for (uint64_t pa = window; pa < window + FRAMES_HV_SIZE; pa += PAGE_SIZE) {
		used += owner[pa >> PAGE_SHIFT] == FRAME_HV ? PAGE_SIZE : 0;
	}
	return used;
}
