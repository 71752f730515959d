"""Benchmarks: hardwork against the standard library of the same interpreter, alternating in one run.

`python -m bench [NAME...] [--quick] [--whole] [--json FILE]`. One workload a file; each has `run(settings)`, which
returns what it measured as lines of a table. Each runs in a fresh interpreter.
"""
