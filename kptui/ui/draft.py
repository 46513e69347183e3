"""The probe being written: one value, the line, seen as rows or as text.

A draft never writes anything: the editor shows it, the check judges it, the session defines it. Rows come from the
parsed line; a line that doesn't parse can still be edited, judged and sent as text.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache

from kptui.probes.abi import ARGUMENT_REGISTERS
from kptui.probes.definition import Kind, Place, Probe, parse_place, parse_probe
from kptui.probes.errors import ProbeSyntaxError
from kptui.probes.exprs import BtfPath, Deref, Expr, FetchArg, Register, Retval, Stack, StackEntry
from kptui.probes.fetch import parse_fetcharg
from kptui.probes.names import default_event_name
from kptui.probes.suggest import Suggestion, suggestions
from kptui.probes.variants import variants


@dataclass(frozen=True, slots=True)
class Draft:
    """``line`` is the definition as it would be written; ``replacing`` the (group, event) that it replaces."""

    line: str
    replacing: tuple[str, str] | None = None

    @property
    def probe(self) -> Probe | None:
        """The line as a value, or None where it is no well-formed definition of a kernel probe."""
        return _parsed(self.line)

    def offers(self) -> tuple[Suggestion, ...]:
        """What can be read at the place of this probe."""
        probe = self.probe
        return suggestions(probe.place, probe.kind) if probe else ()

    def taken(self, offer: Suggestion) -> int | None:
        """The index of the argument that reads what ``offer`` offers, under any name and type."""
        probe = self.probe
        if probe is None:
            return None
        own = [form for form in (offer.arg, offer.native) if form is not None]
        exact = {str(replace(form, name=None)) for form in own}
        forms = exact | {str(replace(form, name=None)) for one in own for form in variants(one)}
        for wanted in (exact, forms):
            for index, arg in enumerate(probe.args):
                if str(replace(arg, name=None)) in wanted and (arg.name == offer.arg.name or wanted is exact):
                    return index
        return None

    # Each change gives a new draft; None where it doesn't apply.

    def of(self, probe: Probe) -> Draft:
        return replace(self, line=str(probe))

    def toggle_kind(self, taken: Collection[str]) -> Draft | None:
        """The same place as the other kind; what was read from entry registers goes, since it is gone at return."""
        probe = self.probe
        if probe is None:
            return None
        kind: Kind = "r" if probe.kind == "p" else "p"
        kept = tuple(arg for arg in probe.args if not _is_gone(arg.expr, kind))
        event = probe.event
        symbol = probe.place.symbol or ""
        if self.replacing is None and (event is None or event == default_event_name(symbol, probe.kind, ())):
            event = default_event_name(symbol, kind, taken)
        maxactive = probe.maxactive if kind == "r" else None
        return self.of(replace(probe, kind=kind, args=kept, event=event, maxactive=maxactive))

    def with_name(self, text: str) -> Draft | None:
        """``group/event`` or ``event`` as typed; an empty text leaves the name to the kernel."""
        probe = self.probe
        if probe is None:
            return None
        group, slash, event = text.strip().rpartition("/")
        return self.of(replace(probe, group=(group or None) if slash else probe.group, event=event or None))

    def with_place(self, text: str) -> Draft | None:
        probe = self.probe
        if probe is None:
            return None
        place, returns = parse_place(text.strip())
        return self.of(replace(probe, place=place, kind="r" if returns else probe.kind))

    def with_maxactive(self, text: str) -> Draft | None:
        """A number of concurrent calls, or '' for the kernel's default. Raises ProbeSyntaxError for anything else."""
        probe = self.probe
        if probe is None:
            return None
        text = text.strip()
        if text and not text.isdecimal():
            raise ProbeSyntaxError("Invalid maxactive number: 1 to 4096, or empty for the default", 0)
        return self.of(replace(probe, maxactive=int(text) if text else None))

    def with_arg(self, index: int, text: str) -> Draft | None:
        """Argument ``index`` as typed; the index after the last adds one; an empty text removes it."""
        probe = self.probe
        if probe is None:
            return None
        args = list(probe.args)
        if not text.strip():
            del args[index : index + 1]
        else:
            args[index : index + 1] = [parse_fetcharg(text.strip())]
        return self.of(replace(probe, args=tuple(args)))

    def set_arg(self, index: int, arg: FetchArg) -> Draft | None:
        probe = self.probe
        if probe is None:
            return None
        return self.of(replace(probe, args=(*probe.args[:index], arg, *probe.args[index + 1 :])))

    def take(self, offer: Suggestion, *, native: bool = False) -> Draft | None:
        """Take an offer, or give it back when it is taken; ``native``: in the kernel's own words, if it has some."""
        probe = self.probe
        if probe is None:
            return None
        index = self.taken(offer)
        if index is not None:
            return self.with_arg(index, "")
        arg = offer.native if native and offer.native is not None else offer.arg
        if arg.name is not None:
            arg = replace(arg, name=_free_name(arg.name, {a.name for a in probe.args if a.name}))
        return self.of(replace(probe, args=(*probe.args, arg)))

    def move_arg(self, index: int, step: int) -> Draft | None:
        probe = self.probe
        if probe is None or not 0 <= index + step < len(probe.args):
            return None
        args = list(probe.args)
        args.insert(index + step, args.pop(index))
        return self.of(replace(probe, args=tuple(args)))

    def cycle_arg(self, index: int, step: int) -> Draft | None:
        """The same source read as its next form: another type, a string behind it …"""
        probe = self.probe
        if probe is None:
            return None
        arg = probe.args[index]
        forms = variants(arg)
        texts = [str(form) for form in forms]
        if not forms:
            return None
        at = texts.index(str(arg)) if str(arg) in texts else -step
        return self.set_arg(index, forms[(at + step) % len(forms)])


def _is_gone(expr: Expr, kind: Kind) -> bool:
    """Whether what an argument starts from is gone in a probe of the other ``kind``: arguments, or the result."""
    while isinstance(expr, Deref):
        expr = expr.expr
    if isinstance(expr, BtfPath):
        return (expr.root == "$retval") is (kind == "p")
    if kind == "p":
        return isinstance(expr, Retval)
    return isinstance(expr, StackEntry | Stack) or (
        isinstance(expr, Register) and expr.name in ARGUMENT_REGISTERS
    )


@lru_cache(maxsize=64)
def _parsed(line: str) -> Probe | None:
    try:
        return parse_probe(line)
    except ProbeSyntaxError:
        return None


def _free_name(name: str, used: Collection[str]) -> str:
    candidate, number = name, 2
    while candidate in used:
        candidate = f"{name[:29]}{number}"
        number += 1
    return candidate


def new_draft(place: Place, kind: str, group: str, taken: Collection[str]) -> Draft:
    """A draft for a place chosen in the symbol list. ``taken`` are the event names of the group."""
    chosen: Kind = "r" if kind == "r" else "p"
    event = default_event_name(place.symbol or "probe", chosen, taken)
    return Draft(str(Probe(kind=chosen, place=place, group=group, event=event)))
