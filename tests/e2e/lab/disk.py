"""A disk that refuses: tests/tools/nodisk.c in front of a secd."""
from __future__ import annotations

from .secd import SANITIZER_ENV


def preload(secd, library: str, **env: str) -> None:
    """Start it with a library of tests/tools in front."""
    path = secd.path.parent / "tools" / f"{library}.so"
    assert path.exists(), f"no {path}: make tools"
    asan = SANITIZER_ENV["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
    secd.env |= {"LD_PRELOAD": str(path), "ASAN_OPTIONS": asan, **env}


class Disk:
    """Of a secd that has not been started yet."""

    def __init__(self, lab, secd):
        self.control = lab.dir / lab.unique("nodisk")
        preload(secd, "nodisk", NODISK=str(self.control))

    def refuse(self, **calls: int) -> None:
        """pwritev=errno.ENOSPC, half=..., fdatasync=..., hang=0; see nodisk.c."""
        new = self.control.with_suffix(".new")
        new.write_text("".join(f"{call} {error}\n" for call, error in calls.items()))
        new.replace(self.control)

    def take(self) -> None:
        self.refuse()
