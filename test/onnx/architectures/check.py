"""Checks ONNX files with the onnx checker, shapes inferred in full (Debian: python3-onnx). Usage: check.py FILE ...; a line of JSON per file."""
import json
import sys

import onnx
from onnx import checker

for path in sys.argv[1:]:
    try:
        checker.check_model(path, full_check=True)
        domains = sorted({node.domain for node in onnx.load(path, load_external_data=False).graph.node})
        error = None if domains in ([], [""]) else f"operators of other domains: {domains}"
    except Exception as problem:  # the checker raises several kinds
        error = f"{type(problem).__name__}: {problem}"[:400]
    print(json.dumps({"path": path, "error": error}), flush=True)
