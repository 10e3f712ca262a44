"""For who works on the project: set-up (bootstrap), machine (doctor), style (checks), speed (bench), odd
answers (fuzz), wheel_files.

Each is a module of its own, imported by name: a doctor must work where a benchmark's packages are missing.
"""

__all__ = ["bench", "bootstrap", "checks", "doctor", "fuzz", "wheel_files"]
