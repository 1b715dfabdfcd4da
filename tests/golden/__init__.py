"""What each stack that comes with the project renders to, kept as files: <stack>/<machine>/<path in the container>."""
