"""What the kernel would say of a probe definition before it is written: verdict, message, caret, errno.

The kernel parses in one pass over raw words with its own oddities, so that this follows the raw text as the
kernel cuts it and not the syntax tree of ``fetch``.
"""

from kptui.probes.check.run import check_definition
from kptui.probes.check.sentences import sentence_for
from kptui.probes.check.target import Copy, Target, features_of

__all__ = ["Copy", "Target", "check_definition", "features_of", "sentence_for"]
