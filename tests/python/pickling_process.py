"""Another interpreter with a __main__ of its own, and one that plays its worker, for the tests of pickling."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

PRELUDE = """
import os, pickle, sys
from hardwork import _pickling as p
import multiprocessing
def in_worker(*calls):
    # A worker without this __main__: runs functions by their bytes, in order; returns the results through pickles.
    import subprocess
    code = '''
import sys, pickle
from hardwork import _pickling as p
out = []
for function, arguments, buffers in pickle.load(sys.stdin.buffer):
    try:
        out.append((True, p.dumps_result(p.loads(function)(*p.loads(arguments, buffers)))[0]))
    except BaseException as error:
        out.append((False, p.encode_exception(error)))
pickle.dump(out, sys.stdout.buffer)
'''
    items = []
    for function, *arguments in calls:
        data, buffers = p.dumps(tuple(arguments))
        items.append((p.dumps_function(function), data, [bytes(b) for b in buffers]))
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(items), stdout=subprocess.PIPE, check=True)
    return [p.loads(data) if good else p.decode_exception(data) for good, data in pickle.loads(done.stdout)]
"""


def run(source: str, *, how: str = "-c", tmp_path: Path | None = None, flags: tuple[str, ...] = ()) -> str:
    """Run the source as another interpreter's __main__; it ends with a print."""
    source = PRELUDE + textwrap.dedent(source)
    text = None
    command = [sys.executable, *flags]
    if how == "-c":
        command += ["-c", source]
    elif how == "stdin":
        text = source
    else:
        assert tmp_path is not None
        script = tmp_path / "script.py"
        script.write_text(source)
        command.append(str(script))
    done = subprocess.run(command, input=text or "", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]
