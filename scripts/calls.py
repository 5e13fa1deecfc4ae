"""Who calls whom in a linked kernel, at which depth of the stack, by its disassembly. For check-stack.

An indirect call names a field, a parameter or a variable in the source; what these were given anywhere, by the source's
text, is what the call may reach: more than can happen, and nothing less.
"""

from __future__ import annotations

import bisect
import collections
import dataclasses
import re
import subprocess
from pathlib import Path
from typing import Iterator

WORD = 8
TOPS = ("kernel", "paging")

FUNCTION = re.compile(r"^([0-9a-f]+) <([^>]+)>:$")
INSTRUCTION = re.compile(r"^ *([0-9a-f]+):\t(\S+)\s*(.*?)(?:\s+#.*)?$")
TARGET = re.compile(r"^([0-9a-f]+) <")
ADJUST = re.compile(r"^\$(-?0x[0-9a-f]+),%rsp$")
FRAME_OFFSET = re.compile(r"^(-?0x[0-9a-f]+)?\(%rbp\),%rsp$")
ENDS = ("ret", "retq", "iretq", "sysretq", "ud2", "jmp")


@dataclasses.dataclass
class Call:
    site: int
    depth: int  # bytes on the stack before the call pushes its return address
    callees: set[int] = dataclasses.field(default_factory=set)
    pointer: str = ""  # of an indirect call: what it goes by


@dataclasses.dataclass
class Function:
    name: str
    start: int
    place: str = ""  # FILE:LINE
    own: int = WORD  # bytes, the return address among them
    calls: list[Call] = dataclasses.field(default_factory=list)

    @property
    def source_name(self) -> str:
        """Without what the compiler appends to parts and clones: .part.0, .cold."""
        return self.name.partition(".")[0]


def _run(*words: str, text: str | None = None) -> str:
    return subprocess.run(words, input=text, capture_output=True, text=True, check=True).stdout


def _places(elf: Path, addresses: list[int]) -> dict[int, str]:
    """FILE:LINE of each address, paths from the root."""
    lines = _run("addr2line", "-e", str(elf), text="\n".join(map(hex, addresses)) + "\n").splitlines()
    return {a: re.sub(r"^(?:.*/)??(?=(?:kernel|paging)/)", "", line.partition(" (")[0])
            for a, line in zip(addresses, lines, strict=True)}


def _inlined_places(elf: Path, addresses: list[int]) -> dict[int, list[str]]:
    """FILE:LINE of each address and of the calls that were inlined around it, innermost first."""
    found: dict[int, list[str]] = {}
    output = _run("addr2line", "-a", "-i", "-e", str(elf), text="\n".join(map(hex, addresses)) + "\n")
    for line in output.splitlines():
        if line.startswith("0x"):
            current = found.setdefault(int(line, 16), [])
        else:
            current.append(re.sub(r"^(?:.*/)??(?=(?:kernel|paging)/)", "", line.partition(" (")[0]))
    return found


def _measure(function: Function, code: list[tuple[int, str, str]]) -> None:
    """Follow the function's paths: the depth at each instruction, and so at each call."""
    place = {address: index for index, (address, _, _) in enumerate(code)}
    seen: set[int] = set()
    frame = 0
    # What is only reached by a jump table has the depth of the jump.
    starts = [(0, WORD)]
    while starts:
        index, depth = starts.pop()
        while index < len(code) and index not in seen:
            seen.add(index)
            address, name, operands = code[index]
            if name.startswith("push"):
                depth += WORD
            elif name.startswith("pop"):
                depth -= WORD
            elif name in ("sub", "add") and (amount := ADJUST.match(operands)):
                depth += int(amount[1], 16) * (1 if name == "sub" else -1)
            elif operands == "%rsp,%rbp":
                frame = depth
            elif name == "and" and operands.endswith(",%rsp"):
                depth += WORD
            elif name == "lea" and (offset := FRAME_OFFSET.match(operands)):
                depth = frame - int(offset[1] or "0", 16)
            elif name == "leave":
                depth = frame - WORD
            function.own = max(function.own, depth)
            target = TARGET.match(operands)
            if name.startswith("call"):
                function.calls.append(Call(address, depth, {int(target[1], 16)} if target else set(),
                                           "" if target else operands))
            elif name.startswith("j") and target and int(target[1], 16) in place:
                starts.append((place[int(target[1], 16)], depth))
            elif name.startswith("j") and target:
                # Into another function: a tail of this one, or a routine of assembly.
                function.calls.append(Call(address, depth - WORD, {int(target[1], 16)}))
            if name == "jmp" and not target:
                starts += [(at, depth) for at in range(len(code)) if at not in seen]
            if name in ENDS:
                break
            index += 1


def read_functions(elf: Path) -> dict[int, Function]:
    """All functions by their addresses, without what indirect calls reach."""
    functions: dict[int, Function] = {}
    code: dict[int, list[tuple[int, str, str]]] = {}
    current: list[tuple[int, str, str]] = []
    for line in _run("objdump", "-d", "--no-show-raw-insn", str(elf)).splitlines():
        if match := FUNCTION.match(line):
            current = []
            functions[int(match[1], 16)] = Function(match[2], int(match[1], 16))
            code[int(match[1], 16)] = current
        elif match := INSTRUCTION.match(line):
            current.append((int(match[1], 16), match[2], match[3]))
    for start, function in functions.items():
        _measure(function, code[start])
    # A jump into the middle of a routine of assembly counts as a call of it.
    starts = sorted(functions)
    for function in functions.values():
        for call in function.calls:
            call.callees = {starts[bisect.bisect_right(starts, callee) - 1] for callee in call.callees}
        # A cold part's way back into its function is none of a call's.
        function.calls = [call for call in function.calls if call.pointer or not function.name.endswith(".cold") or not any(
            functions[callee].name == function.name.removesuffix(".cold") for callee in call.callees)]
    places = _places(elf, starts)
    for start, function in functions.items():
        function.place = places[start]
    return functions


# ---- the source ----

# What says nothing of calls: strings, comments, and attributes, which look like the name and parameters of a function.
COMMENT = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|__attribute__\(\((?:[^()]|\([^()]*\))*\)\)', re.DOTALL)
DEFINITION = re.compile(r"^(static )?(?!#|\t|\})[^\n;{}=]*?\b(\w+)\(([^;{}]*)\)\n\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
MACRO = re.compile(r"^[ \t]*#define (\w+)\(([^)]*)\)((?:.*\\\n)*.*)$", re.MULTILINE)
STRUCT = re.compile(r"^struct (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
# A field, parameter or variable that points at a function.
POINTER = re.compile(r"\(\*(?:const )?(\w+)(?:\[[^\]]*\])?\)\(|_fn \*(?:const )?(\w+)")
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
CALL = re.compile(r"\b([A-Za-z_]\w*)\(")
# NAME(, NAME[…](, (*NAME)(, with what stands before.
POINTER_CALL = re.compile(r"(->|\.|)\s*\b([a-z_]\w*)\s*(?:\[[^\]]*\])?(?=\()")
CHOICE_CALL = re.compile(r"\(([^()]*\?[^()]*)\)(?=\()")
# A list whose structure has no name.
NAMELESS = re.compile(r"\bstruct \{([^{}]*)\} \w+\[[^\]]*\] = \{(.*?)\};", re.DOTALL)
ASSIGNMENT = re.compile(r"(->|\.|)\b(\w+)\s*(?:\[[^\]]*\]\s*)?=(?!=)\s*(?=([^;,}]*))")
VALUE = re.compile(r"(->|\.|)\b([A-Za-z_]\w*)\b(?!\s*\()")
WORDS = {"if", "while", "for", "switch", "return", "sizeof", "offsetof", "long", "int", "void", "char"}

# A function, and the file that names it: a static one is meant where it is.
Named = set[tuple[str, str]]


def split_arguments(text: str) -> list[str]:
    """The arguments of a call whose opening parenthesis is the first character."""
    parts, depth, start = [], 0, 1
    for at, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if (character == "," and depth == 1) or depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
        if depth == 0:
            break
    return [] if parts in ([""], ["void"]) else parts


def _statement(text: str) -> str:
    """The text up to the end of its first statement, or of what stands before a block."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth <= 0 and (character == ";" or text.startswith("{\n", at)):
            return text[:at]
    return text


@dataclasses.dataclass
class Body:
    """A function as its source has it."""

    name: str
    file: str
    first: int
    last: int
    parameters: list[str]  # "..." for further ones
    private: bool  # static in a .c file: other files cannot mean it


class Sources:
    """What the text of the sources says of function pointers."""

    def __init__(self, root: Path, symbols: set[str]) -> None:
        self.symbols = symbols  # functions that a macro defines are known by these only
        paths = [path for top in TOPS for suffix in ("c", "h") for path in sorted((root / top).rglob(f"*.{suffix}"))]
        self.texts = {str(path.relative_to(root)): COMMENT.sub(
            lambda match: '""' if match[0][0] == '"' else re.sub(r"[^\n]", " ", match[0]), path.read_text())
            for path in paths}
        self.bodies: dict[str, list[Body]] = {file: list(self._bodies_of(file)) for file in self.texts}
        self.named: dict[str, list[Body]] = collections.defaultdict(list)
        for bodies in self.bodies.values():
            for body in bodies:
                self.named[body.name].append(body)
        self.macros: dict[str, tuple[list[str], str]] = {}
        self.macro_ends: dict[str, list[tuple[int, int, str]]] = collections.defaultdict(list)  # in each file: first, last, name
        for file, text in self.texts.items():
            for match in MACRO.finditer(text):
                self.macros[match[1]] = ([p.strip() for p in match[2].split(",")], match[3])
                self.macro_ends[file].append((match.start(), match.end(), match[1]))
        self.pointers = {file: {a or b for a, b in POINTER.findall(text)} for file, text in self.texts.items()}
        self.fields: dict[str, set[str]] = collections.defaultdict(set)  # to the structures that have one of that name
        self.calls: dict[str, list[tuple[str, int, Body | None]]] = collections.defaultdict(list)
        self.assigned: dict[tuple[str, str], list[tuple[str, str, Body | None]]] = collections.defaultdict(list)
        for file, text in self.texts.items():
            for match in STRUCT.finditer(text):
                for a, b in POINTER.findall(match[2]):
                    self.fields[a or b].add(match[1])
            for match in NAMELESS.finditer(text):
                for a, b in POINTER.findall(match[1]):
                    self.fields[a or b].add(f"{file}:{match.start(2)}:{match.end(2)}")
            for match in CALL.finditer(text):
                self.calls[match[1]].append((file, match.end() - 1, self.body_at(file, match.start())))
            for match in ASSIGNMENT.finditer(text):
                where = "." if match[1] else file
                self.assigned[where, match[2]].append((match[3], file, self.body_at(file, match.start())))
        self._known: dict[tuple[str, str], Named] = {}

    def _bodies_of(self, file: str) -> Iterator[Body]:
        for match in DEFINITION.finditer(self.texts[file]):
            name, parameters = match[2], split_arguments("(" + match[3] + ")")
            if re.match(r"SYSCALL_\d", name):
                name, parameters = f"sys_{parameters[0]}", ["int x"] * 6
            names = ["..." if p == "..." else (IDENTIFIER.findall(re.sub(r"\[.*?\]|\)\(.*", "", p)) or [""])[-1]
                     for p in parameters]
            yield Body(name, file, match.start(), match.end(), names, bool(match[1]) and file.endswith(".c"))

    def body_at(self, file: str, position: int) -> Body | None:
        bodies = self.bodies[file]
        index = bisect.bisect_right(bodies, position, key=lambda body: body.first) - 1
        return bodies[index] if index >= 0 and position < bodies[index].last else None

    def pointers_at(self, file: str, line: int) -> list[tuple[str, str, Body | None, int]]:
        """What the statement at a place calls through: (before, name, function that it stands in, arguments)."""
        text = self.texts.get(file, "")
        start = 0
        for _ in range(line - 1):
            start = text.find("\n", start) + 1
        statement = _statement(text[start : start + 600])
        body = self.body_at(file, start)
        found = [("?", match[1], body, len(split_arguments(text[start + match.end() : start + match.end() + 2000])))
                 for match in CHOICE_CALL.finditer(statement)]
        for match in POINTER_CALL.finditer(statement):
            before, name = match[1], match[2]
            local = body is not None and name in body.parameters
            if name not in WORDS and (before or local or name in self.pointers[file] or
                                      (name not in self.named and name not in self.macros)):
                found.append((before, name, body, len(split_arguments(text[start + match.end() : start + match.end() + 2000]))))
        return found

    def reach(self, before: str, name: str, body: Body | None) -> Named:
        """Functions that the pointer may have been given."""
        local = not before and body is not None and name in body.parameters
        key = ("." if before else f"{body.file}:{body.name}" if local and body else body.file if body else "", name)
        if key not in self._known:
            self._known[key] = set()  # while it is looked for: pointers that are given to each other
            if before == "?":
                found = self._value(name, body.file if body else "", body)
            elif before:
                found = self._field(name)
            elif local and body:
                found = self._parameter(body, name)
            else:
                found = self._variable(key[0], name)
            self._known[key] = found
        return self._known[key]

    def given_at(self, callee: Body, parameter: str, place: str) -> Named | None:
        """What the call of `callee` in the statement at a place gives its parameter; None: no such call there."""
        file, _, line = place.rpartition(":")
        if not line.isdigit() or file not in self.texts:
            return None
        start = 0
        for _ in range(int(line) - 1):
            start = self.texts[file].find("\n", start) + 1
        match = re.search(rf"\b{callee.name}\(", _statement(self.texts[file][start : start + 600]))
        if not match:
            return None
        arguments = split_arguments(self.texts[file][start + match.end() - 1 : start + match.end() + 2000])
        index = callee.parameters.index(parameter)
        return self._value(arguments[index], file, self.body_at(file, start)) if index < len(arguments) else None

    def reach_of_name(self, name: str) -> Named:
        """What any pointer of that name reaches, of those that were asked for."""
        return set().union(*(found for (_, known), found in self._known.items() if known == name))

    def fits(self, name: str, arguments: int) -> bool:
        """Whether a function of that name takes so many arguments."""
        return name not in self.named or any(
            len(b.parameters) == arguments or ("..." in b.parameters and arguments >= len(b.parameters) - 1)
            for b in self.named[name])

    def _value(self, expression: str, file: str, body: Body | None) -> Named:
        """What an expression that is a pointer may be."""
        found: Named = set()
        for before, name in VALUE.findall(expression):
            local = body is not None and name in body.parameters
            if before and name in self.fields or not before and local:
                found |= self.reach(before, name, body)
            elif not before and (name in self.named or name in self.symbols):
                found.add((name, file))
        return found

    def _values(self, assigned: list[tuple[str, str, Body | None]]) -> Named:
        return set().union(*(self._value(*one) for one in assigned))

    def _parameter(self, body: Body, name: str) -> Named:
        index = body.parameters.index(name)
        found: Named = set()
        for file, position, caller in self.calls[body.name]:
            arguments = split_arguments(self.texts[file][position : position + 2000])
            if index < len(arguments):
                found |= self._value(arguments[index], file, caller) | self._by_macro(arguments[index], file, position)
        return found

    def _by_macro(self, expression: str, file: str, position: int) -> Named:
        """What an expression in a macro's text may be by that macro's parameters."""
        found: Named = set()
        for first, last, macro in self.macro_ends[file]:
            parameters = self.macros[macro][0]
            for name in set(IDENTIFIER.findall(expression)) & set(parameters) if first <= position < last else ():
                for used_in, at, user in self.calls[macro]:
                    arguments = split_arguments(self.texts[used_in][at : at + 500])
                    if len(arguments) == len(parameters):
                        found |= self._value(arguments[parameters.index(name)], used_in, user)
        return found

    def _variable(self, file: str, name: str) -> Named:
        found = self._values(self.assigned[file, name])
        # A list of functions: NAME[…] = { f, g }.
        for match in re.finditer(rf"\b{name}(?:\[[^\]]*\])?\)?(?:\([^)]*\))? = \{{(.*?)\}};", self.texts[file], re.DOTALL):
            found |= self._value(match[1], file, None)
        return found

    def _field(self, name: str) -> Named:
        return self._values(self.assigned[".", name]) | self._in_macros(name) | self._in_order(name)

    def _in_macros(self, name: str) -> Named:
        """Fields that a macro sets: by one of its parameters, or by a name that it puts together."""
        found: Named = set()
        for macro, (parameters, text) in self.macros.items():
            for value in re.findall(rf"\.{name} = \(?(\w+(?:##\w+)?)", text):
                prefix, _, parameter = value.rpartition("##")
                for file, position, _ in self.calls[macro] if parameter in parameters else ():
                    arguments = split_arguments(self.texts[file][position : position + 500])
                    if len(arguments) == len(parameters):
                        argument = arguments[parameters.index(parameter)]
                        found |= {(prefix + argument, file)} if prefix else self._value(argument, file, None)
        return found

    def _in_order(self, name: str) -> Named:
        """Structures that are initialised without naming the field."""
        found: Named = set()
        for structure in self.fields[name]:
            if ":" in structure:
                file, start, end = structure.split(":")
                found |= self._value(self.texts[file][int(start) : int(end)], file, None)
                continue
            pattern = re.compile(rf"\bstruct (?:{structure} [^;=(){{}}]*=|{structure}\)) ?\{{(.*?)\}}[;,)]", re.DOTALL)
            for file, source in self.texts.items():
                for match in pattern.finditer(source):
                    found |= self._value(re.sub(r"\.\w+\s*=\s*[^,}]*", "", match[1]), file, self.body_at(file, match.start()))
        return found


class Resolver:
    """Fills in what indirect calls reach."""

    def __init__(self, functions: dict[int, Function], elf: Path, sources: Sources, known: dict[str, set[str]]) -> None:
        self.functions = functions
        self.sources = sources
        self.known = known
        self.by_name: dict[str, list[Function]] = collections.defaultdict(list)
        for function in functions.values():
            self.by_name[function.source_name].append(function)
        self.places = _inlined_places(elf, [call.site for function in functions.values() for call in function.calls])

    def run(self) -> list[str]:
        """Returns the calls of which nothing is known, each with its place."""
        sites = [(function, call) for function in self.functions.values() for call in function.calls if call.pointer]
        pointers = {call.site: self._pointers(call) for _, call in sites}
        for call_pointers in pointers.values():
            for before, name, body, _ in call_pointers:
                self.sources.reach(before, name, body)
        unknown = []
        for function, call in sites:
            names: Named = {(name, "") for name in self.known.get(function.source_name, ())}
            passed = False
            for pointer in pointers[call.site]:
                given = self._given(function, call, *pointer)
                passed |= given is None
                names |= given or set()
            call.callees |= self._starts(names)
            call.pointer = ", ".join(dict.fromkeys(p[0] + p[1] for p in pointers[call.site])) or \
                f"in {self.places[call.site][0].rpartition(':')[0]}"
            if not call.callees and not passed and function.source_name not in self.known:
                unknown.append(f"{self.places[call.site][0]}: {function.name} calls {call.pointer}: "
                               "what it may reach is not known")
        return unknown

    def _pointers(self, call: Call) -> list[tuple[str, str, Body | None, int]]:
        file, _, line = self.places[call.site][0].rpartition(":")
        return self.sources.pointers_at(file, int(line)) if line.isdigit() and file in self.sources.texts else []

    def _starts(self, names: Named) -> set[int]:
        found = set()
        for name, where in names:
            # A static function is meant by the file that names it alone, one that others see by all.
            private = {body.file for body in self.sources.named.get(name, ()) if body.private}
            here = [f for f in self.by_name[name] if f.place.startswith(where + ":")]
            found |= {f.start for f in here or self.by_name[name]
                      if not where or here or f.place.rpartition(":")[0] not in private}
        return found

    def _fitting(self, names: Named, arguments: int) -> Named:
        return {one for one in names if self.sources.fits(one[0], arguments)}

    def _given(self, function: Function, call: Call, before: str, name: str, body: Body | None, arguments: int) -> Named | None:
        """What a pointer may be; None when each caller of the function has been told of its own."""
        if not before and body and name in body.parameters:
            if body.name == function.source_name:
                if self._tell_callers(function, body, call, name, arguments):
                    return None
            elif len(self.places[call.site]) > 1:
                given = self.sources.given_at(body, name, self.places[call.site][1])
                if given:
                    return self._fitting(given, arguments)
        return (self._fitting(self.sources.reach(before, name, body), arguments)
                or self._fitting(self.sources.reach_of_name(name), arguments))

    def _tell_callers(self, function: Function, body: Body, call: Call, name: str, arguments: int) -> bool:
        """Add what each caller hands over to that caller, as a call of its own at the depth that this one has in the end."""
        added = []
        for caller in self.functions.values():
            for outer in caller.calls:
                if function.start not in outer.callees:
                    continue
                given = self.sources.given_at(body, name, self.places[outer.site][0])
                if not given:
                    return False
                added.append((caller, Call(outer.site, outer.depth + call.depth, self._starts(self._fitting(given, arguments)),
                                           f"{function.name}'s {name}")))
        for caller, handed in added:
            caller.calls.append(handed)
        return bool(added)
