"""The kernel that texts are judged for: this machine's, another one's from its files, or the newest known."""
