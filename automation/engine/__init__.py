"""Runs one engine operation in one child process, and says in our terms how it ended."""
