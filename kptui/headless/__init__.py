"""Commands for scripts: files and standard input in, text or JSON lines out, an exit status. No screen."""
