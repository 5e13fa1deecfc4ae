"""Test the kernel's own gdb stub, with the real gdb on the other end of a second serial port."""

import re
import signal
import socket
import subprocess

import pytest
from bundles import KERNEL, bundle
from contract import BUILD
from machine import CONSOLES, LIMIT, Config, Machine

PROGRAM = BUILD / "user" / "debuggee"
PORT = ("-chardev", "socket,id=stub,path=stub,server=on,wait=off",
        "-device", "isa-serial,chardev=stub,index=1,iobase=0x2f8,irq=3")


class Gdb:
    """A gdb that is attached to the machine's stub."""

    def __init__(self, machine, *symbols):
        self.machine = machine
        self.said = ""
        self.count = 0
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(["gdb", "-nx", "-q", BUILD / "kernel.elf"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in ("set confirm off", "set pagination off", "set width 0", "set architecture i386:x86-64",
                     f"set remotetimeout {LIMIT:.0f}", *(f"add-symbol-file {file}" for file in symbols)):
            self.run(line)
        self.expect(f"target remote {machine.directory}/stub", r" in |\(\)|0x| at ")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.kill()
        self.process.wait()

    def start(self, line):
        """Start a command whose answer is not waited for."""
        self.count += 1
        self.process.stdin.write(f"{line}\necho \\nDONE-{self.count}\\n\n")
        self.process.stdin.flush()

    def finish(self):
        """Return what the last command has printed."""
        said = ""
        while not said.endswith(f"DONE-{self.count}\n"):
            line = self.process.stdout.readline()
            said += line
            if not line:
                raise self.failure(f"gdb has ended: {said}")
        self.said += said
        return said.replace("(gdb) ", "")[:said.rindex("DONE-")]

    def run(self, line):
        self.start(line)
        return self.finish()

    def expect(self, line, pattern):
        """Return the match of what the command prints."""
        return self.match(line, self.run(line), pattern)

    def match(self, line, said, pattern):
        found = re.search(pattern, said, re.MULTILINE)
        if not found:
            raise self.failure(f"{line!r}: no {pattern!r} in what it printed:\n{said}")
        return found

    def interrupt(self):
        """Send Ctrl-C while the machine runs, after `continue` was started.

        The machine runs when the monitor answers. A gdb that has not heard of that yet would wait for the line before
        it looks at the signal.
        """
        since = len(self.machine.raw)
        self.machine.send("nonsense\r")
        self.machine.wait_for(r"nonsense: no such command.*\n(anke> )\Z", since)
        self.process.send_signal(signal.SIGINT)
        return self.finish()

    def failure(self, message):
        return self.machine.failure(f"{message}\n--- all that gdb said:\n{self.said}\n---")


def start(words, boot=None):
    append = f"{CONSOLES} gdb=ttyS1 {words}"
    if boot is None:
        return Machine(Config(append=append, extra=PORT))
    return Machine(Config(boot=boot, append=append, extra=PORT))


def test_kernel():
    """Breakpoints, steps, a watchpoint and memory work from the first message on; then without gdb; then with it."""
    with start("gdbwait") as machine:
        machine.wait_for(r"gdb: waiting")
        with Gdb(machine) as gdb:
            gdb.expect("backtrace", r"^#\d+ .*\bkmain \(.*kernel/main\.c:\d+")
            gdb.expect("info threads", r'^\* 1 +Thread 65536 "kernel"')
            gdb.expect("break clock_init", r"^Breakpoint 1 at")
            gdb.expect("continue", r"^Breakpoint 1, clock_init \(")
            gdb.expect("backtrace", r"^#\d+ .*\birq_init \(")
            gdb.expect("finish", r"^start_clocks|\bstart_clocks \(")
            before = int(gdb.expect("print/x $pc", r"0x([0-9a-f]+)")[1], 16)
            gdb.run("stepi")
            assert int(gdb.expect("print/x $pc", r"0x([0-9a-f]+)")[1], 16) != before
            gdb.expect("watch monitor_tsc", r"Hardware watchpoint 2")
            gdb.expect("continue", r"Old value = 0\nNew value = [1-9]")
            gdb.expect("backtrace", r"^#0 .*\bkmain \(")
            gdb.run("delete")
            # Nothing is mapped there, in any context: gdb must get an error, and the kernel no fault.
            for address in ("0x1234", "0xffff900000000000", "0xffffffffffffe000", "0x800000000000", "0xffff700000000000"):
                gdb.expect(f"x/x {address}", r"Cannot access memory at address")
            gdb.expect("print/x boot_info->magic", r"= 0x534f656b6e41")
            gdb.expect("set variable monitor_tsc = 5", r"")
            gdb.expect("print monitor_tsc", r"= 5$")
            gdb.expect("set variable described[0].name = 0", r"Cannot access memory")
            gdb.expect("break trap_dispatch", r"Breakpoint")
            gdb.expect("continue", r"Cannot insert breakpoint")
            gdb.run("delete")
            gdb.expect("monitor help", r"^ +audit ")
            gdb.expect("monitor audit", r"kernel context: 0 W\+X")
            gdb.expect("monitor panic", r"would end the stub")
            gdb.expect("break run_tasks", r"Breakpoint")
            gdb.start("continue")
            machine.wait_prompt()
            machine.send("tasks\r")
            gdb.match("continue", gdb.finish(), r"Breakpoint \d+, run_tasks")
            # While the breakpoint is set the tables are as ever, and the text reads as it was.
            gdb.expect("x/b run_tasks", r"<run_tasks>:\t(?!0xcc)")
            gdb.expect("monitor audit", r"kernel context: 0 W\+X")
            gdb.run("delete")
            gdb.start("continue")
            gdb.match("Ctrl-C", gdb.interrupt(), r"received signal SIGINT")
            # Either the monitor runs then, or the task that looks for devices.
            gdb.expect("backtrace", r"\b(monitor_run|serve) \(")
            gdb.expect("detach", r"detached")
        assert "tasks" in machine.command("help")
        with Gdb(machine) as gdb:
            gdb.expect("backtrace", r"\bmonitor_run \(")
            gdb.expect("hbreak run_audit", r"Hardware assisted breakpoint")
            gdb.start("continue")
            since = len(machine.raw)
            machine.send("audit\r")
            gdb.match("continue", gdb.finish(), r"Breakpoint \d+, run_audit")
            gdb.expect("detach", r"detached")
        machine.wait_for(r"^audit: kernel context: 0 W\+X.*\n(.*\n)*anke> \Z", since)
        assert "0 W+X" in machine.command("audit")


@pytest.fixture(name="programs")
def _programs(tmp_path):
    """Start a machine with /init and its child, running."""
    path = bundle(tmp_path / "debuggee.efi", KERNEL, initrd=BUILD / "user" / "debuggee.cpio", cmdline=CONSOLES)
    with start("", boot=path) as machine:
        machine.wait_for(r"grandchild")
        yield machine


def test_programs(programs):
    """gdb sees each task's own memory; breakpoints stop one process alone; a program's own traps are its own."""
    machine = programs
    assert re.search(r"^int3 1$", machine.text, re.MULTILINE), machine.text
    assert re.search(r"^steps [4-6]$", machine.text, re.MULTILINE), machine.text
    with Gdb(machine, PROGRAM) as gdb:
        threads = dict((int(tid), int(number)) for number, tid in
                       re.findall(r"^[* ] +(\d+) +Thread (\d+) ", gdb.run("info threads"), re.MULTILINE))
        marks = {}
        for tid, number in threads.items():
            gdb.run(f"thread {number}")
            found = re.search(r"= (\d+)$", gdb.run("print mark"), re.MULTILINE)
            marks[tid] = int(found[1]) if found else None
        assert marks[1] == 1 and marks[65536] is None and 2 in marks.values(), marks
        child = next(tid for tid, mark in marks.items() if mark == 2)
        gdb.run(f"thread {threads[child]}")
        gdb.expect("backtrace", r"\btask_block_by \(")
        gdb.expect("print/x $fs_base", r"= 0x[1-9a-f]")
        gdb.run(f"thread {threads[1]}")
        # In the middle of the kernel the stub may be unable to copy the page with the text: it uses a debug register
        # then.
        gdb.expect("break work", r"Breakpoint 1 at")
        gdb.expect("continue", r"Breakpoint 1, work \(")
        gdb.expect("print $cs & 3", r"= 3$")
        gdb.expect("backtrace", r"^#1 .*\bmain \(")
        # In user mode the breakpoint is an int3 in the process's own copy of the page. A fork's child has another copy,
        # and does not stop.
        count = int(gdb.expect("print counter", r"= (\d+)$")[1])
        for more in range(1, 7):
            gdb.expect("continue", r"Breakpoint 1, work \(n=(?:n@entry=)?1\)")
            gdb.expect("print counter", rf"= {count + more}$")
        gdb.expect("next", r"")
        gdb.expect("print counter", rf"= {count + 7}$")
        gdb.run("delete")
        # Step out of the end of a system call, in each of these ways.
        for way, first in (("next", "next"), ("next", "finish"), ("stepi", "finish")):
            gdb.expect("hbreak sys_nanosleep", r"Hardware assisted breakpoint")
            gdb.expect("continue", r"Breakpoint \d+, sys_nanosleep \(")
            back = gdb.expect("backtrace", r"^#2 +(0x\S+) in __syscall_cp_c")[1]
            gdb.run("delete")
            gdb.run(first)
            for _ in range(40):
                gdb.expect("print $cs & 3", r"= 0$")
                gdb.run(way)
                if re.search(rf"= {int(back, 16):#x}$", gdb.run("print/x $pc"), re.MULTILINE):
                    break
            gdb.expect("print $cs & 3", r"= 3$")
            gdb.expect("print mark", r"= 1$")
        gdb.expect("watch counter", r"Hardware watchpoint")
        gdb.expect("continue", r"New value = \d+")
        gdb.run("delete")
        gdb.expect("print $mxcsr", r"= 8064|= \[")
        gdb.run("print $xmm3.uint128 = 77")
        gdb.expect("print $xmm3.uint128", r"= 77$")
        gdb.expect("print $st0", r"= ")
        gdb.expect("set variable counter = 1000000", r"")
        gdb.expect("tbreak user_fault", r"breakpoint")
        gdb.expect("continue", r"\buser_fault \(")
        gdb.expect("detach", r"detached")
    since = len(machine.raw)
    machine.wait_for(r"grandchild .*\n.*grandchild ", since=since)
    assert set(re.findall(r"grandchild (\S+)", machine.text)) == {"0x700"}, machine.text


def test_four_cpus(tmp_path):
    """Threads on all CPUs hit breakpoints all the time, in the program and in the kernel.

    Each stop is one thread's, all CPUs stand and go on together, nobody dies of an int3 that has been removed, and
    after the debugger has gone all is as before it.
    """
    path = bundle(tmp_path / "debuggee.efi", KERNEL, initrd=BUILD / "user" / "debuggee.cpio", cmdline=CONSOLES)
    append = f"{CONSOLES} gdb=ttyS1 monitor -- 4"
    with Machine(Config(boot=path, append=append, extra=(*PORT, "-smp", "4"))) as machine:
        machine.wait_for(r"visitors run 1$")
        with Gdb(machine, PROGRAM) as gdb:
            listed = gdb.run("info threads")
            for number in range(4):
                assert f'"visitor-{number}"' in listed, listed
            assert len(set(re.findall(r"running on CPU (\d)", listed))) == 4, listed
            assert '"idle/3"' in listed and '"kernel"' in listed, listed
            stopped = set()
            # A thread of the program is current for the first of these breakpoints, so its memory gets the breakpoint.
            gdb.run(f"thread {re.search(r'^[* ] +([0-9]+) .*visitor-0', listed, re.MULTILINE)[1]}")
            gdb.expect("break visit", r"Breakpoint 1 at")
            for _ in range(12):
                stopped.add(gdb.expect("continue", r"Breakpoint 1(?:\.\d)?, visit \(number=(?:number@entry=)?(\d)\)")[1])
            assert len(stopped) > 1, stopped
            # The other threads' registers can be read, each where it stands; and one of the threads steps.
            listed = gdb.run("info threads")
            # One of the four CPUs may run init at that moment.
            assert len(re.findall(r'"visitor-\d" \(running on CPU \d\) +[0-9a-z_]+ ', listed)) >= 3, listed
            gdb.expect("thread apply all -s print $pc", r"= .*0x")
            gdb.run("delete")
            gdb.expect("break sys_getppid", r"Breakpoint 2 at")
            for _ in range(6):
                gdb.expect("continue", r"Breakpoint 2, sys_getppid \(")
            gdb.run("delete")
            lines = int(gdb.expect("print lines", r"= (\d+)$")[1])
            gdb.start("continue")
            machine.wait_for(rf"visitors run {lines + 4}$")
            gdb.process.send_signal(signal.SIGINT)
            gdb.match("Ctrl-C", gdb.finish(), r"received signal SIGINT")
            gdb.expect("monitor audit", r"kernel context: 0 W\+X")
            # The thread that Ctrl-C has stopped may be in the kernel context; gdb reads its program's memory
            # nevertheless.
            lines = int(gdb.expect("print lines", r"= (\d+)$")[1])
            gdb.expect("detach", r"detached")
        machine.wait_for(rf"visitors run {lines + 4}$")
        with Gdb(machine, PROGRAM) as gdb:
            listed = gdb.run("info threads")
            gdb.run(f"thread {re.search(r'^[* ] +([0-9]+) .*visitor-1', listed, re.MULTILINE)[1]}")
            gdb.run("set variable quit = 1")
            gdb.expect("detach", r"detached")
        machine.wait_for(r"visitors end")
        machine.wait_for(r"init has ended with status 0")
        machine.wait_prompt()
        assert "0 W+X" in machine.command("audit")


@pytest.mark.parametrize("how, sign, where", [("null", "SIGSEGV", "write_null"), ("panic", "SIGABRT", "say_panic")])
def test_panic(how, sign, where):
    """A panic shows its page and then stops in gdb, whether gdb was attached before or comes after."""
    with start("") as machine:
        machine.wait_prompt()
        with Gdb(machine) as gdb:
            gdb.start("continue")
            machine.send(f"panic {how}\r")
            gdb.match("continue", gdb.finish(), rf"received signal {sign}")
            gdb.expect("backtrace", rf"\b{where} \(")
            assert "kernel panic" in machine.text or machine.wait_for("kernel panic")
            gdb.expect("detach", r"detached")
        machine.wait_for(r"The machine is halted")


def test_panic_without_gdb():
    """While nobody listens, the kernel waits in a panic until a debugger attaches."""
    with start("") as machine:
        machine.wait_prompt()
        machine.send("panic null\r")
        machine.wait_for(r"Waiting for gdb")
        with Gdb(machine) as gdb:
            gdb.expect("backtrace", r"\bwrite_null \(")


def test_noise():
    """Bytes that are no packet, or never end one, stop nothing; a debugger that knows few packets can list threads."""
    with start("") as machine, socket.socket(socket.AF_UNIX) as line:
        machine.wait_prompt()
        line.connect(f"{machine.directory}/stub")
        for noise in (b"$", b"nonsense#1", b"$}}}}", b"\0\xff+-$" + 6000 * b"x"):
            line.sendall(noise)
            assert "audit" in machine.command("help")
        line.settimeout(LIMIT)
        line.sendall(packet("qfThreadInfo"))
        assert receive(line) == "m10000"
        line.sendall(b"+" + packet("qsThreadInfo"))
        assert receive(line) == "l"
        line.sendall(b"+" + packet("D"))
        assert receive(line) == "OK"
        line.sendall(b"+")
        assert "audit" in machine.command("help")


def packet(text):
    return f"${text}#{sum(text.encode()) & 255:02x}".encode()


def receive(line):
    """Return the text of the next packet."""
    said = b""
    while not (found := re.search(rb"\$([^#]*)#..", said)):
        said += line.recv(1)
    return found[1].decode()


@pytest.mark.parametrize("value", ["ttyS9", "ttyS1,7", "tty0", "ttyS1,115200x"])
def test_bad_option(value):
    """An option that names no port is reported, and changes nothing else."""
    with Machine(Config(append=f"{CONSOLES} gdb={value} gdbwait", extra=PORT)) as machine:
        machine.wait_prompt()
        assert f"gdb={value}: " in machine.text
