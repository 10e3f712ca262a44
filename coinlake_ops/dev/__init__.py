"""For who works on the project: set-up (bootstrap), machine (doctor), style (checks), speed (bench), odd
answers (fuzz), runs that are killed (crash; what they leave: lake_contents), wheel_files.

Each is a module of its own, imported by name: a doctor must work where a benchmark's packages are missing.
"""

__all__ = ["bench", "bootstrap", "checks", "crash", "doctor", "fuzz", "lake_contents", "wheel_files"]
