"""Zones that change as they are told to, a secd that saves them on a disk that refuses as it is told to, and
another that looks at what was saved."""
from __future__ import annotations

from . import state
from .disk import Disk
from .stream import Stream, Zone


class Kept:
    def __init__(self, lab, small: int, still: int, **opts):
        """So many small zones beside a middle and a big one, and so many that do not change."""
        zones = [Zone(f"z{i}.test.", 8, 1) for i in range(small)]
        zones += [Zone("middle.test.", 600, 10, 100), Zone("big.test.", 4400, 11, 1000)]
        unmoved = [Zone(f"still{i}.test.", 6, 1, refresh=1) for i in range(still)]
        opts["group_opts"] = {"min-refresh": 1, "min-retry": 1}
        self.lab = lab
        self.stream = Stream(lab, zones, unmoved, lab.seed)
        self.secd = lab.secd(dict.fromkeys(self.stream.zones, [self.stream.primary]),
                             start=False, **opts)
        self.alone = state.alone(lab, self.secd, **opts)
        self.disk = Disk(lab, self.secd)
        self.disk.take()

    def change(self, by: int = 1) -> None:
        """Each zone that moves is served so many versions later."""
        for apex in self.stream.moving:
            self.stream.serials[apex] += by
        self.secd.ctl("refresh", *self.stream.moving)
        for apex in self.stream.zones:
            self.secd.wait_serial(apex, self.stream.serials[apex], 20 * self.secd.slow)

    def saved(self) -> bool:
        return all(self.secd.ctl_json("zone", apex)["held"]["saved"] for apex in self.stream.zones)

    def wait_saved(self, deadline_s: float) -> None:
        self.lab.wait(self.saved, deadline_s * self.secd.slow, "all is saved")
