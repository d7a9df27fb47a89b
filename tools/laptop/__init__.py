# SPDX-License-Identifier: Apache-2.0
"""The emulated laptop: its images, its disk, its emulator and the check that uses it."""
