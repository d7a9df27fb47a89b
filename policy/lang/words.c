/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the language, in the order of their numbers or bits. */
#include "words.h"

#include <string.h>

#define WORDS_OF(name, called, ...)                                                                \
	static const char *const list_##name[] = {__VA_ARGS__};                                    \
	const struct words words_##name = {called, sizeof(list_##name) / sizeof(list_##name[0]),   \
					   list_##name}

WORDS_OF(layer, "layer", "vendor", "it", "user");
WORDS_OF(verdict, "verdict", "deny", "ask", "allow");
WORDS_OF(kind, "kind of flow", "clipboard", "file", "link", "channel", "network", "usb", "camera",
	 "microphone", "sound", "capture", "print", "folder", "input", "display");
WORDS_OF(key, "property", "title", "colour", "pattern", "class", "order", "memory", "vcpus",
	 "cpu-weight", "cpu-cap", "cpu-guarantee", "cache", "doorbells", "back-ends", "disk-rate",
	 "network-rate", "disk", "device", "owns", "start", "after", "restart", "health", "run");
WORDS_OF(person, "person", "user", "admin", "it");
WORDS_OF(action, "action", "see", "start", "stop", "pause", "reset", "attach");
WORDS_OF(limit, "limit", "up", "rate", "count", "for", "quarantine", "read-only");
WORDS_OF(clipboard, "clipboard type", "text", "rich", "image", "files", "other");
WORDS_OF(file, "file type", "document", "image", "media", "archive", "program", "other");
WORDS_OF(link, "link type", "https", "http", "mailto", "other");
WORDS_OF(network, "network type", "tcp", "udp", "icmp");
WORDS_OF(pattern, "pattern", "plain", "stripes", "dots", "checks", "waves", "bars");
WORDS_OF(class, "class", "user", "limited", "it-only");
WORDS_OF(start, "start rule", "never", "manual", "boot");
WORDS_OF(backends, "place for back ends", "none", "control");
WORDS_OF(iommu, "IOMMU rule", "wanted", "required");
WORDS_OF(health, "health rule", "none", "ready");
WORDS_OF(disk, "disk flag", "read-only", "throw-away", "encrypted");
WORDS_OF(device, "device", "console", "entropy", "gpu", "keyboard", "pointer");
WORDS_OF(run, "condition", "mains", "idle");
WORDS_OF(claim, "assertion", "never", "only", "always");
WORDS_OF(size, "unit of size", "B", "KiB", "MiB", "GiB");
WORDS_OF(time, "unit of time", "s", "min", "h");
WORDS_OF(bus, "device", "pci", "usb", "keyboard", "pointer", "screen", "speaker");
WORDS_OF(statement, "statement", "policy", "include", "role", "zone", "carries", "group", "confirm",
	 "iommu", "partition", "never", "only", "always", "user", "admin", "it", "title", "colour",
	 "pattern", "class", "order", "memory", "vcpus", "cpu", "cache", "doorbells", "back-ends",
	 "disk", "network", "device", "owns", "start", "after", "restart", "health", "run");

const char *words_get(const struct words *words, uint32_t number)
{
	return number < words->count ? words->word[number] : NULL;
}

int words_find(const struct words *words, const char *word, size_t size)
{
	for (uint32_t i = 0; i < words->count; i++) {
		if (strlen(words->word[i]) == size && memcmp(words->word[i], word, size) == 0) {
			return (int)i;
		}
	}
	return -1;
}
