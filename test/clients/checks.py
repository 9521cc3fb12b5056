"""What the programs here share: named checks, each a line of JSON on stdout, read by main.ts."""

import json
import os
import sys
import traceback

ADDRESS = os.environ["BENDI_ADDRESS"]
MODEL = os.environ.get("BENDI_MODEL", "default")

_checks = []


def check(name):
    """Registers a function as a check; it fails by raising."""

    def register(function):
        _checks.append((name, function))
        return function

    return register


def tell(name, result, detail=""):
    print(json.dumps({"name": name, "result": result, "detail": detail}), flush=True)


def run_checks():
    """Runs all of them in their order; the exit code is 1 when one failed."""
    failed = 0
    for name, function in _checks:
        try:
            detail = function()
            tell(name, "passed", str(detail or ""))
        except Exception as error:  # whatever a client raises is a failure of this check alone
            failed += 1
            last = traceback.extract_tb(error.__traceback__)[-1]
            tell(name, "failed", f"{type(error).__name__}: {str(error)[:600]} (line {last.lineno} of {os.path.basename(last.filename)})")
    sys.exit(1 if failed else 0)


def expect(condition, what):
    if not condition:
        raise AssertionError(what)
