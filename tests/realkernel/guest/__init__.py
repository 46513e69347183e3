"""What runs inside the booted kernel: only the standard library, tmux and a shell are there for sure."""
