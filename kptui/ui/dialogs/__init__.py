"""Screens on top of the workspace: menus, the filter builder, the process picker, text on the whole screen."""
