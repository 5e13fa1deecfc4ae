"""Type on a US keyboard: turn what a person presses into QEMU's key names."""

from __future__ import annotations

from machine import Machine

NAMED = {" ": "spc", "\n": "ret", "\t": "tab", "\x1b": "esc", "-": "minus", "=": "equal", "[": "bracket_left",
         "]": "bracket_right", ";": "semicolon", "'": "apostrophe", "`": "grave_accent", "\\": "backslash", ",": "comma",
         ".": "dot", "/": "slash"}
SHIFTED = dict(zip('!@#$%^&*()_+{}:"~|<>?', "1234567890-=[];'`\\,./"))


def key_names(character: str) -> list[str]:
    """Return the keys that together make a character."""
    if character in SHIFTED:
        return ["shift", *key_names(SHIFTED[character])]
    if character.isupper():
        return ["shift", character.lower()]
    return [NAMED.get(character, character)]


def press(machine: Machine, *chords: str) -> None:
    """Press keys by name, those of one chord together: press(machine, "esc", "ctrl-c", "shift-f5")."""
    for chord in chords:
        keys = [{"type": "qcode", "data": name} for name in chord.split("-")]
        machine.qmp.execute("send-key", keys=keys)


def type_text(machine: Machine, text: str) -> None:
    """Type characters, which QEMU sends one after the other. A caller that waits for the echo knows that they came."""
    for character in text:
        machine.qmp.execute("send-key", keys=[{"type": "qcode", "data": name} for name in key_names(character)])
