"""scripts/mkcpio, read back by cpio(1)."""

import os
import subprocess
from pathlib import Path

MKCPIO = Path(__file__).resolve().parents[2] / "scripts" / "mkcpio"


def run(*words):
    return subprocess.run([str(MKCPIO), *map(str, words)], capture_output=True, text=True, check=False)


def listed(archive):
    """Mode and name of each entry; a device's numbers before the name."""
    with open(archive, "rb") as file:
        result = subprocess.run(["cpio", "-itv", "--quiet"], stdin=file, capture_output=True, text=True, check=True)
    found = {}
    for line in result.stdout.splitlines():
        words = line.split()
        name = " ".join(words[9:] if words[0][0] == "c" else words[8:])
        found[name] = words[0] + (f" {words[4]}{words[5]}" if words[0][0] == "c" else "")
    return found


def test_kinds(tmp_path):
    program = tmp_path / "program"
    program.write_bytes(b"x" * 4097)
    program.chmod(0o755)
    archive = tmp_path / "out.cpio"
    result = run("-o", archive, f"bin/deep/program={program}", "dev/null=c:1:3", "empty/", "link=l:bin/deep",
                 "text=t:some words")
    assert result.returncode == 0, result.stderr
    assert listed(archive) == {
        ".": "drwxr-xr-x", "bin": "drwxr-xr-x", "bin/deep": "drwxr-xr-x", "bin/deep/program": "-rwxr-xr-x",
        "dev": "drwxr-xr-x", "dev/null": "crw-rw-rw- 1,3", "empty": "drwxr-xr-x", "link -> bin/deep": "lrwxrwxrwx",
        "text": "-rw-r--r--"}
    with open(archive, "rb") as file:
        subprocess.run(["cpio", "-idm", "--quiet", "bin/deep/program", "text"], stdin=file, cwd=tmp_path, check=True)
    assert (tmp_path / "bin/deep/program").read_bytes() == b"x" * 4097
    assert (tmp_path / "text").read_text() == "some words"


def test_same_bytes(tmp_path):
    """Neither the order of the words nor the time of the files matters."""
    source = tmp_path / "file"
    source.write_text("content")
    run("-o", tmp_path / "one", f"a={source}", "b=t:b")
    os.utime(source, (1, 1))
    run("-o", tmp_path / "two", "b=t:b", f"a={source}")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_errors(tmp_path):
    archive = tmp_path / "out.cpio"
    for words, complaint in ((["a=no-such-file"], "No such file"), (["a"], "neither PATH=SOURCE nor PATH/"),
                             (["a=c:x:1"], "invalid literal")):
        result = run("-o", archive, *words)
        assert result.returncode == 1 and complaint in result.stderr, result.stderr
        assert not archive.exists()


def test_alignment(tmp_path):
    """Large files start on a page, whatever stands before them; their names stay within Linux's limit."""
    archive = tmp_path / "out.cpio"
    words, contents = [], []
    # Among the sizes below 8192 are those that leave too little before the next page for a header and a name.
    for index, size in enumerate((5000, 4096, 100, *range(8192 - 240, 8192, 8), 70000)):
        source = tmp_path / f"{index}"
        source.write_bytes((b"#%03d" % index) * (size // 4))
        words.append(f"files/{index:03}{'x' * 80}={source}")
        contents.append(source.read_bytes())
    assert run("-o", archive, *words).returncode == 0
    data = archive.read_bytes()
    for content in contents:
        assert data.count(content) == 1
        assert len(content) < 4096 or data.index(content) % 4096 == 0
    assert len(listed(archive)) == 2 + len(contents)
    assert data.count(b"070701") > 2 + len(contents) + 1, "no entry had to be moved on"
