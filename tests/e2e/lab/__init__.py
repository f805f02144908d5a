"""The laboratory of the end-to-end tests: real peers, a scripted primary, and secd itself.

Each scenario gets a Lab: a private directory, ports that the kernel chose, processes that end
with it, and one printed seed. Scenarios poll with deadlines; none of them sleeps.
"""
from .core import Lab, LabError
from .logs import Line
from .peers import Primary
from .scripted import ScriptedPrimary
from .secd import Secd

__all__ = ["Lab", "LabError", "Line", "Primary", "ScriptedPrimary", "Secd"]
