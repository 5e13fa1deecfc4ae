"""Long sessions and greedy ones: nothing is left behind, and limits hold."""

from bundles import KERNEL, bundle, busybox_bundle
from contract import BUILD
from machine import Config, Machine

ARCHIVE = BUILD / "user" / "session.cpio"
PROMPT = r"^/ # \Z"
APPLETS = ("sh", "cat", "dd", "sleep", "true")
GREEDY = (
    # No limit but the kernel's own, which depends on the size of RAM: it is met before memory ends.
    ("b() { b | b; }; b 2>/dev/null; echo over", r"over"),
    # Each takes two more, until there is no number left; then all of them end.
    ("zsh -fc 'ulimit -u 30; b() { b | b & }; b' 2>/dev/null; echo over", r"over"),
    ("true && (true) && echo $(echo forks)", r"forks"),
    ("(ulimit -v 50000; dd if=/dev/zero of=/dev/null bs=200M count=1 2>/dev/null; echo $?)", r"1"),
    ("(ulimit -v 4000; a=x; while :; do a=$a$a; done 2>/dev/null); echo full", r"(?:sh: out of memory\n)?full"),
    ("(ulimit -n 8; exec 3<. 4<. 5<. 6<. 7<.; cat <. ) >/dev/null 2>&1; echo $?", r"1"),
)


def test_nothing_is_left(tmp_path):
    """1,000 processes, their pipes, mappings, timers and locks: free memory is what it was, to the frame."""
    boot = bundle(tmp_path / "session.efi", KERNEL, stub=BUILD / "loader.efi", initrd=ARCHIVE,
                  cmdline="console=ttyS0 quiet -- 6")
    with Machine(Config(boot=boot, display=("-vga", "none"))) as machine:
        machine.wait_exit()
        assert "ok 1 - free memory is as before" in machine.text.splitlines(), machine.failure("memory has gone")
        assert "ok 2 - descriptors are as before" in machine.text.splitlines(), machine.failure("descriptors are left")


def test_limits(tmp_path):
    """A fork bomb under RLIMIT_NPROC, memory hogs under RLIMIT_AS, and a shell that goes on."""
    boot = busybox_bundle(tmp_path, "console=ttyS0 quiet init=/bin/sh", APPLETS, "bin/zsh=/bin/zsh-static",
                          "dev/zero=c:1:5")
    with Machine(Config(boot=boot, display=("-vga", "none"))) as machine:
        machine.wait_for(PROMPT)
        for line, expected in GREEDY:
            since = len(machine.raw)
            machine.send(line + "\n")
            machine.wait_for(rf"^{expected}\n{PROMPT}", since)
        assert "out of memory: process" not in machine.text, machine.failure("a process was ended for its memory")
        machine.send("exit\n")
        assert machine.wait_exit() == "guest-shutdown"
