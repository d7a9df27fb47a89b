/* SPDX-License-Identifier: Apache-2.0 */
/** The clear summary of a bundle as JSON. */
#ifndef VHD_BUNDLE_SUMMARY_H
#define VHD_BUNDLE_SUMMARY_H

#include "bundle.h"

#include <json-c/json.h>

/** NULL: no memory. The caller puts it. */
struct json_object *bundle_summary_to_json(const struct bundle_summary *summary);

/** Decodes untrusted text. Returns 0; -EOPNOTSUPP written by a newer engine: of *ret_summary only
 * name, engine and engine_format are there; -EBADMSG. */
VHD_MUST_CHECK int bundle_summary_decode(const void *untrusted, size_t size,
					 struct bundle_summary *ret_summary, struct why *why);

#endif
