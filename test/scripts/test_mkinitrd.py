"""scripts/mkinitrd, read back by cpio(1)."""

import os
import stat
import subprocess
from pathlib import Path

MKINITRD = Path(__file__).resolve().parents[2] / "scripts" / "mkinitrd"


def run(*words):
    return subprocess.run([str(MKINITRD), *map(str, words)], capture_output=True, text=True, check=False)


def listed(archive):
    """Mode and name of each entry; a device's numbers before the name."""
    with open(archive, "rb") as file:
        result = subprocess.run(["cpio", "-itv", "--quiet"], stdin=file, capture_output=True, text=True, check=True)
    found = {}
    for line in result.stdout.splitlines():
        words = line.split()
        name = " ".join(words[9:] if words[0][0] in "bc" else words[8:])
        found[name] = words[0] + (f" {words[4]}{words[5]}" if words[0][0] in "bc" else "")
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


def unpacked(archive, directory):
    """The directory, with what cpio(1) makes of the archive there."""
    directory.mkdir()
    with open(archive, "rb") as file:
        subprocess.run(["cpio", "-idm", "--quiet", "--no-preserve-owner"], stdin=file, cwd=directory, check=True)
    return directory


def test_a_directory_as_it_is(tmp_path):
    """Modes, times, links of both kinds and pipes arrive; owners are root's."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "tool").write_bytes(b"t" * 5000)
    (root / "sub" / "tool").chmod(0o4711)
    os.link(root / "sub" / "tool", root / "another")
    os.link(root / "sub" / "tool", root / "zz")
    (root / "broken").symlink_to("no/where")
    (root / "to-directory").symlink_to("sub")
    os.mkfifo(root / "pipe", 0o640)
    (root / "sub").chmod(0o1777)
    for path in ("sub/tool", "zz"):
        os.utime(root / path, (1_000_000_000, 1_000_000_000))
    archive = tmp_path / "out.cpio"
    result = run("-o", archive, root)
    assert result.returncode == 0, result.stderr
    assert listed(archive) == {
        ".": "drwxr-xr-x", "another": "-rws--x--x", "broken -> no/where": "lrwxrwxrwx", "pipe": "prw-r-----",
        "sub": "drwxrwxrwt", "sub/tool": "-rws--x--x", "to-directory -> sub": "lrwxrwxrwx", "zz": "-rws--x--x"}
    data = archive.read_bytes()
    assert data.count(b"t" * 5000) == 1 and data.index(b"t" * 5000) % 4096 == 0 and len(data) % 4096 == 0
    copy = unpacked(archive, tmp_path / "copy")
    assert (copy / "zz").stat().st_nlink == 3 and (copy / "another").read_bytes() == b"t" * 5000
    assert (copy / "zz").samefile(copy / "sub" / "tool")
    assert (copy / "zz").stat().st_mtime == 1_000_000_000


def headers(archive):
    """The fields of each entry: (number, mode, owner, group, links, time)."""
    data = archive.read_bytes()
    starts = [at for at in range(0, len(data), 4) if data[at:at + 6] == b"070701"]
    return [tuple(int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(6)) for at in starts]


def test_owners_and_times(tmp_path):
    source = tmp_path / "file"
    source.write_text("content")
    os.utime(source, (5, 5))
    status = source.stat()
    archive = tmp_path / "out.cpio"
    for options, owner, time in (((), (0, 0), 5), (("--keep-owners",), (status.st_uid, status.st_gid), 5),
                                 (("--time", 77), (0, 0), 77)):
        assert run("-o", archive, *options, source).returncode == 0
        assert headers(archive)[1][1:] == (status.st_mode, *owner, 1, time)


def test_later_words_replace_and_files_keep_their_names(tmp_path):
    """A directory somewhere else, a file by its name, a word that replaces one of the directory's."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "name").write_text("old")
    (tmp_path / "hello").write_text("hello")
    archive = tmp_path / "out.cpio"
    assert run("-o", archive, f"deep/in={tmp_path}/root", "deep/in/name=t:new", tmp_path / "hello",
               "disk=b:8:1").returncode == 0
    assert set(listed(archive)) == {".", "deep", "deep/in", "deep/in/name", "hello", "disk"}
    assert [stat.S_IFMT(fields[1]) for fields in headers(archive)][4] == stat.S_IFBLK
    assert b"new" in archive.read_bytes() and b"old" not in archive.read_bytes()


def test_errors(tmp_path):
    archive = tmp_path / "out.cpio"
    for words, complaint in ((["a=no-such-file"], "No such file"), (["a"], "neither PATH=SOURCE nor PATH/"),
                             (["a=c:x:1"], "invalid literal"),
                             ([f"{'x' * 4096}=t:"], "longer than 4095 bytes")):
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


def test_a_tar_archive(tmp_path):
    """What tar(1) packed arrives as the directory itself would, owners and hard links as well; else it is named."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "tool").write_bytes(b"t" * 5000)
    (root / "sub" / "tool").chmod(0o4711)
    os.link(root / "sub" / "tool", root / "another")
    (root / "link").symlink_to("sub/tool")
    os.mkfifo(root / "pipe", 0o640)
    tar = tmp_path / "root.tar"
    subprocess.run(["tar", "-cf", tar, "--owner=7", "--group=8", "-C", root, "."], check=True)
    archive = tmp_path / "out.cpio"
    result = run("--keep-owners", "-o", archive, tar)
    assert result.returncode == 0, result.stderr
    assert listed(archive) == {".": "drwxr-xr-x", "another": "-rws--x--x", "link -> sub/tool": "lrwxrwxrwx",
                               "pipe": "prw-r-----", "sub": "drwxr-xr-x", "sub/tool": "-rws--x--x"}
    directory = unpacked(archive, tmp_path / "back")
    assert (directory / "sub/tool").read_bytes() == b"t" * 5000
    assert (directory / "another").samefile(directory / "sub/tool")
    with open(archive, "rb") as file:
        lines = subprocess.run(["cpio", "-itvn", "--quiet"], stdin=file, capture_output=True, text=True, check=True)
    assert {tuple(line.split()[2:4]) for line in lines.stdout.splitlines()} == {("7", "8")}
    tar.write_bytes(b"no tar")
    result = run("-o", archive, tar)
    assert result.returncode == 1 and str(tar) in result.stderr


def test_two_tar_archives(tmp_path):
    """Hard links of one are not those of the other; a link whose file is not there is named."""
    root = tmp_path / "root"
    for name in "ab":
        (root / name).mkdir(parents=True)
        (root / name / "first").write_text(name)
        os.link(root / name / "first", root / name / "second")
        subprocess.run(["tar", "-cf", tmp_path / f"{name}.tar", "-C", root, f"{name}/first", f"{name}/second"], check=True)
    archive = tmp_path / "out.cpio"
    result = run("-o", archive, tmp_path / "a.tar", tmp_path / "b.tar")
    assert result.returncode == 0, result.stderr
    directory = unpacked(archive, tmp_path / "back")
    for name in "ab":
        assert (directory / name / "second").read_text() == name
        assert (directory / name / "first").samefile(directory / name / "second")
    subprocess.run(["tar", "--delete", "-f", tmp_path / "a.tar", "a/first"], check=True)
    result = run("-o", archive, tmp_path / "a.tar")
    assert result.returncode == 1 and "a/second" in result.stderr, result.stderr
