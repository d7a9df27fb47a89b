/* SPDX-License-Identifier: Apache-2.0 */
/** Root mode up to the first entry, over the fake CPU that the environment asks for:
 * BH_FAKE_CPU=svm, else VT-x. For tests of what is the same on both; tests/meson.build runs them
 * twice. */
#ifndef BH_TESTS_FAKES_ROOT_MODE_H
#define BH_TESTS_FAKES_ROOT_MODE_H

#include <stdint.h>

struct vcpu;

/** What fails leaves parts[0].policy NULL. */
void root_mode_start(void);
void root_mode_stop(void);
/** A hypercall with its first three arguments, as the exit of this vcpu makes it. Returns RAX. */
int64_t root_mode_call(struct vcpu *vcpu, uint64_t number, uint64_t a, uint64_t b, uint64_t c);

#endif
