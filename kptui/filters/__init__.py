"""The event filter language: parse, print, check against an event's fields, run over captured events.

The kernel's parser has its own idea of carets and error numbers, and a wrong text written to a filter file
leaves the event unfiltered. So the whole judgement is made here, before anything is written.
"""

from kptui.filters.build import TooManyPids, expand_group, group_summary, pid_filter
from kptui.filters.check import check_filter, filter_file, is_clear
from kptui.filters.evaluate import VIEW_FIELDS, compile_filter, view_check
from kptui.filters.features import ALL_FEATURES, features_from_btf_names, features_from_release
from kptui.filters.fields import FilterField, field_table, fields_of
from kptui.filters.parser import FilterSyntaxError, parse_filter
from kptui.filters.rows import Row, from_rows, row_at, to_rows, typed_value
from kptui.filters.syntax import (
    And,
    CpuList,
    FilterExpr,
    Function,
    Not,
    Number,
    Or,
    Predicate,
    String,
    predicates,
)

__all__ = [
    "ALL_FEATURES",
    "VIEW_FIELDS",
    "And",
    "CpuList",
    "FilterExpr",
    "FilterField",
    "FilterSyntaxError",
    "Function",
    "Not",
    "Number",
    "Or",
    "Predicate",
    "Row",
    "String",
    "TooManyPids",
    "check_filter",
    "compile_filter",
    "expand_group",
    "features_from_btf_names",
    "features_from_release",
    "field_table",
    "fields_of",
    "filter_file",
    "from_rows",
    "group_summary",
    "is_clear",
    "parse_filter",
    "pid_filter",
    "predicates",
    "row_at",
    "to_rows",
    "typed_value",
    "view_check",
]
