"""Puts off an import that Great Expectations makes and none of our suites needs."""

from __future__ import annotations

import importlib.util
import sys


def put_off(name: str) -> None:
    """Has a submodule executed when an attribute of it is first asked for, and not when it is imported."""
    spec = importlib.util.find_spec(name)
    if name in sys.modules or spec is None or spec.loader is None:
        return
    loader = spec.loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    package, _, child = name.rpartition(".")
    setattr(sys.modules[package], child, module)
