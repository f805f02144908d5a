"""A disk that refuses: tests/tools/nodisk.c in front of a secd."""
from __future__ import annotations

import errno

from .secd import SANITIZER_ENV


class Disk:
    """Of a secd that has not been started yet."""

    def __init__(self, lab, secd):
        self.control = lab.dir / lab.unique("nodisk")
        shim = secd.path.parent / "tools" / "nodisk.so"
        assert shim.exists(), f"no {shim}: make tools"
        asan = SANITIZER_ENV["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
        secd.env |= {"LD_PRELOAD": str(shim), "NODISK": str(self.control), "ASAN_OPTIONS": asan}

    def refuse(self, **calls: int) -> None:
        """pwritev=errno.ENOSPC, half=..., fdatasync=..., hang=0; see nodisk.c."""
        new = self.control.with_suffix(".new")
        new.write_text("".join(f"{call} {error}\n" for call, error in calls.items()))
        new.replace(self.control)

    def take(self) -> None:
        self.refuse()


def name(error: int) -> str:
    return errno.errorcode[error]
