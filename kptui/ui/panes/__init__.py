"""The four panes of the workspace: symbols, the probe editor, the probes list, the events."""
