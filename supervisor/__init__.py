"""pidone: a process supervisor that can be PID 1."""

__version__ = "0.1.0"
