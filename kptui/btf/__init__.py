"""BTF, the kernel's type information: functions, structures and enums as /sys/kernel/btf describes them."""

from kptui.btf.reader import Btf
from kptui.btf.types import VOID, Member, Type

__all__ = ["VOID", "Btf", "Member", "Type"]
