"""Records as JSON lines: one object a record, for jq, pandas and everything else that is no person.

ASCII only, so that no terminal, editor or transport can harm it: control bytes come out as ``\\u00XX``, bytes
that are no UTF-8 as ``\\udcXX`` (Python's surrogateescape, so that ``json.loads`` gives every byte back).
"""

from __future__ import annotations

import json

from kptui.events.model import Arg, Lost, Record, Ref, TraceEvent

# The C encoder where there is one; ensure_ascii also for lone surrogates.
_quote = json.encoder.encode_basestring_ascii


def _text(value: str | None) -> str:
    return "null" if value is None else _quote(value)


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)


def _ref(ref: Ref | None) -> str:
    if ref is None:
        return "null"
    return (
        f'{{"sym":{_text(ref.sym)},"off":{_number(ref.off)},"size":{_number(ref.size)},'
        f'"mod":{_text(ref.mod)},"addr":{_text(ref.addr)}}}'
    )


def _arg(arg: Arg) -> str:
    value = arg.value
    shown = f"[{','.join([_text(item) for item in value])}]" if isinstance(value, tuple) else _text(value)
    return f'{{"name":{_quote(arg.name)},"value":{shown},"type":"{arg.type}"}}'


def record_to_json(record: Record) -> str:
    """One JSON object without a newline.

    Events: kind, comm, pid, tgid, cpu, flags, ts, event, ip (entry probes; null where the body is no probe's)
    or ret_ip and func (return probes), args; then ``body`` where the body is no probe's, and ``mark`` where
    latency-format printed one. ``lost``: cpu, count, text. All others: text.
    """
    if isinstance(record, TraceEvent):
        return _event(record)
    if isinstance(record, Lost):
        count, text = _number(record.count), _quote(record.text)
        return f'{{"kind":"lost","cpu":{record.cpu},"count":{count},"text":{text}}}'
    return f'{{"kind":"{record.kind}","text":{_quote(record.text)}}}'


def _event(record: TraceEvent) -> str:
    if record.ret_ip is not None:
        place = f'"ret_ip":{_ref(record.ret_ip)},"func":{_text(record.func)}'
    else:
        place = f'"ip":{_ref(record.ip)}'
    body = "" if record.body is None else f',"body":{_quote(record.body)}'
    mark = "" if record.mark is None else f',"mark":{_quote(record.mark)}'
    return (
        f'{{"kind":"event","comm":{_quote(record.comm)},"pid":{record.pid},"tgid":{_number(record.tgid)},'
        f'"cpu":{record.cpu},"flags":{_text(record.flags)},"ts":{_quote(record.ts)},'
        f'"event":{_text(record.event or None)},{place},'
        f'"args":[{",".join([_arg(arg) for arg in record.args])}]{body}{mark}}}'
    )
