"""Our own machine's side that is neither kernel nor screen: the clipboard, our files, the processes above
us.
"""
