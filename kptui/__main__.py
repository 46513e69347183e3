"""``python -m kptui``."""

from kptui.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
