/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs: what the help, the completion and the manual page name. */
#include "tool_verbs.h"

#include "vhd_snapshot.h"

#include <stddef.h>

const struct tool_verb tool_verbs[] = {
	{.name = "create",
	 .arguments = "DISK",
	 .help = "make an empty disk",
	 .details = "Makes the image DISK. It grows with what is written, unless --fixed. With "
		    "--parent\n"
		    "it holds only what differs from another image in the same folder.\n"
		    "\n"
		    "  bulkhead vhd create --size 20G desktop.vhd\n"
		    "  bulkhead vhd create --size 20G --encrypt desktop.vhd\n"
		    "  bulkhead vhd create --parent base.vhd desktop.vhd",
	 .least = 1,
	 .most = 1,
	 .flags = TOOL_SECRET,
	 .options = tool_create_options,
	 .run = tool_create},
	{.name = "info",
	 .arguments = "DISK",
	 .help = "show what a disk is and what it stands on",
	 .details =
		 "Shows the chain of images, their sizes, what is allocated, encryption and key\n"
		 "slots, the manifest. Needs no passphrase; works while the disk is in use.\n"
		 "\n"
		 "  bulkhead vhd info desktop.vhd",
	 .least = 1,
	 .most = 1,
	 .run = tool_info},
	{.name = "check",
	 .arguments = "DISK...",
	 .help = "say all that is wrong with an image; changes nothing",
	 .details = "Looks at headers, block table and bitmaps. Exit code 0: in order; 3: repair "
		    "puts it\n"
		    "right; 4: something is lost. --encrypted fails when the disk is not "
		    "encrypted\n"
		    "throughout; it needs no passphrase.\n"
		    "\n"
		    "  bulkhead vhd check --chain desktop.vhd",
	 .least = 1,
	 .most = 64,
	 .flags = TOOL_LONG,
	 .options = tool_check_options,
	 .run = tool_check},
	{.name = "repair",
	 .arguments = "DISK",
	 .help = "put right what check found",
	 .details = "Says first what it will do. Nothing is overwritten that is not proven wrong; "
		    "what\n"
		    "cannot be saved is named.\n"
		    "\n"
		    "  bulkhead vhd repair --dry-run desktop.vhd",
	 .least = 1,
	 .most = 1,
	 .flags = TOOL_YES | TOOL_LONG,
	 .resume = "interrupted; the image is as repairable as before: run repair again",
	 .options = tool_repair_options,
	 .run = tool_repair},
	{.name = "convert",
	 .arguments = "SOURCE TARGET",
	 .help = "from and to raw, qcow2, VHDX, VMDK, VDI",
	 .details = "Copies the disk SOURCE into the new image TARGET, leaving out what is zero. A "
		    "VHD\n"
		    "with parents becomes one image. Other formats are read and written by qemu, "
		    "which\n"
		    "is confined to the one file; images that name other files are refused.\n"
		    "\n"
		    "  bulkhead vhd convert windows.qcow2 windows.vhd\n"
		    "  bulkhead vhd convert --encrypt windows.vhdx windows.vhd\n"
		    "  bulkhead vhd convert desktop.vhd desktop.raw",
	 .least = 2,
	 .most = 2,
	 .flags = TOOL_SECRET | TOOL_LONG,
	 .resume = "interrupted; the source is untouched and nothing of the target is left: run "
		   "convert "
		   "again",
	 .options = tool_convert_options,
	 .run = tool_convert},
	{.name = "resize",
	 .arguments = "DISK",
	 .help = "make the disk larger or smaller",
	 .details = "Sets the size that the guest sees. The partitions and file systems inside "
		    "stay as\n"
		    "they are: enlarge them in the guest afterwards, shrink them there before.\n"
		    "\n"
		    "  bulkhead vhd resize --size 40G desktop.vhd",
	 .least = 1,
	 .most = 1,
	 .flags = TOOL_YES,
	 .options = tool_resize_options,
	 .run = tool_resize},
	{.name = "snapshot",
	 .arguments = "DISK...",
	 .help = "keep the state of now; several disks at one instant",
	 .details = "DISK keeps its name and goes on; what it holds now stays in NAME.TAG.vhd "
		    "beside it.\n"
		    "Several disks of one folder get the snapshot together or not at all.\n"
		    "\n"
		    "  bulkhead vhd snapshot --tag before-update desktop.vhd data.vhd\n"
		    "  bulkhead vhd snapshot --list desktop.vhd",
	 .least = 1,
	 .most = VHD_SNAPSHOT_SET_MAX,
	 .options = tool_snapshot_options,
	 .run = tool_snapshot},
	{.name = "revert",
	 .arguments = "DISK...",
	 .help = "go back to a snapshot",
	 .details = "What was written since is put aside until the next revert; --undo brings it "
		    "back.\n"
		    "\n"
		    "  bulkhead vhd revert --to before-update desktop.vhd\n"
		    "  bulkhead vhd revert --undo desktop.vhd",
	 .least = 1,
	 .most = VHD_SNAPSHOT_SET_MAX,
	 .flags = TOOL_YES,
	 .options = tool_revert_options,
	 .run = tool_revert},
	{.name = "commit",
	 .arguments = "DISK...",
	 .help = "merge a disk into the snapshot it stands on",
	 .details = "The disk reads the same afterwards, with one image less to stand on.\n"
		    "\n"
		    "  bulkhead vhd commit desktop.vhd",
	 .least = 1,
	 .most = VHD_SNAPSHOT_SET_MAX,
	 .flags = TOOL_YES | TOOL_LONG,
	 .resume = "interrupted; the disk reads as before: run commit again to end it",
	 .run = tool_commit},
	{.name = "flatten",
	 .arguments = "DISK TARGET",
	 .help = "copy a disk with all its parents into one image",
	 .details = "TARGET stands alone; DISK stays as it is. An encrypted disk stays encrypted.\n"
		    "\n"
		    "  bulkhead vhd flatten desktop.vhd stick/desktop.vhd",
	 .least = 2,
	 .most = 2,
	 .flags = TOOL_LONG,
	 .resume = "interrupted; the disk is untouched and nothing of the target is left: run "
		   "flatten "
		   "again",
	 .options = tool_flatten_options,
	 .run = tool_flatten},
	{.name = "rebase",
	 .arguments = "DISK",
	 .help = "put a disk on another parent; it reads the same",
	 .details = "Copies into DISK what differs between its old parent and the new one.\n"
		    "\n"
		    "  bulkhead vhd rebase --parent base-2.vhd desktop.vhd",
	 .least = 1,
	 .most = 1,
	 .flags = TOOL_LONG,
	 .resume = "interrupted; the disk reads as before, over its old parent: run rebase again",
	 .options = tool_rebase_options,
	 .run = tool_rebase},
	{.name = "encrypt",
	 .arguments = "DISK",
	 .help = "encrypt a disk that is not",
	 .details =
		 "By LUKS2; stock cryptsetup opens it too. The new encrypted image takes the name\n"
		 "when it is whole.\n"
		 "\n"
		 "  bulkhead vhd encrypt desktop.vhd",
	 .least = 1,
	 .most = 1,
	 .flags = TOOL_SECRET | TOOL_YES | TOOL_LONG,
	 .resume = "interrupted; the disk is as it was, not encrypted: run encrypt again and it "
		   "goes on",
	 .options = tool_encrypt_options,
	 .run = tool_encrypt},
	{.name = "rekey",
	 .arguments = "DISK",
	 .help = "encrypt a disk again with a new key",
	 .details = "After a passphrase has leaked: who kept a copy of the old header cannot read "
		    "what\n"
		    "is on the disk from now on. Can be interrupted, and goes on where it was.\n"
		    "\n"
		    "  bulkhead vhd rekey desktop.vhd",
	 .least = 1,
	 .most = 1,
	 .flags = TOOL_SECRET | TOOL_YES | TOOL_LONG,
	 .resume = "interrupted; the disk is as it was, under its old key: run rekey again and it "
		   "goes on",
	 .options = tool_rekey_options,
	 .run = tool_rekey},
	{.name = "key list",
	 .arguments = "DISK",
	 .help = "show what opens a disk",
	 .details = "  bulkhead vhd key list desktop.vhd",
	 .least = 1,
	 .most = 1,
	 .run = tool_key_list},
	{.name = "key add",
	 .arguments = "DISK",
	 .help = "let another passphrase open it",
	 .details = "  bulkhead vhd key add desktop.vhd",
	 .least = 1,
	 .most = 1,
	 .flags = TOOL_SECRET,
	 .options = tool_key_add_options,
	 .run = tool_key_add},
	{.name = "key recovery",
	 .arguments = "DISK",
	 .help = "make a recovery key to print and lock away",
	 .details = "A key that the machine chooses, with check letters that catch typing errors. "
		    "It is\n"
		    "shown once.\n"
		    "\n"
		    "  bulkhead vhd key recovery desktop.vhd",
	 .least = 1,
	 .most = 1,
	 .flags = TOOL_SECRET,
	 .options = tool_key_recovery_options,
	 .run = tool_key_recovery},
	{.name = "key change",
	 .arguments = "DISK",
	 .help = "put a new passphrase in the place of an old one",
	 .details = "  bulkhead vhd key change desktop.vhd",
	 .least = 1,
	 .most = 1,
	 .flags = TOOL_SECRET,
	 .options = tool_key_change_options,
	 .run = tool_key_change},
	{.name = "key remove",
	 .arguments = "DISK",
	 .help = "let a passphrase open it no more",
	 .details = "An older copy of the disk still opens with it; rekey is the way when it has "
		    "leaked.\n"
		    "\n"
		    "  bulkhead vhd key remove --slot 1 desktop.vhd",
	 .least = 1,
	 .most = 1,
	 .flags = TOOL_YES,
	 .options = tool_key_remove_options,
	 .run = tool_key_remove},
	{.name = "export",
	 .arguments = "DISK [FOLDER|-]",
	 .help = "write a desktop, or what changed in it, for another PC",
	 .details =
		 "Writes NAME.bundle to FOLDER (a stick) or to a pipe. The disk is handed over: it "
		 "is\n"
		 "not started here again until it comes back, unless --copy. A stick pulled early\n"
		 "holds nothing or a whole bundle; the next export to it goes on.\n"
		 "\n"
		 "  bulkhead vhd export desktop.vhd /media/stick\n"
		 "  bulkhead vhd export --copy desktop.vhd - | ssh pc2 bulkhead vhd import -",
	 .least = 1,
	 .most = 2,
	 .flags = TOOL_SECRET | TOOL_LONG,
	 .resume = "interrupted; the disk is still here, and what is on the stick is no bundle "
		   "yet: run "
		   "export again and it goes on",
	 .options = tool_export_options,
	 .run = tool_export},
	{.name = "import",
	 .arguments = "BUNDLE|- [FOLDER]",
	 .help = "say whether a desktop will run here, and take it in",
	 .details = "Says first, without any passphrase, what this PC lacks. Nothing that is in "
		    "FOLDER\n"
		    "(default: the current one) is overwritten.\n"
		    "\n"
		    "  bulkhead vhd import --check /media/stick/desktop.bundle\n"
		    "  bulkhead vhd import /media/stick/desktop.bundle",
	 .least = 0,
	 .most = 2,
	 .flags = TOOL_SECRET | TOOL_LONG,
	 .resume = "interrupted; the disk is as it was: run import with the same bundle and it "
		   "goes on",
	 .options = tool_import_options,
	 .run = tool_import},
	{.name = "mount",
	 .arguments = "[DISK FOLDER]",
	 .help = "look into a disk as into a folder",
	 .details = "Shows the files of a disk that no guest uses; needs no root, and writes "
		    "nothing.\n"
		    "Without arguments: what is mounted.\n"
		    "\n"
		    "  bulkhead vhd mount desktop.vhd files\n"
		    "  bulkhead vhd umount files",
	 .least = 0,
	 .most = 2,
	 .flags = TOOL_SECRET,
	 .options = tool_mount_options,
	 .run = tool_mount},
	{.name = "umount",
	 .arguments = "FOLDER|DISK",
	 .help = "end a mount",
	 .details = "  bulkhead vhd umount files",
	 .least = 1,
	 .most = 1,
	 .run = tool_umount},
	{.name = "scan",
	 .arguments = "DISK",
	 .help = "search the files of a disk for viruses",
	 .details =
		 "By clamscan, over each partition that can be read here, all of it confined and\n"
		 "without network. Exit code 0: clean; 7: found something.\n"
		 "\n"
		 "  bulkhead vhd scan desktop.vhd",
	 .least = 1,
	 .most = 1,
	 .flags = TOOL_SECRET,
	 .options = tool_scan_options,
	 .run = tool_scan},
	{.name = "bench",
	 .arguments = "DISK",
	 .help = "measure how fast a disk is here",
	 .details = "Reads only. CPU microseconds per request are the figure to compare: the rest "
		    "depends\n"
		    "on what else the machine does.\n"
		    "\n"
		    "  bulkhead vhd bench desktop.vhd",
	 .least = 1,
	 .most = 1,
	 .flags = TOOL_SECRET,
	 .options = tool_bench_options,
	 .run = tool_bench},
	{.name = "seal",
	 .arguments = "DISK",
	 .help = "sign what a disk holds, so that a change shows",
	 .details = "Writes the manifest NAME.manifest and the tree of hashes beside the image. "
		    "From then\n"
		    "on a changed sector is refused when it is read.\n"
		    "\n"
		    "  bulkhead vhd seal --sign-key it.key desktop.vhd",
	 .least = 1,
	 .most = 1,
	 .flags = TOOL_LONG,
	 .resume = "interrupted; the manifest is the old one: run seal again",
	 .options = tool_seal_options,
	 .run = tool_seal},
	{.name = "verify",
	 .arguments = "DISK",
	 .help = "read all of a sealed disk and check it",
	 .details = "Says whether the manifest is signed by the key given, and whether every "
		    "sector is as\n"
		    "it was sealed.\n"
		    "\n"
		    "  bulkhead vhd verify --trusted-key it.pub desktop.vhd",
	 .least = 1,
	 .most = 1,
	 .flags = TOOL_LONG,
	 .options = tool_verify_options,
	 .run = tool_verify},
	{.name = "create-fixed",
	 .arguments = "RAW VHD",
	 .help = "make a fixed VHD from a raw image",
	 .details = "Copies the raw disk image RAW to VHD and adds a footer. The virtual size is "
		    "that\n"
		    "of RAW, rounded up to a multiple of 2 MiB. Holes stay holes.\n"
		    "\n"
		    "  bulkhead vhd create-fixed --size 1G disk.raw disk.vhd",
	 .least = 2,
	 .most = 2,
	 .flags = TOOL_HIDDEN,
	 .options = tool_fixed_options,
	 .run = tool_fixed},
	{.name = NULL},
};
