# SPDX-License-Identifier: Apache-2.0
"""Where things are. Everything that is made lies under out/; what can be reused under the cache."""
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = Path(os.environ.get("BULKHEAD_OUT", ROOT / "out"))
CACHE = Path(os.environ.get("BULKHEAD_CACHE", OUT / "cache"))
BUILD = Path(os.environ.get("BULKHEAD_BUILD", ROOT / "build"))
IMAGES = ROOT / "partitions" / "images"
DEFS = ROOT / "partitions" / "defs"

# Times inside images: fixed, so that the same input gives the same bytes. 2025-11-21 12:00 UTC.
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "1763726400"))
