"""Which object of a build names a symbol of which other: what includes do not show. For check-layers."""

from __future__ import annotations

import subprocess
from pathlib import Path

OBJECTS = "build/kernel"

Graph = dict[str, dict[str, set[str]]]


def read_symbols(objects: list[Path]) -> dict[Path, tuple[set[str], set[str]]]:
    """What each object defines for others, and what it wants of them."""
    symbols: dict[Path, tuple[set[str], set[str]]] = {path: (set(), set()) for path in objects}
    if not objects:
        return symbols
    output = subprocess.run(["nm", "-A", *map(str, objects)], capture_output=True, text=True, check=True).stdout
    for line in output.splitlines():
        path, _, rest = line.partition(":")
        kind, name = rest.split()[-2:]
        defined, wanted = symbols[Path(path)]
        if kind == "U":
            wanted.add(name)
        elif kind.isupper():
            defined.add(name)
    return symbols


def read_graph(root: Path, sources: set[str]) -> Graph:
    """For each of `sources` that has an object: the other sources that it needs, with the symbols. Empty without a build."""
    objects = {}
    for path in sorted((root / OBJECTS).rglob("*.o")):
        stem = str(path.relative_to(root / OBJECTS).with_suffix(""))
        # An object whose source has gone is an earlier build's.
        source = next((stem + suffix for suffix in (".c", ".S") if stem + suffix in sources), None)
        if source:
            objects[path] = source
    symbols = read_symbols(list(objects))
    owner = {name: objects[path] for path, (defined, _) in symbols.items() for name in defined}
    graph: Graph = {source: {} for source in objects.values()}
    for path, (_, wanted) in symbols.items():
        for name in wanted:
            if owner.get(name, objects[path]) != objects[path]:
                graph[objects[path]].setdefault(owner[name], set()).add(name)
    return graph


def circles(graph: Graph) -> list[list[str]]:
    """The sets of files that all need each other, the largest first (Tarjan, "Depth-First Search", 1972)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(file: str) -> None:
        order[file] = low[file] = len(order)
        stack.append(file)
        for other in graph.get(file, {}):
            if other not in order:
                visit(other)
                low[file] = min(low[file], low[other])
            elif other in stack:
                low[file] = min(low[file], order[other])
        if low[file] == order[file]:
            at = stack.index(file)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for file in graph:
        if file not in order:
            visit(file)
    return sorted(found, key=lambda files: (-len(files), files))
