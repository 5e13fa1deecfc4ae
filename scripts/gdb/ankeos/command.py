"""The prefix `ankeos`, and what all its commands share: arguments, and errors as gdb shows them."""

from __future__ import annotations

import gdb
import walker


class Prefix(gdb.Command):
    """Look at AnkeOS: its map, tables, tasks, log. `help ankeos` lists the commands."""

    def __init__(self) -> None:
        super().__init__("ankeos", gdb.COMMAND_DATA, prefix=True)


Prefix()


class Command(gdb.Command):
    """One command `ankeos NAME`: a subclass has its docstring for help, and run()."""

    name = ""

    def __init__(self) -> None:
        super().__init__(f"ankeos {self.name}", gdb.COMMAND_DATA)

    def invoke(self, argument: str, from_tty: bool) -> None:
        del from_tty
        try:
            self.run(gdb.string_to_argv(argument))
        except (walker.TableError, gdb.error, gdb.GdbError) as error:
            raise gdb.GdbError(f"ankeos {self.name}: {error}") from error

    def run(self, words: list[str]) -> None:
        """Do it; raises gdb.GdbError with what is wrong, without the command's name."""
        raise NotImplementedError

    def expect(self, words: list[str], least: int, most: int) -> None:
        """Refuse another number of arguments."""
        if not least <= len(words) <= most:
            usage = (self.__doc__ or "").strip().splitlines()[-1].strip()
            raise gdb.GdbError(f"{len(words)} arguments. {usage}")


def number(text: str) -> int:
    """An address or a number: any expression that gdb takes."""
    return int(gdb.parse_and_eval(f"(unsigned long)({text})"))
