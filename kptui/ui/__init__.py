"""The screen: the only room that imports textual.

``app`` owns the world (session, symbols, captured events) and runs the commands; ``workspace`` lays the panes out;
``panes`` draw themselves on the line API and take their own keys; ``dialogs`` are single-pane screens on top.
Everything a user can do is one row of ``commands``, from which keys, footer, palette, help and README come.
"""
