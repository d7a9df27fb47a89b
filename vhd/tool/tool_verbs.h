/* SPDX-License-Identifier: Apache-2.0 */
/** The functions behind the verbs, and their options. Each returns an exit code (tool.h). */
#ifndef VHD_TOOL_VERBS_H
#define VHD_TOOL_VERBS_H

#include "tool.h"

extern const struct tool_option tool_bench_options[], tool_check_options[], tool_convert_options[],
	tool_create_options[], tool_encrypt_options[], tool_export_options[], tool_fixed_options[],
	tool_flatten_options[], tool_import_options[], tool_key_add_options[],
	tool_key_change_options[], tool_key_recovery_options[], tool_key_remove_options[],
	tool_mount_options[], tool_rebase_options[], tool_rekey_options[], tool_repair_options[],
	tool_resize_options[], tool_revert_options[], tool_scan_options[], tool_seal_options[],
	tool_snapshot_options[], tool_verify_options[];

int tool_bench(struct tool *tool, char **arguments, unsigned count);
int tool_check(struct tool *tool, char **arguments, unsigned count);
int tool_commit(struct tool *tool, char **arguments, unsigned count);
int tool_convert(struct tool *tool, char **arguments, unsigned count);
int tool_create(struct tool *tool, char **arguments, unsigned count);
int tool_encrypt(struct tool *tool, char **arguments, unsigned count);
int tool_export(struct tool *tool, char **arguments, unsigned count);
int tool_fixed(struct tool *tool, char **arguments, unsigned count);
int tool_flatten(struct tool *tool, char **arguments, unsigned count);
int tool_import(struct tool *tool, char **arguments, unsigned count);
int tool_info(struct tool *tool, char **arguments, unsigned count);
int tool_key_add(struct tool *tool, char **arguments, unsigned count);
int tool_key_change(struct tool *tool, char **arguments, unsigned count);
int tool_key_list(struct tool *tool, char **arguments, unsigned count);
int tool_key_recovery(struct tool *tool, char **arguments, unsigned count);
int tool_key_remove(struct tool *tool, char **arguments, unsigned count);
int tool_mount(struct tool *tool, char **arguments, unsigned count);
int tool_rebase(struct tool *tool, char **arguments, unsigned count);
int tool_rekey(struct tool *tool, char **arguments, unsigned count);
int tool_repair(struct tool *tool, char **arguments, unsigned count);
int tool_resize(struct tool *tool, char **arguments, unsigned count);
int tool_revert(struct tool *tool, char **arguments, unsigned count);
int tool_scan(struct tool *tool, char **arguments, unsigned count);
int tool_seal(struct tool *tool, char **arguments, unsigned count);
int tool_snapshot(struct tool *tool, char **arguments, unsigned count);
int tool_umount(struct tool *tool, char **arguments, unsigned count);
int tool_verify(struct tool *tool, char **arguments, unsigned count);

/** "fixed", "dynamic", "differencing" from a type of vhd_footer.h. */
const char *tool_type_word(int type);

#endif
