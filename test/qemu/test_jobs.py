"""Test job control: Debian's busybox as the shell of a session with a terminal, typed at over the serial port."""

import re

import pytest
from bundles import busybox_bundle
from machine import Config, Machine

APPLETS = ("sh", "cat", "echo", "sleep", "true", "setsid", "cttyhack", "stty", "init", "kill")
PROMPT = r"^/ # \Z"
STARTS = {
    "cttyhack": ("init", "#!/bin/sh\nexec setsid cttyhack sh\n"),
    "setsid-c": ("init", "#!/bin/sh\nexec setsid -c sh\n"),
    "respawn": ("etc/inittab", "::respawn:-/bin/sh\n"),
    "askfirst": ("etc/inittab", "ttyS0::askfirst:-/bin/sh\n"),
}


# A shell that is PID 1 cannot stop its jobs: as on Linux, their process groups are orphaned.
WITH_STOPS = "respawn"


def start(tmp_path, how):
    """Start a machine whose init starts the shell as a session's leader."""
    name, text = STARTS[how]
    script = tmp_path / "script"
    script.write_text(text)
    script.chmod(0o755)
    path = "/init" if name == "init" else "/bin/init"
    boot = busybox_bundle(tmp_path, f"console=ttyS0 quiet init={path}", APPLETS, f"{name}={script}")
    return Machine(Config(boot=boot, display=("-vga", "none")))


def step(machine, typed, expected, after=PROMPT):
    """Type a line, and wait for that answer and the prompt behind it."""
    since = len(machine.raw)
    machine.send(typed)
    machine.wait_for(expected + after, since)


@pytest.mark.parametrize("how", STARTS)
def test_each_start_has_job_control(tmp_path, how):
    """However it is started, the shell does not say that job control is off, and Ctrl-C ends its program, not the shell."""
    with start(tmp_path, how) as machine:
        if how == "askfirst":
            machine.wait_for("Please press Enter")
            machine.send("\n")
        machine.wait_for(PROMPT)
        assert "job control turned off" not in machine.text, machine.text
        since = len(machine.raw)
        machine.send("echo ready; cat\n")
        machine.wait_for("^ready\n", since)
        step(machine, "a line\n", "^a line\na line\n", "")
        step(machine, "\x03", r"\^C\n")
        step(machine, "echo $?\n", "^130\n")


def start_job(machine, command):
    """Start a job in the foreground that says when it runs: what is typed before goes to the shell."""
    since = len(machine.raw)
    machine.send(command + "\n")
    machine.wait_for("^ready$", since)


def until_jobs(machine, expected):
    """List the jobs until one is as expected: when a job stops depends on the scheduler."""
    answer = ""
    for _ in range(50):
        since = len(machine.raw)
        machine.send("jobs; echo asked\n")
        answer = machine.wait_for(r"(?s)\n.*^asked\n.*/ # \Z", since).group(0)
        if re.search(expected, answer, re.MULTILINE):
            return
    raise machine.failure(f"no job is {expected!r}, but {answer!r}")


def test_stop_and_go_on(tmp_path):
    """Ctrl-Z, jobs, bg, fg and kill of a job number work, with one job and with two."""
    with start(tmp_path, WITH_STOPS) as machine:
        machine.wait_for(PROMPT)
        start_job(machine, "sh -c 'echo ready; exec sleep 100000'")
        step(machine, "\x1a", r"\^Z\n?\[1\]\+  Stopped +sh -c .*\n")
        step(machine, "jobs\n", r"^\[1\]\+  Stopped +sh -c .*\n")
        step(machine, "echo $?\n", "^0\n")
        step(machine, "bg\n", r"^\[1\] sh -c .*\n")
        step(machine, "jobs\n", r"^\[1\]\+  Running +sh -c .*\n")
        start_job(machine, "sh -c 'echo ready; exec cat'")
        step(machine, "\x1a", r"\^Z\n?\[2\]\+  Stopped +sh -c .*\n")
        step(machine, "jobs\n", r"^\[2\]\+  Stopped +.*cat.*\n\[1\]-  Running +.*sleep.*\n")
        # The second job goes on where it was: it reads what is typed.
        step(machine, "fg %2\n", "^sh -c .*cat.*\n", "")
        step(machine, "a line\n", "^a line\na line\n", "")
        step(machine, "\x04", "")
        step(machine, "fg\n", "^sh -c .*sleep.*\n", "")
        # The shell names the job before it gives the job the terminal: until both programs wait, Ctrl-C may reach the
        # shell.
        machine.stop_halted()
        machine.resume()
        step(machine, "\x03", r"\^C\n")
        step(machine, "echo $?\n", "^130\n")
        start_job(machine, "sh -c 'echo ready; exec sleep 100000'")
        step(machine, "\x1a", r"\^Z\n?\[1\]\+  Stopped +sh -c .*\n")
        # A stopped job ends by a signal only when it goes on.
        step(machine, "kill %1\n", "")
        step(machine, "jobs\n", r"^\[1\]\+  Stopped +sh -c .*\n")
        step(machine, "fg\n", "^sh -c .*\nTerminated\n")
        step(machine, "echo $?; jobs; echo none\n", "^143\nnone\n")


def test_background_terminal(tmp_path):
    """A background job that reads is stopped, and with tostop one that writes; in the foreground both go on."""
    with start(tmp_path, WITH_STOPS) as machine:
        machine.wait_for(PROMPT)
        step(machine, "cat &\n", "")
        until_jobs(machine, r"^\[1\]\+  Stopped \(tty input\) +cat")
        step(machine, "fg\n", "^cat\n", "")
        step(machine, "to the reader\n", "^to the reader\nto the reader\n", "")
        step(machine, "\x04", "")
        step(machine, "stty tostop\n", "")
        step(machine, "sh -c 'echo loud' &\n", "")
        until_jobs(machine, r"^\[1\]\+  Stopped \(tty output\) +sh -c")
        step(machine, "fg\n", "^sh -c .*\nloud\n")
        step(machine, "stty -tostop; sh -c 'echo heard' &\n", "heard\n", "")


def test_exit_warns_of_stopped_jobs(tmp_path):
    """At the first `exit` the shell says that there are stopped jobs; the second ends it, and the jobs get SIGHUP."""
    with start(tmp_path, WITH_STOPS) as machine:
        machine.wait_for(PROMPT)
        start_job(machine, "sh -c 'trap \"echo hung up; exit\" HUP; echo ready; while :; do sleep 1; done'")
        step(machine, "\x1a", r"\^Z\n?\[1\]\+  Stopped +sh -c .*\n")
        step(machine, "exit\n", "You have stopped jobs.\n")
        step(machine, "exit\n", r"(?s)exit\n.*hung up\n", "")
