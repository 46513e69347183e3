"""Probe definitions: the fetch-argument language, the probe around it, the x86-64 ABI and what to suggest
from it.

Everything here works on text and values; whether a running kernel takes a line is asked of ``check``.
"""
