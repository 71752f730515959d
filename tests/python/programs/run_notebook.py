"""Runs a notebook, whose cells come as a JSON list on standard input, and prints what its cells printed."""

import json
import sys

import nbclient
import nbformat.v4

cells = [nbformat.v4.new_code_cell(cell) for cell in json.load(sys.stdin)]
notebook = nbformat.v4.new_notebook(cells=cells)
nbclient.NotebookClient(notebook, timeout=100, kernel_name="python3").execute()
for cell in notebook.cells:
    for output in cell.outputs:
        # On standard error there may be Python's warning of a fork in a program with threads, as a kernel is one.
        if output.get("name") != "stderr":
            print(output.text, end="")
